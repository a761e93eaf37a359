"""A row made again and compared: what `ivcr reproduce` does, as functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from baselines.provenance.code_hash import code_sha256_at
from baselines.reproduction.first_difference import PredictionsVerdict, compare_predictions
from baselines.reproduction.recorded_run import RecordedRun, RunRecord, read_run
from baselines.reproduction.recorded_settings import SettingsReader
from baselines.reproduction.rerun import rerun, rerun_at_commit
from baselines.running.run import no_progress
from baselines.running.run_config import RunContext
from baselines.running.runner import Progress
from harness.benchmark import Benchmark
from harness.checkout import HistoryError
from harness.errors import WrongUsageError
from harness.files import canonical, shown

_HASH = 12  # characters of a hash that are shown


class ReproducedRun(NamedTuple):
    """A row and the run that was made again, in `folder`."""

    row: RecordedRun
    again: RecordedRun

    def verdict(self) -> PredictionsVerdict:
        """How the predictions agree."""
        return compare_predictions(self.row.folder, self.again.folder)

    def differences(self) -> Iterator[str]:
        """What differs in code, libraries, threads, device and details, a line each."""
        yield from _code(self.row.record, self.again.record)
        old, new = self.row.record, self.again.record
        if not old.versions:
            yield "libraries: run.json of the row was written before it named versions"
        for name in sorted(old.versions.keys() | new.versions.keys()) if old.versions else ():
            yield from _unequal(name, old.versions.get(name), new.versions.get(name))
        for name in ("threads", "device"):
            if getattr(old, name) is not None:
                yield from _unequal(name, getattr(old, name), getattr(new, name))
        yield from _unequal("details", old.details, new.details)


def reproduce(
    folder: Path,
    benchmark: Benchmark,
    out: Path,
    *,
    trained: Sequence[Path] = (),
    at_commit: bool = False,
    assignments: tuple[str, ...] = (),
    context: RunContext = RunContext(),  # noqa: B008 - immutable
    progress: Progress = no_progress,
) -> ReproducedRun:
    """Make the run in `folder` again from its card and run.json, into the new folder `out`.

    trained: folders of trained weights. at_commit: with the code of the commit that the row names.
    assignments: settings that no answer depends on, as `key=value`. Raises SubmissionError if the
    row is no run of a baseline of the project, WrongUsageError if the benchmark is another one or a
    trained folder is missing, EnvironmentFailure if the run fails.
    """
    row = read_run(folder)
    _require_same_benchmark(row, benchmark)
    settings = SettingsReader(row.record, trained).settings()
    if at_commit:
        rerun_at_commit(row, settings, benchmark, out, assignments=assignments,
                        cache=context.cache)  # fmt: skip
    else:
        rerun(row, settings, benchmark, out, assignments=assignments, context=context,
              progress=progress)  # fmt: skip
    return ReproducedRun(row, read_run(out))


def _require_same_benchmark(row: RecordedRun, benchmark: Benchmark) -> None:
    wanted, found = row.record.benchmark, benchmark.header
    if wanted.fingerprint != found.fingerprint:
        raise WrongUsageError(
            f"{benchmark.folder}: expected the benchmark that the row was made on, "
            f"{shown(wanted.name)} with fingerprint {shown(wanted.fingerprint[:_HASH])}, found "
            f"{shown(found.name)} with {found.fingerprint[:_HASH]}; name that one"
        )


def _code(old: RunRecord, new: RunRecord) -> Iterator[str]:
    """Where the hashes of the code differ, and whether the commits explain it."""
    if old.code_sha256 == new.code_sha256:
        return
    named = "names no commit"
    if old.commit is not None:
        named = f"names commit {shown(old.commit[:_HASH])[1:-1]}, {_fit(old)}"
    yield (
        f"code: recorded {shown(old.code_sha256[:_HASH])[1:-1]}, now {new.code_sha256[:_HASH]}; "
        f"run.json of the row {named}"
    )


def _fit(record: RunRecord) -> str:
    try:
        fits = code_sha256_at(record.commit or "") == record.code_sha256
    except HistoryError:
        return "which is not in the history at hand"
    return (
        "at which its hash fits (--at-commit runs it)" if fits else "at which its hash does not fit"
    )


def _unequal(place: str, old: Any, new: Any) -> Iterator[str]:
    """Where two values differ, key by key."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            yield from _unequal(f"{place}.{key}", old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (one, other) in enumerate(zip(old, new, strict=True), start=1):
            yield from _unequal(f"{place}[{at}]", one, other)
    elif old != new:
        yield f"{shown(place)[1:-1]}: recorded {_text(old)}, now {_text(new)}"


def _text(value: Any) -> str:
    return "nothing" if value is None else shown(canonical(value).decode())[1:-1]
