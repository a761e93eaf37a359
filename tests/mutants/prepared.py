"""A process with the slow libraries in memory, which forks for each run of pytest.

    python -P tests/mutants/prepared.py

In: one line of JSON a run, [arguments of pytest, the file for its output, seconds allowed].
Out: one line a run, the exit code, negative for a signal. Nothing of the tree is imported before
the fork, so that a run sees the tree as it lies there then.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import traceback

# Those that take more than half a second to import. One that is absent is not needed.
LIBRARIES = (
    "pandas",
    "scipy.stats",
    "jsonschema",
    "torch",
    "torchmetrics",
    "pytorch_lightning",
    "transformers",
    "sentence_transformers",
    "openai",
)
OURS = ("harness", "baselines", "leaderboard", "tests")


def forked(arguments: list[str], output: str, seconds: float) -> int:
    """The exit code of pytest in a fork; it is killed when the seconds are over."""
    child = os.fork()
    if child == 0:
        run(arguments, output)
    until = time.monotonic() + seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            ended = os.waitpid(child, 0)
            break
        time.sleep(0.02)
    return os.waitstatus_to_exitcode(ended[1])


def run(arguments: list[str], output: str) -> None:
    """Become a run of pytest that reads nothing and writes to the file; never returns."""
    code = 3
    try:
        for number, file in enumerate((os.devnull, output, output)):
            os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND), number)
        import pytest

        code = int(pytest.main(arguments))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Import, then serve until standard input ends."""
    for library in LIBRARIES:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(library)
    early = [name for name in sys.modules if name.partition(".")[0] in OURS]
    assert not early, f"imported before the fork: {early}"
    for line in sys.stdin:
        print(forked(*json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
