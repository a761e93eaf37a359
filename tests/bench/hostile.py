"""What hostile submissions cost: processor time and memory of each command in its own process.

    python -m tests.bench.hostile [NAME...]

Each input is put in the place of a sound submission to a small benchmark, beside another sound one.
A row gives the input's size (as it lies on the disk, and unpacked where that is more), the
command, its exit code, seconds of the processor beyond those for the sound submission, seconds for
each MiB of the larger size, and the peak of memory.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.files import zstd
from harness.records import Card, Prediction
from harness.submission import line, toml_card
from harness.validation import check
from tests.baselines.conftest import CAT, SAMPLES, dialogue, imported, talk

CHATS = 400  # dialogues, each of one turn with a reference answer, half of them Chinese
SECONDS, MEMORY = 200, 8 << 30  # more than this ends a command
PEAK = "peak KiB "
# The peak as the kernel keeps it for a program, not for the process that became it: ru_maxrss would
# count this one's memory, from which it was forked.
MEASURED = """
import re, sys
from pathlib import Path
from harness.cli import main
sys.argv[0] = "ivcr"
try:
    main()
finally:
    found = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
    print("peak KiB " + found[1], file=sys.stderr)
"""
IVCR = [sys.executable, "-c", MEASURED]


class Cost(NamedTuple):
    """What one command took."""

    code: int
    seconds: float
    mebibytes: float
    said: str


class Hostile(NamedTuple):
    """An input: what it does to the folder of a sound, scored submission, and the commands.

    `do` returns the size of what it wrote, unpacked, in bytes.
    """

    do: Callable[[Path], int]
    commands: tuple[str, ...]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("names", nargs="*")
    chosen = options.parse_args().names
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(Path(scratch))
        sound = {command: place.cost(command).seconds for command in COMMANDS}
        print("sound:", ", ".join(f"{command} {taken:.2f} s" for command, taken in sound.items()))
        for name, hostile in HOSTILE.items():
            if chosen and not any(part in name for part in chosen):
                continue
            size = place.spoil(hostile)
            for command in hostile.commands:
                cost = place.cost(command)
                more = max(cost.seconds - sound[command], 0.0)
                print(
                    f"{name:<38} {size / 2**20:9.3f} MiB {command:<9} {cost.code:>4} {more:8.2f} s "
                    f"{more / max(size / 2**20, 1e-9):8.2f} s/MiB {cost.mebibytes:7.0f} MiB "
                    f"{cost.said}",
                    flush=True,
                )


COMMANDS = ("validate", "info", "score", "compare", "items", "build", "verify")


class Place:
    """A benchmark and two sound submissions, one of which is spoilt."""

    def __init__(self, root: Path) -> None:
        chats = [
            dialogue(talk("hello", answer), code=0)
            for answer in ("Yes, it is the one with 2 red doors.", "是的，就是那个有红门的。")
            for _ in range(CHATS // 2)
        ]
        self.root = root
        self.benchmark = imported(root, [*SAMPLES, *chats])
        self.bad, self.good = root / "board" / "bad" / "run", root / "board" / "good" / "run"
        for folder in (self.bad, self.good):
            folder.mkdir(parents=True)
            (folder / "card.toml").write_text(toml_card(Card(1, "t", "s", "own", "unused")))
            (folder / "predictions.jsonl").write_bytes(b"".join(self.lines()))
            run = self.cost("score", folder)
            assert run.code == 0, run.said
        self.kept = root / "kept"
        shutil.copytree(self.bad, self.kept)

    def lines(self, response: Callable[[], str] = lambda: "yes") -> Iterator[bytes]:
        """A sound line for every turn."""
        for turn in self.benchmark.split().turns:
            yield line(
                Prediction(
                    turn.dialogue_id,
                    turn.turn,
                    videos=(CAT,) if turn.task == "video" else None,
                    moments=() if turn.task == "moment" else None,
                    response=response() if turn.task == "chat" else None,
                )
            )

    def spoil(self, hostile: Hostile) -> int:
        """Put the input in place of what was there."""
        for folder in (self.root / "board").iterdir():
            if folder != self.good.parent:
                shutil.rmtree(folder)
        shutil.rmtree(self.root / "site", ignore_errors=True)
        (self.root / ".site.ledger.json").unlink(missing_ok=True)
        shutil.copytree(self.kept, self.bad)
        PLACES[self.bad] = self
        size = hostile.do(self.bad)
        written = sum(path.lstat().st_size for path in self.bad.rglob("*") if path.is_file())
        return max(size, written)

    def cost(self, command: str, folder: Path | None = None) -> Cost:
        """Run a command over the spoilt submission, or another."""
        bad, where = str(folder or self.bad), ["--benchmark", str(self.benchmark.folder)]
        board = str(self.root / "board")
        arguments = {
            "info": ["submission", "info", bad],
            "compare": ["compare", bad, str(self.good), *where],
            "build": ["leaderboard", "build", board, *where, "--out", str(self.root / "site")],
            "verify": ["leaderboard", "verify", board, *where],
        }.get(command, [command, bad, *where])
        return measured([*IVCR, *arguments])


PLACES: dict[Path, Place] = {}


def measured(command: list[str]) -> Cost:
    """Run a command within limits; its processor time and peak memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))

    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, preexec_fn=limit)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    rows = [row for row in text.splitlines() if row.strip()]
    peaks = [row.removeprefix(PEAK) for row in rows if row.startswith(PEAK)]
    lines = [row for row in rows if not row.startswith(PEAK)] or [""]
    refused = [row for row in lines if row.startswith("refused: ") or "bad" in row]
    shown = "TRACEBACK " + lines[-1] if "Traceback" in text else (refused or lines)[-1]
    peak = (int(peaks[-1]) if peaks else used.ru_maxrss) / 1024
    seconds = used.ru_utime + used.ru_stime
    return Cost(process.returncode, seconds, peak, ascii(shown[:150]))


