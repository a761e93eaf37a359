"""All checks, side by side: none can hold up or end another."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.doctor.codecs import GROUP as VIDEO
from harness.doctor.codecs import codecs, ffprobe
from harness.doctor.machine import GROUP as MACHINE
from harness.doctor.machine import browser, cache_folder, cores, disk, gpu, memory
from harness.doctor.results import Check, EnvironmentCheck, guarded
from harness.doctor.software import EXTRAS, extras, versions
from harness.doctor.software import GROUP as VERSIONS


class Diagnosis(NamedTuple):
    """The results of all checks, in order."""

    results: tuple[EnvironmentCheck, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything is there that every command needs."""
        return not any(result.is_fault for result in self.results)

    def document(self) -> dict[str, Any]:
        """The diagnosis as a document for programs."""
        rows = [msgspec.to_builtins(result) for result in self.results]
        return {"schema": 1, "complete": self.is_complete, "checks": rows}

    def lines(self) -> list[str]:
        """The diagnosis as a table for people, a group after the other."""
        width = max(len(result.name) for result in self.results)
        lines: list[str] = []
        group = None
        for result in self.results:
            if result.group != group:
                lines += ["", result.group] if lines else [result.group]
                group = result.group
            lines.append(f"  {result.state:<6}  {result.name:<{width}}  {result.found}")
            if result.step:
                lines.append(f"  {'':<6}  {'':<{width}}  -> {result.step}")
        return lines


def checks(cache: Path) -> list[tuple[str, Check]]:
    """Every check with the group that its results stand in."""
    return [
        (VERSIONS, versions),
        (EXTRAS, extras),
        (VIDEO, codecs),
        (VIDEO, ffprobe),
        (MACHINE, partial(cache_folder, cache)),
        (MACHINE, partial(disk, cache)),
        (MACHINE, memory),
        (MACHINE, cores),
        (MACHINE, gpu),
        (MACHINE, browser),
    ]


def diagnose(cache: Path, chosen: Sequence[tuple[str, Check]] | None = None) -> Diagnosis:
    """Run the checks (by default all) and gather their results.

    `cache`: the folder for features. A check that fails is a result of its own.
    """
    wanted = checks(cache) if chosen is None else chosen
    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        found = pool.map(lambda each: guarded(*each), wanted)
    return Diagnosis(tuple(result for results in found for result in results))
