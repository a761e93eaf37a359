"""A first build of many submissions: every one is scored; killed half way, it goes on.

    python -m tests.bench.first_build BENCHMARK [1000]

The runs are random rankings and spans for every turn of the benchmark's test split. Prints seconds
of a build that nobody disturbs, how many results a build kept that was killed after half of that
time, seconds of the build that goes on, whether both sites have the same bytes, and an incremental
build after one submission changed. `bare` is the scoring of one run alone, in one process.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness.benchmark import Benchmark
from harness.records import Card, Moment, Prediction
from harness.scoring import SplitScorer
from harness.submission import write
from tests.leaderboard.site.test_builder import tree


def put(folder, split, spans, seed):
    """A run of random answers."""
    draw, corpus = random.Random(seed), list(split.corpus)
    given = []
    for turn in split.turns:
        videos = tuple(draw.sample(corpus, 20)) if turn.task == "video" else None
        moments = None
        if turn.task == "moment":
            moments = tuple(
                Moment(name, start := draw.randrange(spans[name] - 1000), start + 1000)
                for name in draw.sample(corpus, 5)
            )
        response = "" if turn.task == "chat" else None
        given.append(Prediction(*turn.key, videos=videos, moments=moments, response=response))
    folder.parent.mkdir(parents=True, exist_ok=True)
    write(folder, Card(1, folder.parent.name, f"system {seed}", "none", "unused"), given)


def command(submissions, benchmark, out):
    code = "from harness.cli import main; main()"
    where = ["--benchmark", str(benchmark), "--out", str(out)]
    return [sys.executable, "-c", code, "leaderboard", "build", str(submissions), *where]


def build(*where):
    start = time.perf_counter()
    subprocess.run(command(*where), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def killed(seconds, *where):
    """A build that is killed after so many seconds, with all its processes."""
    process = subprocess.Popen(command(*where), start_new_session=True, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main(benchmark, number):
    source = Benchmark(benchmark)
    spans = {name: video.duration or 10_000 for name, video in source.videos.items()}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        submissions = root / "submissions"
        for n in range(number):
            put(submissions / f"team-{n // 10}" / f"run-{n}", source.split(), spans, n)
        scorer = SplitScorer(source)
        scorer.score(submissions / "team-0" / "run-0")
        start = time.perf_counter()
        scorer.score(submissions / "team-0" / "run-0")
        bare = time.perf_counter() - start
        load, cores = os.getloadavg()[0], os.cpu_count()
        turns = len(source.split().turns)
        print(f"{number} runs of {turns:,} turns, load {load:.1f}; bare {bare:.2f} s")
        whole = build(submissions, benchmark, root / "site")
        share = whole / (number * bare)
        print(f"first build        {whole:7.1f} s: {share:.2f} of bare, {cores} cores")
        shutil.move(root / "site", root / "undisturbed")
        shutil.rmtree(root / "site.results")
        (root / ".site.ledger.json").unlink()
        killed(whole / 2, submissions, benchmark, root / "site")
        kept = len(list((root / "site.results").glob("??/*/result.json")))
        again = build(submissions, benchmark, root / "site")
        same = tree(root / "site") == tree(root / "undisturbed")
        print(
            f"killed at {whole / 2:.0f} s: {kept} results kept; goes on in {again:.1f} s, "
            f"same bytes: {same}"
        )
        shutil.rmtree(submissions / "team-0" / "run-0")
        put(submissions / "team-0" / "run-0", source.split(), spans, number)
        print(f"one changed        {build(submissions, benchmark, root / 'site'):7.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
