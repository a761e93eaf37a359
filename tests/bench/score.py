"""Whole-process time of `ivcr score` beside a bare typed decode of the same file, in one run.

    python -m tests.bench.score [BENCHMARK]

Without BENCHMARK the real text beside the project is imported, or IVCR-Mini rendered where that is
absent. The submission is BM25's: a hundred videos a turn.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

IVCR = [sys.executable, "-c", "from harness.cli import main; main()"]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
BARE = """
import sys
from pathlib import Path

import numpy as np
import msgspec
from backports import zstd
from harness.submission import PredictionLine
with zstd.open(sys.argv[1]) as stream:
    decoder = msgspec.json.Decoder(PredictionLine)
    print(sum(1 for line in stream if decoder.decode(line)))
"""
RUNS = 7


def benchmark_in(folder: Path) -> Path:
    """The benchmark to score on."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    out, name = folder / "benchmark", "charades-ivcr.test"
    made = ["data", "import", f"{DATA}/{name}.json.gz", "--videos", f"{DATA}/{name}.videos.json.gz"]
    subprocess.run(
        [*IVCR, *(made if DATA.is_dir() else ["data", "mini"]), "--out", str(out)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return out


def seconds(command: list[str]) -> float:
    """Wall time of one process, start included."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Time both in turn, and print the medians and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        benchmark, run = benchmark_in(folder), folder / "run"
        place = ["--benchmark", str(benchmark)]
        subprocess.run(
            [*IVCR, "baseline", "run", "bm25", *place, "--history", "none", "--out", str(run)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        score = [*IVCR, "score", str(run), *place]
        bare = [sys.executable, "-c", BARE, str(run / "predictions.jsonl.zst")]
        pairs = [(seconds(score), seconds(bare)) for _ in range(RUNS + 1)][1:]
    whole, decode = (float(np.median(column)) for column in zip(*pairs, strict=True))
    ratios = sorted(one / other for one, other in pairs)
    print(f"ivcr score, whole process: {whole:.2f} s; bare typed decode: {decode:.2f} s")
    print(f"ratio: median {np.median(ratios):.1f}, {ratios[0]:.1f} to {ratios[-1]:.1f}")


if __name__ == "__main__":
    main()
