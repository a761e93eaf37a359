"""What several test folders share."""

import os
import signal
import sys
from pathlib import Path

import hypothesis
import pytest

from harness.cli import main

# The machines are shared: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# Before torch is loaded, here or in a process of a test: the workers share the cores, and a thread
# that waits for one that has none to run on makes a step take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

WAIT = 300  # seconds that a test waits for a process or a file, on a busy machine too

REPOSITORY = Path(__file__).resolve().parents[1]

# Files whose tests are few and take long, the longest first. They start first: a process that began
# one of them last would go on alone.
LONG_FILES = (
    "tests/test_mutants.py",
    "tests/cli/test_demo.py",
    "tests/rehearsal/test_rehearsal.py",
    "tests/cli/test_training.py",
    "tests/cli/test_disk.py",
    "tests/test_extending_page.py",
    "tests/cli/test_baseline.py",
    "tests/leaderboard/site/test_browser.py",
    "tests/baselines/interllava/test_training.py",
    "tests/baselines/running/test_runner.py",
    "tests/cli/test_pages.py",
    "tests/baselines/training/test_fit.py",
    "tests/baselines/assistants/test_local_mllm.py",
    "tests/baselines/provenance/test_libraries.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """LONG_FILES first; the order within a file stays."""
    order = {REPOSITORY / file: place for place, file in enumerate(LONG_FILES)}
    assert all(map(Path.is_file, order)), "LONG_FILES names a file that is not there"
    items.sort(key=lambda item: order.get(item.path, len(order)))


def heed_signals() -> None:
    """For `preexec_fn`: a process that heeds SIGINT, though its parent's shell ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real text beside the project; tests that need it skip where it is absent."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("needs ../shared (real text in the official format), which is not here")
    return folder


@pytest.fixture
def ivcr(monkeypatch, capsys):
    """Run a command: its exit code, standard output and standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["ivcr", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run
