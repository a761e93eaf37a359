"""Plants bugs that would falsify figures, and checks whether the tests notice.

    python -m tests.mutants [FILES]

FILES: only bugs of files whose names start with one of these words.

Each bug is one exact replacement in a scratch copy of the tree; the tests named with it must then
fail. Exits with 1 if a bug goes unnoticed, and stops at once if a replacement no longer matches its
file or the tests fail before anything is planted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.mutants.board import BOARD
from tests.mutants.chat import CHAT
from tests.mutants.features import FEATURES
from tests.mutants.interllava import INTERLLAVA
from tests.mutants.intervals import INTERVALS
from tests.mutants.models import MODELS
from tests.mutants.running import RUNNING
from tests.mutants.scoring import SCORING
from tests.mutants.training import TRAINING
from tests.mutants.validation import VALIDATION
from tests.mutants.writing import WRITING

ROWS = (SCORING, BOARD, CHAT, FEATURES, INTERLLAVA, INTERVALS, MODELS, RUNNING, TRAINING,
        VALIDATION, WRITING)  # fmt: skip
REPOSITORY = Path(__file__).resolve().parents[2]
COPIED = ("harness", "baselines", "leaderboard", "submissions", "docs", "tests", "pyproject.toml")
FAILED, PASSED = 1, 0  # exit codes of pytest; others mean that it could not run the tests
ARGUMENTS = (
    *("-x", "-q", "--tb=line", "-p", "no:cacheprovider"),
    *("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"),
)
LIMIT = 600  # seconds a run


class Mutant(NamedTuple):
    """A bug: `old`, which stands exactly once in `file`, becomes `new`; `tests` should fail."""

    bug: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (*(Mutant(*row) for rows in ROWS for row in rows),)


class Verdict(NamedTuple):
    """What became of a bug: the test that caught it, or why none did."""

    mutant: Mutant
    caught: bool
    what: str
    seconds: float


def planted(mutant: Mutant, text: str) -> str:
    """The file's text with the bug. Raises SystemExit if the place is not found exactly once."""
    if (found := text.count(mutant.old)) != 1:
        raise SystemExit(
            f"{mutant.file}: expected {mutant.old!r} once, found it {found} times; the code has "
            f"moved on: bring the mutant {mutant.bug!r} up to date in tests/mutants"
        )
    return text.replace(mutant.old, mutant.new)


def copied(scratch: Path) -> Path:
    """A copy of the tree under `scratch`."""
    tree = scratch / "tree"
    tree.mkdir()
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
            shutil.copytree(source, tree / name, ignore=ignored)
        else:
            shutil.copy(source, tree / name)
    return tree


class Tests:
    """Runs tests of the copy, each time in a fresh fork; used as a context manager."""

    def __init__(self, tree: Path) -> None:
        self.tree, self.output = tree, tree.parent / "output"

    def __enter__(self) -> Tests:
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(self.tree / "tests/mutants/prepared.py")],
            cwd=self.tree,
            env=surroundings(self.tree),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def run(self, tests: tuple[str, ...]) -> tuple[int, str]:
        """Run up to the first failure: pytest's exit code and output."""
        self.output.unlink(missing_ok=True)
        order = [[*ARGUMENTS, *tests], str(self.output), LIMIT]
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline()), self.output.read_text("utf-8", "replace")


def surroundings(tree: Path) -> dict[str, str]:
    """The environment of a process that imports the copy. Bytecode is kept: see `written`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}  # as in tests/conftest.py
    return {**threads, **kept, "PYTHONPATH": str(tree)}


def written(path: Path, text: str) -> None:
    """Write a module. Its bytecode would be taken for the new text's at equal size and second."""
    path.write_text(text, "utf-8")
    for cached in path.parent.glob(f"__pycache__/{path.stem}.*"):
        cached.unlink()


def verdicts(tree: Path, mutants: Iterable[Mutant]) -> Iterator[Verdict]:
    """Plant each bug in turn, run its tests, and take it out again."""
    with Tests(tree) as tests:
        for mutant in mutants:
            path, began = tree / mutant.file, time.perf_counter()
            sound = path.read_text("utf-8")
            written(path, planted(mutant, sound))
            try:
                code, output = tests.run(mutant.tests)
            finally:
                written(path, sound)
            first = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
            what = first.group(1) if first else f"pytest ended with {code}"
            yield Verdict(mutant, code == FAILED, what, time.perf_counter() - began)


def check_copy(tree: Path, mutants: Iterable[Mutant]) -> None:
    """Raise SystemExit unless the copy is what is tested, and its tests pass as it stands."""
    where = subprocess.run(
        [sys.executable, "-c", "import harness; print(harness.__file__)"],
        cwd=tree,
        env=surroundings(tree),
        capture_output=True,
        text=True,
        check=True,
    )
    if not Path(where.stdout.strip()).is_relative_to(tree):
        raise SystemExit(f"expected the copy to be imported, found {where.stdout.strip()}")
    tests = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    with Tests(tree) as sound:
        code, output = sound.run(tests)
    if code != PASSED:
        raise SystemExit(f"the tests fail before a bug is planted:\n{output[-3000:]}")


def main() -> int:
    """Print the table; 1 if a bug went unnoticed."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = copied(Path(scratch))
        words = tuple(sys.argv[1:]) or ("",)
        mutants = [mutant for mutant in MUTANTS if mutant.file.startswith(words)]
        for mutant in mutants:
            planted(mutant, (tree / mutant.file).read_text("utf-8"))
        check_copy(tree, mutants)
        missed = 0
        print("| bug | planted in | noticed by | s |\n|---|---|---|---|")
        for verdict in verdicts(tree, mutants):
            missed += not verdict.caught
            what = verdict.what if verdict.caught else f"**nobody**: {verdict.what}"
            bug, file = verdict.mutant.bug, verdict.mutant.file
            print(f"| {bug} | {file} | {what} | {verdict.seconds:.0f} |", flush=True)
    print(f"{len(mutants) - missed} of {len(mutants)} noticed")
    return 1 if missed else 0
