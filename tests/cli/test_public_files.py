"""One command reads each public file once: fingerprint, rules and scoring share the reading."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from harness.benchmark import Benchmark
from harness.formats.conversion import abstention
from harness.submission import STARTER, write
from tests.baselines.conftest import imported

COUNTING = """
import sys
from collections import Counter
opens = Counter()
sys.addaudithook(lambda event, what: event == "open" and opens.update([str(what[0])]))
from harness.cli import main
sys.argv[0] = "ivcr"
try:
    main()
finally:
    for name, count in opens.items():
        print(count, name, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    return imported(tmp_path_factory.mktemp("public")).folder


def submission(folder, benchmark):
    write(folder, STARTER, map(abstention, Benchmark(benchmark).split().turns))
    return folder


def opens(benchmark, *arguments):
    """How often a command opens each public file of the benchmark."""
    run = subprocess.run(
        [sys.executable, "-c", COUNTING, *map(str, arguments), "--benchmark", str(benchmark)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    rows = [row.partition(" ") for row in run.stderr.splitlines() if row[:1].isdigit()]
    counts = Counter()
    for count, _, name in rows:
        if Path(name).is_relative_to(benchmark):
            counts[Path(name).relative_to(benchmark).as_posix()] += int(count)
    return {name: counts[name] for name in EVERY}


EVERY = dict.fromkeys(
    ["benchmark.json", "videos.jsonl", "test/turns.jsonl", "test/candidates.jsonl",
     "test/corpus.txt"],
    1,
)  # fmt: skip


def test_score_reads_each_public_file_once(benchmark, tmp_path):
    sub = submission(tmp_path / "sub", benchmark)
    assert opens(benchmark, "score", sub) == EVERY


@pytest.mark.parametrize("command", ["compare", "items"])
def test_several_submissions_share_one_reading(command, benchmark, tmp_path):
    subs = [submission(tmp_path / name, benchmark) for name in "ab"]
    assert opens(benchmark, command, *subs) == EVERY


@pytest.mark.parametrize("command", ["score", "validate", "compare"])
@pytest.mark.parametrize("file", [name for name in EVERY if name != "benchmark.json"])
def test_a_public_file_that_changed_since_the_import_is_refused(
    file, command, benchmark, ivcr, tmp_path
):
    folder = shutil.copytree(benchmark, tmp_path / "benchmark")
    subs = [submission(tmp_path / name, benchmark) for name in "ab"]
    lines = (folder / file).read_text("utf-8").splitlines(keepends=True)
    (folder / file).write_text("".join(lines[:-1]), "utf-8")
    which = subs if command == "compare" else subs[:1]
    code, out, err = ivcr(command, *which, "--benchmark", folder)
    assert (code, out) == (3, "")
    assert "changed since the import" in err
