"""Whatever is killed, and by how many processes it is answered: the same bytes in the end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.benchmark import Benchmark
from tests.baselines.conftest import COOK, ask, dialogue, imported, talk
from tests.replacement.kills import left_by_a_killed_process

ROOT = Path(__file__).resolve().parents[3]
FILES = ("card.toml", "predictions.jsonl.zst", "run.json")

# A run in batches of two turns. KILL=<process>:<batches> kills that process (1: the first) after
# so many batches answered, as `kill -9` would.
SCRIPT = """
import multiprocessing, os, signal, sys
import baselines.running.runner
from baselines.running.journal import Journal
from harness.cli import main

baselines.running.runner.BATCH = 2
process, batches = map(int, os.environ.get("KILL", "0:0").split(":"))
keep = Journal.add

def kept(self, batch, usage):
    global batches
    keep(self, batch, usage)
    if self._path.name.startswith(f"{process}-of-"):
        batches -= 1
        if not batches:
            with self._path.open("ab") as stream:
                stream.write(b'[{"dialogue_id":"half a li')
            os.kill(os.getpid(), signal.SIGKILL)

Journal.add = kept
if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """Fifteen dialogues of one to five turns."""
    samples = [
        dialogue(*(
            talk(f"hello {n}", "hi") if turn == 2 else ask(f"a man cooks {n} {turn}", COOK)
            for turn in range(1 + n % 5)
        ))
        for n in range(15)
    ]  # fmt: skip
    return imported(tmp_path_factory.mktemp("benchmark"), samples)


@pytest.fixture
def run(tmp_path, benchmark):
    """Run `random` (whose answers differ from turn to turn) in a process of its own."""
    script = tmp_path / "ivcr.py"
    script.write_text(SCRIPT)

    def command(out, *more, kill="0:0", name="random"):
        what = ["baseline", "run", name, "--benchmark", benchmark.folder, "--history", "own"]
        return subprocess.run(
            [sys.executable, script, *what, "--out", out, "--seed", "7", *map(str, more)],
            capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "KILL": kill},
        )  # fmt: skip

    return command


@pytest.fixture
def whole(run, tmp_path):
    """The submission of a run that nobody killed."""
    made = run(tmp_path / "whole")
    assert (made.returncode, made.stderr) == (0, "")
    return tmp_path / "whole"


def same(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in FILES)


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_bytes(run, whole, tmp_path):
    out = tmp_path / "cut"
    for batches in (1, 3, 6):
        made = run(out, kill=f"1:{batches}")
        assert made.returncode == -signal.SIGKILL
        assert not out.exists()
    out.mkdir()
    left_by_a_killed_process(out)
    made = run(out)
    assert (made.returncode, made.stderr) == (0, "")
    assert same(out, whole)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["cut", "whole"]
    assert sorted(path.name for path in out.iterdir()) == sorted((*FILES, "environment.json"))


@pytest.mark.slow
def test_two_processes_lose_and_repeat_no_turn_whichever_is_killed(run, whole, benchmark, tmp_path):
    out = tmp_path / "two"
    assert run(out, "--processes", 2, kill="1:2").returncode == -signal.SIGKILL
    made = unhindered(run, out, "--processes", 2, kill="2:1")
    assert made.returncode == 3
    assert "process 2 of 2 ended with -9" in made.stderr
    made = run(out, "--processes", 2)
    assert (made.returncode, made.stderr) == (0, "")
    assert same(out, whole)


def unhindered(run, *arguments, **how):
    """Run as soon as the process that a killed one left has ended too."""
    for _ in range(20):
        made = run(*arguments, **how)
        if "another process is writing it" not in made.stderr:
            return made
        time.sleep(0.2)
    raise AssertionError("the other process did not end")


@pytest.mark.slow
def test_shards_answered_apart_are_put_together(run, whole, tmp_path):
    out = tmp_path / "sharded"
    for shard in ("2/3", "1/3", "3/3"):
        made = run(out, "--shard", shard)
        assert (made.returncode, made.stdout) == (0, f"{out}.run\n")
    assert not out.exists()
    made = run(out, "--processes", 3, kill="1:1")
    assert (made.returncode, made.stderr) == (0, ""), "nothing was left to answer"
    assert same(out, whole)


@pytest.mark.slow
def test_another_plan_does_not_take_over_what_was_answered(run, tmp_path):
    out = tmp_path / "cut"
    run(out, kill="1:2")
    made = run(out, name="bm25")
    assert (made.returncode, len(made.stderr.splitlines())) == (2, 1)
    assert "answers of another run" in made.stderr


def test_the_toy_has_dialogues_for_every_process(benchmark):
    lengths = [len(turns) for turns in Benchmark(benchmark.folder).split().dialogues().values()]
    assert lengths == [1, 2, 3, 4, 5] * 3
