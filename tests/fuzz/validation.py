"""Fuzzing of what reads a stranger's files: lines, cards, plain and compressed streams.

    python -m tests.fuzz.validation [--inputs 100000] [--seed 1]

Every input must end in a report: no exception, no hang, no growth of memory, nothing unprintable in
a message, and the fast path must accept nothing that the slow path complains of. Inputs are the
seeds below, and hypothesis's nearly right lines and cards, changed byte by byte and piece by piece.
An input that fails is written beside the seeds as tests/fuzz/found/<target>-<number>, where the
tests pick it up.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from harness.benchmark import Benchmark
from harness.files import readable, zstd
from harness.submission import PREDICTIONS
from harness.validation import PublicSplit, check, read_public
from harness.validation.reading.card_file import card_findings, parse_card
from harness.validation.reading.fast_path import FastPath
from harness.validation.reading.slow_path import inspect_line
from harness.validation.rules.rule import Fault
from tests.validation.bad import REPORTED, SOUND
from tests.validation.samples import CARD, LINES, VIDEOS, encoded, write_benchmark
from tests.validation.strategies import cards, lines

FOUND = Path(__file__).with_name("found")
SECONDS = 2.0  # of the processor; no single input may take longer
TOKENS = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\r\n", b"\0", b" ", b"\t", b"-"),
    *(b"1", b"NaN", b"-Infinity", b"1e400", b"9" * 400, b"9" * 5000, b"0.1e-400", b"true", b"null"),
    *(b"\\ud800", b"\\udc00", b"\\u0000", b"\\u0022", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf"),
    *(b"\xff\xfe", b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"[" * 2000, b'{"x":' * 2000),
    *(b'"videos":', b'"turn":', b'"dialogue_id":"d2"', b'"start":', b'"v/a.mp4"', b"#", b"'''"),
    *(b"=", b"1979-05-27T07:32:00Z", b"[figures]\n", b"[[a]]\n", b'a."b".c = 1\n'),
    b"0x" + b"f" * 9999,
]  # fmt: skip
LINE_SEEDS = [
    *map(encoded, LINES),
    *(json.dumps(line).encode() for line in LINES),
    b"",
    b"{}",
    b"[]",
]
CARD_SEEDS = [
    CARD.encode(),
    REPORTED.encode(),
    b"",
    b"cost = {a = 1, b = 'x'}\nseed = 1\n" + CARD.encode(),
]
STREAM_SEEDS = [SOUND, SOUND.replace(b"\n", b"\r\n"), b"\n".join(encoded({"v": v}) for v in VIDEOS)]
Target = Callable[[bytes], None]


class Fuzzer:
    """Sends inputs to targets, and counts them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.slowest: dict[str, float] = {}
        self._draw = random.Random(seed)
        self._seed = seed
        self._benchmark = Benchmark(write_benchmark(folder / "benchmark"))
        self._folder = folder / "submission"
        self._folder.mkdir()
        public = read_public(self._benchmark, "test")
        fast = [FastPath(public, ordered=ordered) for ordered in (False, True)]
        self.targets: dict[str, Target] = {
            "line": lambda data: a_line(data, public, fast),
            "card": a_card,
            "stream": lambda data: self._stream("predictions.jsonl", data),
            "gz": lambda data: self._stream("predictions.jsonl.gz", data),
            "zst": lambda data: self._stream("predictions.jsonl.zst", data),
            "folder": lambda data: self._stream("predictions.jsonl", SOUND, card=data),
        }
        self._seeds = {
            "line": LINE_SEEDS,
            "card": CARD_SEEDS,
            "stream": STREAM_SEEDS,
            "gz": [gzip.compress(data, mtime=0) for data in STREAM_SEEDS],
            "zst": [zstd.compress(data) for data in STREAM_SEEDS],
            "folder": CARD_SEEDS,
        }

    def mutate(self, target: str, inputs: int) -> None:
        """Send `inputs` changed seeds to one target."""
        for _ in range(inputs):
            data = self._draw.choice(self._seeds[target])
            for _ in range(self._draw.randint(1, 5)):
                data = changed(data, self._draw)
            self.send(target, data)

    def generate(self, target: str, inputs: int) -> None:
        """Send `inputs` nearly right lines or cards of hypothesis to one target."""

        @seeded(self._seed)
        @settings(
            max_examples=inputs,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(value=lines() if target == "line" else cards())
        def run(value: dict[str, object]) -> None:
            self.send(target, encoded(value) if target == "line" else _toml(value))

        run()

    def send(self, target: str, data: bytes) -> None:
        """One input; keeps it if it fails."""
        self.counts[target] += 1
        start = time.process_time()
        try:
            self.targets[target](data)
            taken = time.process_time() - start
            assert taken < SECONDS, f"took {taken:.1f} s"
        except BaseException:
            FOUND.mkdir(exist_ok=True)
            (FOUND / f"{target}-{self.counts[target]}").write_bytes(data)
            raise
        self.slowest[target] = max(taken, self.slowest.get(target, 0.0))

    def _stream(self, name: str, data: bytes, card: bytes = CARD.encode()) -> None:
        for other in PREDICTIONS:
            (self._folder / other).unlink(missing_ok=True)
        (self._folder / name).write_bytes(data)
        (self._folder / "card.toml").write_bytes(card)
        report = check(self._folder, self._benchmark, keep=False).report
        assert report.valid == (report.errors == 0)
        assert all(problem.message.isprintable() for problem in report.problems)
        assert len(readable(report)) < 1_000_000


def a_line(data: bytes, public: PublicSplit, fast: list[FastPath]) -> None:
    """One line: both paths end, and the fast one accepts nothing that the slow one names."""
    try:
        _, found = inspect_line(data, public)
    except Fault as fault:
        found = [fault]
    for path in fast:
        assert path.accept(data) is None or not found, found
    assert all(finding.text.isprintable() and len(finding.text) < 700 for finding in found)


def a_card(data: bytes) -> None:
    """One card: it is a table or says why not."""
    try:
        faults = list(card_findings(parse_card(data)))
    except Fault as fault:
        faults = [fault]
    assert all(fault.text.isprintable() and len(fault.text) < 700 for fault in faults)


def changed(data: bytes, draw: random.Random) -> bytes:
    """The data with one change: a bit, a cut, a token, a piece doubled, moved or taken away."""
    at, to = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    match draw.randrange(7):
        case 0 if data:
            byte = data[at - 1] ^ (1 << draw.randrange(8))
            return data[: at - 1] + bytes([byte]) + data[at:] if at else data
        case 1:
            return data[:at]
        case 2:
            return data[:at] + data[to:]
        case 3:
            return data[:to] + data[at:to] + data[to:]
        case 4:
            return data[:at] + draw.randbytes(draw.randrange(5)) + data[to:]
        case 5:
            return data[:at] + draw.choice(TOKENS) + data[to:]
        case _:
            return data[:at] + draw.choice(TOKENS) + data[at:]


def _toml(value: dict[str, object]) -> bytes:
    """A card's table as TOML, as far as JSON's notation is TOML's; the rest is fuzz as well."""
    return "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in value.items()).encode()


def saved() -> Iterator[tuple[str, bytes]]:
    """The inputs that failed once, by target."""
    for path in sorted(FOUND.glob("*-*")):
        yield path.name.split("-")[0], path.read_bytes()


SHARES = {"line": 0.4, "card": 0.15, "stream": 0.15, "gz": 0.1, "zst": 0.1, "folder": 0.1}


def fuzz(folder: Path, inputs: int, seed: int) -> Fuzzer:
    """Send about `inputs` inputs: a tenth from hypothesis, the rest changed seeds."""
    fuzzer = Fuzzer(folder, seed)
    for target, data in saved():
        fuzzer.send(target, data)
    for target in ("line", "card"):
        fuzzer.generate(target, inputs // 20)
    for target, share in SHARES.items():
        fuzzer.mutate(target, int(inputs * share))
    return fuzzer


def main() -> None:
    """Fuzz and print the counts."""
    options = argparse.ArgumentParser()
    options.add_argument("--inputs", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    given_ = options.parse_args()
    start, counts, slowest = time.monotonic(), Counter[str](), Counter[str]()
    for half in (1, 2):
        with tempfile.TemporaryDirectory() as scratch:
            fuzzer = fuzz(Path(scratch), given_.inputs // 2, 2 * given_.seed + half)
        counts.update(fuzzer.counts)
        slowest |= Counter(fuzzer.slowest)
        print(f"{counts.total():>9,} inputs: {resident():.0f} MiB resident")
    for target, count in counts.items():
        print(f"{count:>9,} {target:<7} slowest {1000 * slowest[target]:.0f} ms")
    print(f"{counts.total():>9,} inputs, {time.monotonic() - start:.0f} s")


def resident() -> float:
    """The memory that this process has now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