def file(name: str, data: Callable[[], bytes], unpacked: int = 0) -> Callable[[Path], int]:
    """Put a file in the folder, in place of the predictions if it is one."""

    def do(folder: Path) -> int:
        if name.startswith("predictions"):
            (folder / "predictions.jsonl").unlink()
        (folder / name).write_bytes(data())
        return unpacked

    return do


def card(text: Callable[[], str]) -> Callable[[Path], int]:
    """Put more into the card."""

    def do(folder: Path) -> int:
        with (folder / "card.toml").open("a") as stream:
            stream.write(text())
        return 0

    return do


def responses(make: Callable[[random.Random], str]) -> Callable[[Path], int]:
    """Give every chat turn a response."""

    def do(folder: Path) -> int:
        draw = random.Random(1)
        place = PLACES[folder]
        data = b"".join(place.lines(lambda: make(draw)))
        (folder / "predictions.jsonl").write_bytes(data)
        return len(data)

    return do


def outcomes(name: str, data: Callable[[], bytes]) -> Callable[[Path], int]:
    """Replace one array of the outcomes by these bytes."""

    def do(folder: Path) -> int:
        path = folder / "scores.outcomes.npz"
        with zipfile.ZipFile(path) as archive:
            kept = {each: archive.read(each) for each in archive.namelist()}
        kept[name] = data()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for each, content in kept.items():
                archive.writestr(each, content)
        return sum(map(len, kept.values()))

    return do


def npy(header: bytes) -> bytes:
    """An array of format 1.0 without data."""
    return b"\x93NUMPY\x01\x00" + len(header + b"\n").to_bytes(2, "little") + header + b"\n"


def many_entries(folder: Path) -> int:
    """Outcomes with 300,000 entries more."""
    with zipfile.ZipFile(folder / "scores.outcomes.npz", "a") as archive:
        for number in range(300_000):
            archive.writestr(f"{number}", b"")
    return 0


