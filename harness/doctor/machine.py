"""The machine: cache folder, disk, memory, cores, threads, GPU, browser."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from harness.doctor.results import EnvironmentCheck, ProbeError, probe
from harness.doctor.software import install_command

GROUP = "machine"
SMALLEST_DISK = 200 << 20  # bytes: IVCR-Mini, runs and a page
MOST_FILES = 50_000  # of a cache that are counted
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LIMITS = Path("/sys/fs/cgroup")
_TORCH = """
import json, time
start = time.perf_counter()
import torch
seconds = time.perf_counter() - start
cuda = torch.cuda.is_available()
print(json.dumps({
    "version": torch.__version__, "seconds": seconds,
    "devices": [[torch.cuda.get_device_name(at), torch.cuda.get_device_properties(at).total_memory]
                for at in range(torch.cuda.device_count())] if cuda else [],
}))
"""


def cache_folder(folder: Path) -> list[EnvironmentCheck]:
    """The folder for features: where, how large, whether it can be written."""
    place = _existing(folder)
    size = _size(folder) if folder.is_dir() else "not made yet"
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        step = "allow writing there, or set IVCR_CACHE to another folder"
        found = f"{folder}: cannot be written: {error.strerror or error}"
        return [EnvironmentCheck(GROUP, "cache", "broken", found, step, needed=True)]
    return [EnvironmentCheck(GROUP, "cache", "ok", f"{folder} ({size})", needed=True)]


def disk(folder: Path) -> list[EnvironmentCheck]:
    """Free bytes where the cache and the current folder lie."""
    results = []
    for name, place in (("disk of the cache", folder), ("disk here", Path.cwd())):
        free = shutil.disk_usage(_existing(place)).free
        enough = free >= SMALLEST_DISK
        results.append(
            EnvironmentCheck(
                GROUP, name, "ok" if enough else "broken", f"{in_bytes(free)} free",
                None if enough else f"make room: {in_bytes(SMALLEST_DISK)} at least", needed=True,
            )
        )  # fmt: skip
    return results


def memory() -> list[EnvironmentCheck]:
    """The machine's memory, or the limit of its container where that is smaller."""
    own = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _limit("memory.max")
    inside = f", limited to {in_bytes(limit)}" if limit and limit < own else ""
    return [EnvironmentCheck(GROUP, "memory", "ok", in_bytes(own) + inside)]


def cores() -> list[EnvironmentCheck]:
    """Cores that this process may use, and the settings of threads."""
    allowed = len(os.sched_getaffinity(0))
    set_ = [f"{name}={os.environ[name]}" for name in THREADS if os.environ.get(name)]
    found = f"{allowed} of {os.cpu_count()}"
    threads = ", ".join(set_) or "not set: libraries take one a core"
    return [
        EnvironmentCheck(GROUP, "cores", "ok", found),
        EnvironmentCheck(GROUP, "threads", "ok", threads),
    ]


def gpu() -> list[EnvironmentCheck]:
    """Torch, how long its import takes, and the devices that it sees."""
    if importlib.util.find_spec("torch") is None:
        absent = "torch is not installed, so no GPU can be used"
        return [EnvironmentCheck(GROUP, "torch", "absent", absent, install_command("baselines"))]
    try:
        found = probe("-c", _TORCH)
    except ProbeError as error:
        step = "reinstall it: " + install_command("baselines")
        return [EnvironmentCheck(GROUP, "torch", "broken", f"cannot be imported: {error}", step)]
    named = [f"{name}, {in_bytes(size)}" for name, size in found["devices"]]
    torch = f"{found['version']}, imported in {found['seconds']:.1f} s"
    seen = "; ".join(named) or "none that torch sees; everything runs on the processor"
    return [
        EnvironmentCheck(GROUP, "torch", "ok", torch),
        EnvironmentCheck(GROUP, "GPU", "ok" if named else "absent", seen),
    ]


def browser() -> list[EnvironmentCheck]:
    """A browser, which tests of pages drive and no command needs."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path:
        return [EnvironmentCheck(GROUP, "browser", "ok", path)]
    step = "install chromium and chromium-driver to run the tests of pages"
    return [EnvironmentCheck(GROUP, "browser", "absent", "none; no command needs one", step)]


def in_bytes(size: float) -> str:
    """A number of bytes for people: 1.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    place = folder.absolute()
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return place


def _size(folder: Path) -> str:
    total = count = 0
    for place, _, files in os.walk(folder):
        for name in files:
            count += 1
            total += (Path(place) / name).lstat().st_size
            if count == MOST_FILES:
                return f"more than {in_bytes(total)} in {count:,} files"
    return f"{in_bytes(total)} in {count:,} files"


def _limit(name: str) -> int | None:
    try:
        text = (_LIMITS / name).read_text().split()[0]
    except (OSError, IndexError):
        return None
    return int(text) if text.isdecimal() else None
