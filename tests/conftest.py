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
