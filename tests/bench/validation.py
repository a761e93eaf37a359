"""How long validation takes, as ratios to other ways of reading the same file.

    python -m tests.bench.validation [--lines 200000]

The file has one line a turn with 100 videos. Every way streams the same file in this process, and
is timed by the clock and by the processor; the memory of a whole `ivcr validate` is taken from a
process of its own. Ways whose library is not installed (jsonschema-rs, pydantic) are named and
passed over; jsonschema, which would take minutes, reads the first thousand lines.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import orjson

from harness.benchmark import Benchmark, fingerprint
from harness.files import canonical
from harness.records import Card
from harness.schemas.documents import schema
from harness.submission import PredictionLine, toml_card
from harness.validation import check

VIDEOS = 10_000
TURNS_A_DIALOGUE = 5
RANKED = 100
Way = Callable[[], int]


def main() -> None:
    """Print the table of ratios."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--lines", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        benchmark, submission = made(Path(scratch), given.lines)
        size = (submission / "predictions.jsonl").stat().st_size
        print(f"{given.lines:,} lines, {size / 1e6:,.0f} MB, best of {given.rounds}")
        compare(ways(benchmark, submission), given.lines, given.rounds)
        whole_process(benchmark, submission)


def compare(table: dict[str, Way], lines: int, rounds: int) -> None:
    """Time all ways in turn, several times, and print the best of each, by clock and processor."""
    best = dict.fromkeys(table, (math.inf, math.inf))
    for _ in range(rounds):
        for name, way in table.items():
            clock, processor = time.perf_counter(), time.process_time()
            scale = lines / way()
            taken = time.perf_counter() - clock, time.process_time() - processor
            best[name] = (
                min(best[name][0], taken[0] * scale),
                min(best[name][1], taken[1] * scale),
            )
    bare = best["msgspec, typed"]
    print(f"{'':<28} {'clock':>8}  {'ratio':>6}  {'processor':>9}  {'ratio':>6}")
    for name, (clock, processor) in best.items():
        print(
            f"{name:<28} {clock:8.2f}  {clock / bare[0]:6.2f}  {processor:9.2f}  "
            f"{processor / bare[1]:6.2f}"
        )


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
    own = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
    print(f"{own / 1024:.0f} MiB at most", file=sys.stderr)
"""


def whole_process(benchmark: Path, submission: Path) -> None:
    """Print seconds and memory of one `ivcr validate`."""
    command = [sys.executable, "-c", MEASURED, "validate", submission, "--benchmark", benchmark]
    start = time.perf_counter()
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    print(f"ivcr validate, whole process: {seconds:.2f} s on the clock, {run.stderr.strip()}")


def ways(benchmark: Path, submission: Path) -> dict[str, Way]:
    """The ways of reading the file: each reads all it takes and returns the number of lines."""
    path = submission / "predictions.jsonl"
    read = Benchmark(benchmark)
    lines = schema("prediction")
    table: dict[str, Way] = {
        "msgspec, typed": lambda: _each(path, msgspec.json.Decoder(PredictionLine).decode),
        "check": lambda: check(submission, read, keep=False).report.answered,
        "check, keeping predictions": lambda: check(submission, read).report.answered,
        "jsonschema, shape only": lambda: _each(path, _jsonschema(lines), most=1000),
    }
    if importlib.util.find_spec("jsonschema_rs"):
        table["orjson and jsonschema-rs"] = lambda: _each(path, _jsonschema_rs(lines))
    else:
        print("jsonschema-rs is not installed: passed over")
    if importlib.util.find_spec("pydantic"):
        table["pydantic, shape only"] = lambda: _each(path, _pydantic())
    else:
        print("pydantic is not installed: passed over")
    return table


def _each(path: Path, read: Callable[[bytes], Any], most: int | None = None) -> int:
    count = 0
    with path.open("rb") as stream:
        for line in islice(stream, most):
            read(line)
            count += 1
    return count


def _jsonschema(lines: dict[str, Any]) -> Callable[[bytes], Any]:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(lines)
    return lambda line: validator.is_valid(json.loads(line))


def _jsonschema_rs(lines: dict[str, Any]) -> Callable[[bytes], Any]:
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(lines)
    return lambda line: validator.is_valid(orjson.loads(line))


def _pydantic() -> Callable[[bytes], Any]:
    import pydantic

    fields: dict[str, Any] = {
        "dialogue_id": (str, ...),
        "turn": (int, ...),
        "videos": (Annotated[list[str], pydantic.Field(max_length=RANKED)], ...),
    }
    line = pydantic.create_model("line", **fields)
    return lambda data: line.model_validate_json(data)


def made(folder: Path, lines: int) -> tuple[Path, Path]:
    """A benchmark of `lines` video turns with ten candidates each, and a valid submission."""
    benchmark, submission = folder / "benchmark", folder / "submission"
    (benchmark / "test").mkdir(parents=True)
    submission.mkdir()
    draw = random.Random(1)
    videos = [f"ActivityNet/v_{draw.randrange(16**10):010x}_{n:05d}.mp4" for n in range(VIDEOS)]
    _write(
        benchmark / "videos.jsonl",
        ({"video_id": v, "duration": 60.0, "source": "A"} for v in videos),
    )
    (benchmark / "test" / "corpus.txt").write_text("".join(f"{v}\n" for v in videos))
    names = [
        {"dialogue_id": f"d{n // TURNS_A_DIALOGUE:06d}-1f3a9c0e", "turn": n % TURNS_A_DIALOGUE + 1}
        for n in range(lines)
    ]
    turn = {"type": 1, "language": "en", "task": "video", "utterance": "the one by the sea " * 4}
    _write(benchmark / "test" / "turns.jsonl", ({**name, **turn} for name in names))
    _write(
        benchmark / "test" / "candidates.jsonl",
        ({**name, "candidates": draw.sample(videos, 10)} for name in names),
    )
    header = {
        "schema": 1, "name": "bench", "version": "1", "labels": "hidden", "sources": [],
        "type_names": {}, "splits": {"test": {}}, "gold_sha256": {},
        "fingerprint": fingerprint(benchmark),
    }  # fmt: skip
    (benchmark / "benchmark.json").write_bytes(canonical(header))
    card = Card(1, "bench", "bench", "none", "unused")
    (submission / "card.toml").write_text(toml_card(card))
    _write(
        submission / "predictions.jsonl",
        ({**name, "videos": draw.sample(videos, RANKED)} for name in names),
    )
    return benchmark, submission


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as stream:
        for row in rows:
            stream.write(encode(row) + b"\n")


if __name__ == "__main__":
    main()
