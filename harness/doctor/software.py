"""Versions of the project and of Python, and which extras are complete."""

from __future__ import annotations

import json
import platform
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement

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
    "serve": "ivcr serve, exams over HTTP",
    "real": "ivcr weights unpack, trained weights in packages",
    "demo": "ivcr demo",
    "dev": "the project's tests",
}


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
        names = metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or ()
        wanted = requirements(metadata.requires(DISTRIBUTION) or (), names)
    except metadata.PackageNotFoundError:
        step = "run `pip install --editable .` in the project's folder"
        found = "the project is not installed, so what it wants is not known"
        return [EnvironmentCheck(EXTRAS, "packages", "absent", found, step)]
    return [_of_extra(extra or None, needs) for extra, needs in wanted.items()]


def requirements(lines: Sequence[str], names: Sequence[str]) -> dict[str, list[Requirement]]:
    """The requirements in a package's metadata that this Python has, by extra ("": of all).

    `names`: those of the extras.
    """
    found: dict[str, list[Requirement]] = defaultdict(list)
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            found[""].append(requirement)
        else:
            for name in names:
                if marker.evaluate({"extra": name}):
                    found[name].append(requirement)
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
    fits = need.specifier.contains(version, prereleases=True)
    return None if fits else f"{need.name}{need.specifier} (is {version})"


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
