"""Running baselines from beginning to end: what `ivcr baseline run` does, as functions.

docs/python.md has examples.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from baselines.base import MILLISECONDS, MissingInputError
from baselines.provenance.environment import ENVIRONMENT, circumstances
from baselines.provenance.threads import computing_with
from baselines.registry import all_baselines
from baselines.running import abstentions
from baselines.running.own_code import own_code
from baselines.running.parallel import (
    JournalStore,
    ShardTask,
    answer_all,
    answer_shard,
    merge_shards,
    shards,
)
from baselines.running.provenance import RECORD, TIMING, with_cost
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.runner import Progress, Shard, start
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.files import readable
from harness.files import write as write_file
from harness.records import History
from harness.replacement import remove_stale, replaced_folder
from harness.submission import write


def no_progress(done: int, total: int) -> None:
    """Show nothing."""


def no_note(_: Path) -> None:
    """Tell nobody."""


def run_baseline(
    config: RunConfig,
    benchmark: Benchmark,
    out: Path,
    *,
    pair: str | None = None,
    processes: int = 1,
    context: RunContext = RunContext(),  # noqa: B008 - immutable
    progress: Progress = no_progress,
    store: JournalStore | None = None,
) -> None:
    """Answer a split and write the submission to `out`, with run.json and environment.json.

    pair: the run that differs from this one in history alone, for the card. processes: how many
    share the dialogues. progress: gets the turns answered and all turns of the first process.
    store: where the answers are kept until the submission is written, by default in the folder
    OUT.run; the same run goes on from it. Raises WrongUsageError if `out` holds something else or
    the baseline does not support the configuration, MissingInputError if the benchmark lacks what
    it needs, EnvironmentFailure if a process or the disk fails.
    """
    store, begin = store or JournalStore(out), time.monotonic()
    check_out(out)
    with computing_with(config.threads):
        with store.keep_traceback(Shard(0, processes)):
            run = start(config, benchmark, context)
        tasks = [
            ShardTask(config, benchmark.folder, store, shard, context.cache)
            for shard in shards(processes)
        ]
        answer_all(run, tasks, progress)
    usage = store.usage(processes)
    with store.keep_traceback(Shard(0, processes)), own_code(run.files, "cost()"):
        card, record = with_cost(run.card, run.record, run.baseline, usage)
    write(out, replace(card, pair=pair), merge_shards(run, store, processes))
    _write_records(out, record, usage)
    about = circumstances(context.argv, processes, time.monotonic() - begin)
    write_file(out / ENVIRONMENT, readable(about))
    if card.cost is not None:
        counts = ", ".join(f"{name} {usage[name]:,}" for name in sorted(usage))
        context.note(f"{config.entry.name}: {counts}")
    if line := abstentions.warning(usage, len(run.split.turns)):
        context.note(f"{config.entry.name}: {line}")
    store.remove()


def run_shard(
    config: RunConfig,
    benchmark: Benchmark,
    out: Path,
    shard: Shard,
    *,
    context: RunContext = RunContext(),  # noqa: B008 - immutable
    progress: Progress = no_progress,
) -> Path:
    """Answer one shard of a run on this machine; returns the folder that keeps its answers.

    `run_baseline` with as many processes then merges the shards. Raises what it raises.
    """
    store = JournalStore(out)
    check_out(out)
    with computing_with(config.threads):
        with store.keep_traceback(shard):
            run = start(config, benchmark, context)
        answer_shard(run, store, shard, progress)
    return store.folder


def run_floors(
    benchmark: Benchmark,
    score: Callable[[Path], object],
    *,
    done: Callable[[Path], None] = no_note,
    history: History | None = None,
    split: str = "test",
    seed: int = 0,
    note: Callable[[str], None],
    argv: tuple[str, ...] | None = None,
) -> None:
    """Run every floor under every history that the benchmark allows, into its folder floors/.

    score: called with each new submission; then the submission takes the place of an earlier one,
    in one step, and done is called with its place. history: that one alone. note: gets a line for
    each floor that is skipped; an earlier one stays. argv: as of RunContext. Raises
    WrongUsageError if a folder of floors/ is a link, EnvironmentFailure if the disk fails.
    """
    for entry in all_baselines():
        for each in entry.about.histories:
            if entry.kind != "floor" or history not in (None, each):
                continue
            out = benchmark.folder / "floors" / entry.name / each
            _refuse_links(benchmark.folder, out)
            try:
                with replaced_folder(out, parents=True) as new:
                    config = RunConfig(entry, each, split=split, seed=seed)
                    run_baseline(config, benchmark, new, context=RunContext(argv=argv))
                    score(new)
            except MissingInputError as error:
                note(f"{entry.name}, history {each}: skipped: {error}")
            else:
                done(out)


def check_out(out: Path) -> None:
    """Check the folder of a submission that is to be made.

    Raises WrongUsageError if it holds anything but what an unfinished run left there.
    """
    unfinished = JournalStore(out).folder.exists()
    remove_stale(out)
    if not unfinished and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUsageError(f"{out}: is not an empty folder; remove it or name another place")


def _write_records(out: Path, record: dict[str, Any], usage: Mapping[str, int]) -> None:
    write_file(out / RECORD, readable(record))
    if MILLISECONDS in usage:
        # Beside run.json and not in it: the same run gives the same run.json.
        timing = {"schema": 1, MILLISECONDS: usage[MILLISECONDS]}
        write_file(out / TIMING, readable(timing))


def _refuse_links(root: Path, folder: Path) -> None:
    """Refuse a link, or a file, among the folders between `root` and `folder`."""
    for part in (*reversed(folder.relative_to(root).parents[:-1]), folder.relative_to(root)):
        place = root / part
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise WrongUsageError(
                f"{place}: expected a folder inside the benchmark or nothing, found a link or a "
                "file; remove it"
            )
