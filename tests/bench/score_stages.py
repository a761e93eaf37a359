"""Where the time of `ivcr score` goes: stage by stage in one process, and the whole process.

    python tests/bench/score_stages.py [BENCHMARK SUBMISSION]

Without arguments the test and val dialogues of the real text beside the project are imported as one
split of 15,048 turns, and BM25 answers it: a hundred videos a turn, no response. Seconds of
processor time, so that neighbours count less; the median of RUNS.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from harness.benchmark import Benchmark
from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.scoring import design_of, figures, score, write_outcomes, write_scores
from harness.validation import check

IVCR = [sys.executable, "-c", "from harness.cli import main; main()"]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
RUNS = 5


def made(folder: Path) -> tuple[Path, Path]:
    """A benchmark of two splits in one, and BM25's submission on it."""
    dialogues = []
    for part in ("test", "val"):
        with gzip.open(DATA / f"charades-ivcr.{part}.json.gz") as stream:
            dialogues += [dialogue | {"split": "test"} for dialogue in json.load(stream)]
    source, out, run = folder / "both.json", folder / "benchmark", folder / "run"
    source.write_text(json.dumps(dialogues), "utf-8")
    videos = str(DATA / "charades-ivcr.test.videos.json.gz")
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    imports = ["data", "import", str(source), "--videos", videos, "--out", str(out)]
    subprocess.run([*IVCR, *imports], **quiet)
    answers = ["baseline", "run", "bm25", "--benchmark", str(out), "--history", "none"]
    subprocess.run([*IVCR, *answers, "--out", str(run)], **quiet)
    return out, run


def stages(folder: Path, run: Path, out: Path) -> dict[str, float]:
    """Seconds of each stage, in the order of harness.scoring.score and what follows it."""
    seconds: dict[str, float] = {}

    def timed(name: str, stage: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = stage()
        seconds[name] = time.process_time() - start
        return result

    benchmark = Benchmark(folder)
    timed("fingerprint", benchmark.checked)
    checked = timed("validate", lambda: check(run, benchmark))
    split = timed("read turns, candidates, corpus", benchmark.split)
    gold = timed("read gold", benchmark.gold)
    sources = timed("read videos", lambda: {n: v.source for n, v in benchmark.videos.items()})
    found = timed("outcomes", lambda: outcomes(split, gold, checked.predictions, sources))
    design = timed("design", lambda: design_of(found.frame))
    columns = timed("columns", lambda: {n: m.column(found) for n, m in METRICS.items()})
    timed("figures", lambda: figures(found.frame, columns, design, hidden=False))
    scored = score(run, benchmark)
    timed("write scores", lambda: write_scores(scored, out / "scores.json"))
    timed("write outcomes", lambda: write_outcomes(scored, out / "scores.outcomes.npz"))
    return seconds


def process(command: list[str]) -> float:
    """Processor seconds of one process, start included."""
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=-3, stderr=-3)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, *command], check=True, capture_output=True, text=True
    )
    return float(run.stdout)


def main() -> None:
    """Print the stages, the imports and the whole."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        folder, run = map(Path, sys.argv[1:]) if len(sys.argv) == 3 else made(out)
        rows = [stages(folder, run, out) for _ in range(RUNS)]
        imports = [sys.executable, "-c", "import harness.cli.scoring, harness.scoring"]
        whole = [*IVCR, "score", str(run), "--benchmark", str(folder), "--out", str(out / "s.json")]
        for stage in rows[0]:
            print(f"{stage:<32} {np.median([row[stage] for row in rows]):6.2f} s")
        for title, command in (("imports", imports), ("ivcr score, whole process", whole)):
            print(f"{title:<32} {np.median([process(command) for _ in range(RUNS)]):6.2f} s")


if __name__ == "__main__":
    main()