def zeros_in(folder: Path) -> int:
    """An outcomes file whose table unpacks to 256 MiB of zeros."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.zeros((64, (1 << 28) // 512 - 1)))
    return outcomes("table.npy", stream.getvalue)(folder)


def not_utf8(folder: Path) -> int:
    """A team folder whose name is no UTF-8."""
    other = os.fsdecode(os.fsencode(folder.parent.parent) + b"/bad\xff")
    shutil.move(folder.parent, other)
    return 0


def invalid(folder: Path) -> int:
    """Predictions that are not valid under scores that have their hash."""
    path = folder / "predictions.jsonl"
    path.write_bytes(path.read_bytes().replace(b"A/cat.mp4", b"A/cow.mp4"))
    scores = json.loads((folder / "scores.json").read_text())
    scores["submission"]["sha256"] = check(folder, PLACES[folder].benchmark).sha256
    (folder / "scores.json").write_text(json.dumps(scores))
    (folder / "scores.outcomes.npz").unlink()
    return 0


def a_million_files(folder: Path) -> int:
    """A run's folder with a million files more, by 300,000 of them."""
    for number in range(300_000):
        (folder / f"x{number}").touch()
    return 0


def a_million_runs(folder: Path) -> int:
    """A team's folder with 100,000 runs."""
    for number in range(100_000):
        (folder.parent / f"x{number}").mkdir()
    return 0


def sparse(name: str) -> Callable[[Path], int]:
    """A file of 20 GiB that takes no room."""

    def do(folder: Path) -> int:
        (folder / "predictions.jsonl").unlink(missing_ok=name.startswith("predictions"))
        with (folder / name).open("wb") as stream:
            stream.truncate(20 << 30)
        return 0

    return do


def gz_name(size: int) -> bytes:
    """A gzip file whose header has a name of so many bytes."""
    packed = gzip.compress(b"{}\n")
    return packed[:3] + b"\x08" + packed[4:10] + b"n" * size + b"\0" + packed[10:]


def keys(number: int) -> bytes:
    """A line of so many keys."""
    return b"{" + b",".join(b'"k%d":1' % n for n in range(number)) + b"}\n"


