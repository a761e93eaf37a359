"""The processes of a run: each is started once with its own rank, and none outlives the first."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# Every process leaves a file with its environment; the first one then does what the test asks.
SCRIPT = """
import os, sys, time
from pathlib import Path
from types import SimpleNamespace
from baselines.training import processes

processes.GRACE = 0.2
environment = SimpleNamespace(
    creates_processes_externally="LOCAL_RANK" in os.environ,
    main_address="127.0.0.1", main_port=4321, node_rank=lambda: 0,
)
for stage in range(2):
    processes.start_others(environment, 3, 2)
    environment.creates_processes_externally = True
names = ("LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
line = " ".join(os.environ[name] for name in names)
part = Path(f"{os.getpid()}.part")
part.write_text(f"{line} {processes.is_main_process()}")
part.rename(Path(sys.argv[1], part.stem))  # seen by the others when it is complete
while len(list(Path(sys.argv[1]).iterdir())) < 3:
    time.sleep(0.01)
if not processes.is_main_process():
    time.sleep(600 if sys.argv[2] == "end" else 0.1)
    sys.exit(1)
if sys.argv[2] == "end":
    processes.end_others()
time.sleep(1 if sys.argv[2] == "end" else 60)
"""


@pytest.fixture
def run(tmp_path):
    """Run the script: its exit code, and what each process wrote, by process id."""

    def start(do):
        script, out = tmp_path / "script.py", tmp_path / "out"
        script.write_text(SCRIPT)
        out.mkdir()
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_RANK")}
        ended = subprocess.run(
            [sys.executable, script, out, do],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(ROOT)},
        )
        return ended.returncode, {int(path.name): path.read_text() for path in out.iterdir()}

    return start


def alive(pid):
    return Path(f"/proc/{pid}").exists()


def test_each_process_is_started_once_and_ended_with_the_first_one(run):
    code, found = run("end")
    assert sorted(found.values()) == [
        "0 0 6 127.0.0.1 4321 True",
        "1 0 6 127.0.0.1 4321 False",
        "2 0 6 127.0.0.1 4321 False",
    ]
    # The first process goes on after it has ended the others.
    assert code == 0
    assert not any(alive(pid) for pid in found)


def test_a_process_that_fails_ends_the_first_one_too(run):
    code, _ = run("fail")
    assert code == -signal.SIGKILL
