"""Commands in forked processes: killed at any of their steps, or on a disk of their own."""

import ctypes
import io
import os
import pickle
import resource
import signal
import subprocess
import sys
import traceback
from pathlib import Path

from harness.cli import main
from harness.replacement.parts import make_file, make_folder, open_place

NEW_MOUNTS = 0x20000  # CLONE_NEWNS of <sched.h>
# Audit events of Python that go before a change of the disk.
CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.truncate",
           "ctypes.dlsym", "shutil.rmtree", "os.utime"}  # fmt: skip


def forked(function):
    """What a function returns in a process of its own; the number of the signal that killed it."""
    end, start = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(end)
        try:
            data = pickle.dumps(function())
        except BaseException:
            data = pickle.dumps(traceback.format_exc())
        with os.fdopen(start, "wb") as stream:
            stream.write(data)
        os._exit(0)
    os.close(start)
    with os.fdopen(end, "rb") as stream:
        data = stream.read()
    status = os.waitpid(pid, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else pickle.loads(data)


def command(*arguments, before=lambda: None, stdout=None):
    """Run a command in a process of its own: code, output and errors, or the signal's number."""

    def run():
        out, err = (io.TextIOWrapper(io.BytesIO()) for _ in range(2))
        sys.stdout, sys.stderr = out, err
        if stdout:
            sys.stdout = io.TextIOWrapper(io.FileIO(stdout, "w"))
        sys.argv = ["ivcr", *map(str, arguments)]
        before()
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            code = traceback.format_exc()
        return code, *map(text, (out, err))

    return forked(run)


def text(stream):
    stream.flush()
    return stream.buffer.getvalue().decode()


def killed_at(step, folder):
    """For `before` of a command: kill it before its so-manieth change of the disk."""
    steps, root = 0, str(folder)

    def hook(event, arguments):
        nonlocal steps
        if event in CHANGES and (event == "ctypes.dlsym" or changes(event, arguments, root)):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(hook)


def changes(event, arguments, root):
    """Whether it is about something in the folder, or about a name in an open folder."""
    if event == "open" and not (arguments[2] & (os.O_WRONLY | os.O_RDWR)):
        return False
    name = arguments[0]
    return isinstance(name, str | bytes | os.PathLike) and (
        os.fsdecode(name).startswith((root, ".ivcr-"))
    )


def small_files():
    """For `before` of a command: no file of more than ten bytes can be written."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))


def own_disk(folder, *options):
    """Mount a small disk at `folder`, for this process alone; why not, if it cannot be done."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS):
        return os.strerror(ctypes.get_errno())
    for how in (
        ["--make-rprivate", "/"],
        ["-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder],
    ):
        made = subprocess.run(["mount", *how], capture_output=True, text=True)
        if made.returncode:
            return made.stderr
    return ""


def fill(folder):
    """Leave no byte of a disk free."""
    with (folder / "rest").open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)):
                pass
        except OSError:
            pass


def tree(folder):
    """By path what a folder holds: the bytes of files, what links name."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.is_dir()
        for path in sorted(Path(folder).rglob("*"))
    }


def left_by_a_killed_process(folder):
    """Leave a half written file and folder in `folder`, as a killed process does."""

    def make():
        place = open_place(folder)
        make_file(place)
        make_folder(place)
        os.kill(os.getpid(), signal.SIGKILL)

    assert forked(make) == signal.SIGKILL
