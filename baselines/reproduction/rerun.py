"""Running a recorded run again: with the code at hand, or with that of the commit it names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from baselines.registry import class_of
from baselines.reproduction.recorded_run import RecordedRun, own_baseline
from baselines.running.run import no_progress, run_baseline
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.runner import Progress
from harness.benchmark import Benchmark
from harness.checkout import worktree
from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from harness.files import shown
from harness.files import write as write_file
from harness.replacement import temporary_folder

_IVCR = "from harness.cli import main; main()"
_TAIL = 2000  # characters of an error of the older code


def rerun(
    row: RecordedRun,
    settings: Mapping[str, Any],
    benchmark: Benchmark,
    out: Path,
    *,
    assignments: tuple[str, ...] = (),
    context: RunContext = RunContext(),  # noqa: B008 - immutable
    progress: Progress = no_progress,
) -> None:
    """Answer the row's split again with the code at hand, and write the submission to `out`.

    settings: as SettingsReader gives them. assignments: settings that no answer depends on, such
    as a server's address, as `key=value`. The run computes with the recorded number of threads.
    Raises WrongUsageError where an assignment is of another kind, and what a run raises.
    """
    record = row.record
    entry = own_baseline(record.baseline, "run.json")
    _require_runtime_only(class_of(entry).settings_type.RUNTIME_ONLY, assignments)
    known: dict[str, Any] = {} if record.threads is None else {"threads": record.threads}
    config = RunConfig(
        entry, record.history, assignments, record.benchmark.split, record.seed,
        dict(settings), row.card.variant, **known,
    )  # fmt: skip
    run_baseline(config, benchmark, out, pair=row.card.pair, context=context, progress=progress)


def rerun_at_commit(
    row: RecordedRun,
    settings: Mapping[str, Any],
    benchmark: Benchmark,
    out: Path,
    *,
    assignments: tuple[str, ...] = (),
    cache: Path | None = None,
) -> None:
    """The same with the code of the commit that the row names, from a worktree of this checkout.

    Its libraries are those at hand. Raises SubmissionError if the row names no commit at which its
    code was unchanged, HistoryError if the history at hand lacks it, EnvironmentFailure if the run
    ends with an error.
    """
    record = row.record
    entry = own_baseline(record.baseline, "run.json")
    _require_runtime_only(class_of(entry).settings_type.RUNTIME_ONLY, assignments)
    if record.commit is None or record.changed:
        raise SubmissionError(
            f"{row.folder}: run.json names no commit that holds the code of the run; leave "
            "--at-commit out to run it with the code at hand"
        )
    with worktree(record.commit) as code, temporary_folder() as home:
        config = home / "run.toml"
        write_file(config, toml_config(settings).encode("utf-8"))
        words = [
            "baseline", "run", record.baseline, "--history", record.history, "--config", config,
            "--benchmark", benchmark.folder.resolve(), "--split", record.benchmark.split,
            "--seed", record.seed, "--out", out.resolve(),
            *(("--cache", cache.resolve()) if cache else ()),
            *(word for each in assignments for word in ("--set", each)),
        ]  # fmt: skip
        threads = {} if record.threads is None else {"OMP_NUM_THREADS": str(record.threads)}
        done = subprocess.run(  # noqa: S603 - our own code, of a commit in our own history
            [sys.executable, "-c", _IVCR, *map(str, words)], cwd=code, check=False, text=True,
            env={**os.environ, **threads, "PYTHONPATH": str(code)}, capture_output=True,
        )  # fmt: skip
        if done.returncode:
            raise EnvironmentFailure(
                f"the code of commit {record.commit[:12]} ended with {done.returncode}: "
                f"{shown(done.stderr.strip()[-_TAIL:], _TAIL)[1:-1]}"
            )


def toml_config(settings: Mapping[str, Any]) -> str:
    """Settings as a file for `--config`: members are tables of their own, also in members."""
    return tomli_w.dumps(_tables(settings))


def _tables(settings: Mapping[str, Any]) -> dict[str, Any]:
    members = {name: value for name, value in settings.items() if _are_members(value)}
    plain = {name: value for name, value in settings.items() if name not in members}
    found: dict[str, Any] = {"settings": _without_none(plain)} if plain else {}
    for name, value in members.items():
        several = isinstance(value, tuple)
        found[name] = [_member(each, True) for each in value] if several else _member(value, False)
    return found


def _member(value: Mapping[str, Any], weighted: bool) -> dict[str, Any]:
    weight = {"weight": value["weight"]} if weighted else {}
    return {"baseline": value["baseline"], **weight, **_tables(value["settings"])}


def _are_members(value: Any) -> bool:
    first = next(iter(value), None) if isinstance(value, tuple) else value
    return isinstance(first, Mapping) and "baseline" in first


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _require_runtime_only(names: tuple[str, ...], assignments: tuple[str, ...]) -> None:
    for assignment in assignments:
        if assignment.partition("=")[0] not in names:
            raise WrongUsageError(
                f"--set {shown(assignment)}: expected a setting that no answer depends on "
                f"({', '.join(names) or 'there is none here'}): the others are those of the row"
            )
