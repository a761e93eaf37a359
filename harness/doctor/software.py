"""Versions of the project and of Python, and which extras are complete."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from harness.checkout import code_state
from harness.doctor.results import EnvironmentCheck
from harness.version import __version__

GROUP, EXTRAS = "versions", "extras"
DISTRIBUTION = "ivcr-harness"
OLDEST = (3, 11)
WANTED_FOR = {
    "baselines": "baselines on frames and texts, assistants, training",
    "attest": "ivcr attest",
    "features": "ivcr features import of HDF5 files",
    "demo": "ivcr demo",
    "dev": "the project's tests",
}
# `torch==2.13.0; extra == "demo"`: name, bounds, marker.
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*\(?([^;()]*)\)?\s*(?:;(.*))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_BELOW = re.compile(r"python_version\s*<\s*['\"](\d+)\.(\d+)['\"]")
_BOUND = re.compile(r"\s*(>=|<=|==|!=|<|>)\s*(\d+(?:\.\d+)*)\s*")


class Requirement(NamedTuple):
    """A package that the project or one of its extras wants, with bounds such as `>=1,<2`."""

    name: str
    bounds: str
    extra: str | None


def versions() -> list[EnvironmentCheck]:
    """The project's version and commit, Python, platform."""
    state = code_state()
    commit = "no checkout: an installed package" if state.commit is None else state.commit[:12]
    if state.changed:
        commit += ", with changes"
    is_new_enough = sys.version_info[:2] >= OLDEST
    return [
        EnvironmentCheck(GROUP, "ivcr", "ok", __version__),
        EnvironmentCheck(GROUP, "commit", "ok", commit),
        EnvironmentCheck(
            GROUP, "Python", "ok" if is_new_enough else "broken",
            f"{platform.python_version()} ({platform.python_implementation()})",
            None if is_new_enough else f"use Python {OLDEST[0]}.{OLDEST[1]} or newer",
            needed=True,
        ),
        EnvironmentCheck(GROUP, "platform", "ok", platform.platform()),
    ]  # fmt: skip


def extras() -> list[EnvironmentCheck]:
    """Whether the packages are there that the project needs, and those of each extra."""
    try:
        wanted = requirements(metadata.requires(DISTRIBUTION) or ())
    except metadata.PackageNotFoundError:
        step = "run `pip install --editable .` in the project's folder"
        found = "the project is not installed, so what it wants is not known"
        return [EnvironmentCheck(EXTRAS, "packages", "absent", found, step)]
    by_extra: dict[str | None, list[Requirement]] = defaultdict(list)
    for each in wanted:
        by_extra[each.extra].append(each)
    return [_of_extra(extra, needs) for extra, needs in by_extra.items()]


def requirements(lines: Sequence[str]) -> list[Requirement]:
    """The requirements in a package's metadata that this Python has."""
    found = []
    for line in lines:
        if not (parts := _REQUIREMENT.fullmatch(line)):
            continue
        marker = parts[3] or ""
        below = _BELOW.search(marker)
        if below and sys.version_info[:2] >= (int(below[1]), int(below[2])):
            continue
        extra = _EXTRA.search(marker)
        found.append(Requirement(parts[1], parts[2].strip(), extra[1] if extra else None))
    return found


def _of_extra(extra: str | None, needs: Sequence[Requirement]) -> EnvironmentCheck:
    name = extra or "needed by all"
    faults = [fault for fault in map(_fault, needs) if fault]
    use = f" ({WANTED_FOR[extra]})" if extra in WANTED_FOR else ""
    if not faults:
        return EnvironmentCheck(
            EXTRAS, name, "ok", f"complete, {len(needs)} packages{use}", needed=extra is None
        )
    return EnvironmentCheck(
        EXTRAS, name, "absent" if extra else "broken", f"lacks {', '.join(faults)}{use}",
        install_command(extra), needed=extra is None,
    )  # fmt: skip


def _fault(need: Requirement) -> str | None:
    """What is wrong with a package, if something is."""
    try:
        version = metadata.version(need.name)
    except metadata.PackageNotFoundError:
        return need.name
    return None if meets(version, need.bounds) else f"{need.name}{need.bounds} (is {version})"


def meets(version: str, bounds: str) -> bool:
    """Whether a version's numbers are within bounds such as `>=1.2,<2`; other signs pass."""
    own = _numbers(version)
    for sign, bound in _BOUND.findall(bounds):
        other = _numbers(bound)
        size = max(len(own), len(other))
        left, right = (each + (0,) * (size - len(each)) for each in (own, other))
        fits = {
            ">=": left >= right, "<=": left <= right, "==": left == right,
            "!=": left != right, "<": left < right, ">": left > right,
        }  # fmt: skip
        if not fits[sign]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def install_command(extra: str | None) -> str:
    """The pip command that completes an extra, for how the project is installed here."""
    wanted = f"[{extra}]" if extra else ""
    if (folder := _editable()) is None:
        return f"pip install '{DISTRIBUTION}{wanted}'"
    lock = folder / "constraints.txt"
    locked = f"--constraint '{lock}' " if lock.is_file() else ""
    return f"pip install {locked}--editable '{folder}{wanted}'"


def _editable() -> Path | None:
    """The folder that the project is installed from in place, as PEP 610 records it."""
    try:
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
        record = json.loads(text or "{}")
        if record.get("dir_info", {}).get("editable"):
            return Path(unquote(urlsplit(record["url"]).path))
    except (metadata.PackageNotFoundError, ValueError, KeyError):
        pass
    return None