EMPTY_GZ, EMPTY_ZST = gzip.compress(b""), zstd.compress(b"")
BY_ALL = ("validate", "score", "compare", "items", "build", "verify")
READING = ("validate", "info")
LINES = "predictions.jsonl"
HOSTILE = {
    "card: integer of 5,000 digits": Hostile(card(lambda: f"seed = {'9' * 5000}\n"), BY_ALL),
    "card: 3,000 nested arrays": Hostile(
        card(lambda: "languages = " + "[" * 3000 + "]" * 3000), BY_ALL
    ),
    "card: key 5,000 levels deep": Hostile(card(lambda: "a." * 5000 + "a = 1\n"), BY_ALL),
    "card: key of 30,000 parts": Hostile(card(lambda: "a." * 30000 + "a = 1\n"), ("validate",)),
    "card: date 2025-13-99": Hostile(card(lambda: 'date = "2025-13-99"\n'), BY_ALL),
    "card: byte order mark": Hostile(
        lambda f: (f / "card.toml").write_bytes(b"\xef\xbb\xbf" + (f / "card.toml").read_bytes()),
        BY_ALL,
    ),
    "scores: 900,000 brackets": Hostile(file("scores.json", lambda: b"[" * 900_000), BY_ALL[-2:]),
    "scores: 900,000 brackets within": Hostile(
        file("scores.json", lambda: b'{"a":' + b"[" * 900_000 + b"]" * 900_000 + b"}"), BY_ALL[-2:]
    ),
    "scores: a million short lists": Hostile(
        file("scores.json", lambda: b'{"a":[' + b"[]," * 1_300_000 + b"[]]}"), BY_ALL[-2:]
    ),
    "outcomes: header that recurses": Hostile(
        outcomes("sha256.npy", lambda: npy(b"(" * 4000 + b")" * 4000)), BY_ALL[-2:]
    ),
    "outcomes: a deep header of minus signs": Hostile(
        outcomes("sha256.npy", lambda: npy(b"-" * 4000 + b"1")), BY_ALL[-2:]
    ),
    "outcomes: 300,000 entries": Hostile(many_entries, BY_ALL[-2:]),
    "outcomes: 256 MiB of zeros": Hostile(zeros_in, BY_ALL[-2:]),
    "team folder not UTF-8": Hostile(not_utf8, BY_ALL[-2:]),
    "predictions not valid, hash fits": Hostile(invalid, BY_ALL),
    "300,000 files beside": Hostile(a_million_files, BY_ALL),
    "100,000 runs in a team": Hostile(a_million_runs, BY_ALL[-2:]),
    "predictions of 20 GiB, sparse": Hostile(sparse("predictions.jsonl"), READING),
    "scores of 20 GiB, sparse": Hostile(sparse("scores.json"), BY_ALL[-2:]),
    "gz: then 50 MB of zeros": Hostile(
        file("predictions.jsonl.gz", lambda: gzip.compress(b"{}\n") + bytes(50_000_000)), READING
    ),
    "gz: a name of 60 MB": Hostile(
        file("predictions.jsonl.gz", lambda: gz_name(60_000_000)), READING
    ),
    "gz: 3 million empty members": Hostile(
        file("predictions.jsonl.gz", lambda: EMPTY_GZ * 3_000_000), READING
    ),
    "zst: a million empty frames": Hostile(
        file("predictions.jsonl.zst", lambda: EMPTY_ZST * 1_000_000), READING
    ),
    "zst: 3 million skippable frames": Hostile(
        file("predictions.jsonl.zst", lambda: b"\x50\x2a\x4d\x18\0\0\0\0" * 3_000_000), READING
    ),
    "60 lines of 90,000 keys": Hostile(file(LINES, lambda: keys(90_000) * 60), READING),
    "lines of 500,000 numbers": Hostile(
        file(LINES, lambda: (b'{"turn":[' + b"1," * 500_000 + b"1]}\n") * 8), READING
    ),
    "lines of 500,000 numbers too large": Hostile(
        file(LINES, lambda: (b'{"turn":[' + b"9e99," * 200_000 + b"1]}\n") * 8), READING
    ),
    "lines of 200,000 empty objects": Hostile(
        file(LINES, lambda: (b'{"turn":[' + b"{}," * 330_000 + b"1]}\n") * 8), READING
    ),
    "lines of 250,000 videos": Hostile(
        file(LINES, lambda: (b'{"videos":[' + b'"a",' * 250_000 + b'"a"]}\n') * 8), READING
    ),
    "lines of 160,000 halves of characters": Hostile(
        file(LINES, lambda: (b'{"response":"' + b"\\ud83d" * 160_000 + b'"}\n') * 8), READING
    ),
    "lines of 500,000 escapes": Hostile(
        file(LINES, lambda: (b'{"response":"' + b"\\n" * 500_000 + b'"x}\n') * 8), READING
    ),
    "lines that are no objects": Hostile(file(LINES, lambda: b"[]\n" * 10_700), READING),
    "lines of one brace": Hostile(file(LINES, lambda: b"{\n" * 4_000_000), READING),
    "empty lines": Hostile(file(LINES, lambda: b"\n" * 20_000_000), READING),
    "responses of 60,000 digits": Hostile(
        responses(lambda draw: str(draw.randrange(10**4000)).zfill(4000) * 15),
        ("validate", "score"),
    ),
    "responses of 24,000 Chinese characters": Hostile(
        responses(lambda draw: "".join(chr(draw.randrange(0x4E00, 0x9000)) for _ in range(24_000))),
        ("score",),
    ),
    "responses of 4,000 digits": Hostile(
        responses(lambda draw: "".join(draw.choices("0123456789", k=4000))), ("score", "compare")
    ),
    "responses of 4,000 Chinese characters": Hostile(
        responses(lambda draw: "".join(chr(draw.randrange(0x4E00, 0x9000)) for _ in range(4000))),
        ("score",),
    ),
    "responses of 4,000 full stops": Hostile(responses(lambda draw: ".," * 2000), ("score",)),
    "responses of 2,000 one-letter words": Hostile(
        responses(lambda draw: "".join(draw.choices("abcd ", k=4000))), ("score",)
    ),
    "responses that repeat an answer": Hostile(
        responses(lambda draw: ("Yes, it is the one with 2 red doors. " * 120)[:4000]), ("score",)
    ),
}


if __name__ == "__main__":
    main()
