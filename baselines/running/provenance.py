"""What a run's files say of it: the card, run.json beside it, and the key in its journals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from baselines.base import MILLISECONDS, Baseline, MemberConfig, Provenance, Settings
from baselines.provenance.code_hash import code_sha256, python_files
from baselines.provenance.libraries import device_kind, versions
from baselines.registry import RegistryEntry, find
from baselines.running.card_settings import SHORT, card_settings, line
from baselines.running.run_config import RunConfig
from baselines.settings import changed_settings, without_paths
from harness.benchmark import Benchmark
from harness.checkout import code_state
from harness.files import canonical, plain
from harness.records import ANNOTATIONS, Annotations, CandidateUse, Card
from harness.submission import STARTER

TEAM = "IVCR harness"
IN_MEMORY = "(code of a program, in no file)"
RECORD = "run.json"
TIMING = "timing.json"
# Of run.json, what no answer depends on: the hash of the code says more than the commit.
NAMES_ONLY = ("commit", "changed")
_CODE = Path(__file__).parents[1]
_ANSWERING = ("baselines", "harness")


def card(
    config: RunConfig,
    settings: Settings,
    use: CandidateUse,
    benchmark: Benchmark,
    provenance: Provenance,
    *,
    labels: bool,
) -> Card:
    """The card of a run; `labels`: whether it read those of the train split.

    A run that depends on code outside the project is not this project's: its team is the one that
    is declared, else the template's, which validation warns of.
    """
    entry, data = config.entry, provenance.training_data
    if labels and (data is None or entry.about.composed):
        data = tuple(dict.fromkeys([*(data or ()), f"{benchmark.header.name} train"]))
    distinctive = card_settings(entry, changed_settings(settings))
    own = entry.kind == "own" or any(outside_code(entry, settings))
    made = Card(
        schema=1,
        team=(entry.about.team or STARTER.team) if own else TEAM,
        system=line(entry.name, SHORT),
        history=config.history,
        candidates=use,
        description=f"{entry.summary} {provenance.remark}".strip() or None,
        training_data=data or (),
        annotations=_annotations(provenance, labels=labels),
        languages=entry.about.languages,
        parameters=provenance.parameters,
        frames_per_video=provenance.frames_per_video,
        seed=config.seed,
        paper=entry.about.paper,
        code=entry.file or None,
        variant=config.variant or distinctive.variant,
        control=distinctive.control,
        settings=distinctive.settings,
    )
    return replace(made, **config.card)


def _annotations(provenance: Provenance, *, labels: bool) -> Annotations:
    """What of the train split's labels the run rests on: what it read, and what its weights did."""
    read: Annotations = "gold spans" if labels else "none"
    return max(read, provenance.annotations or "none", key=ANNOTATIONS.index)


def plain_provenance(provenance: Provenance) -> Provenance:
    """The same with Python's own numbers and texts in place of NumPy's.

    Raises TypeError or ValueError at what is no provenance, or holds values that JSON does not
    have.
    """
    if not isinstance(provenance, Provenance):
        raise TypeError(f"expected a Provenance, found {type(provenance).__name__}")
    return msgspec.convert(plain(provenance), Provenance)


def record(
    config: RunConfig, settings: Settings, benchmark: Benchmark, provenance: Provenance
) -> dict[str, Any]:
    """run.json: all that a reader needs to repeat the run; the same run gives the same record.

    `commit` is that of the code, `changed` whether the code was changed since; both are null where
    it does not run from a git checkout. `outside` names code that no commit of the project holds.
    `code_sha256` covers it too, where a file has it; a run without any has the project's own hash.
    """
    outside = list(outside_code(config.entry, settings))
    names = [path.name for path in outside]
    if config.entry.instance is not None and not names:
        names = [IN_MEMORY]
    computing = versions(_sources(config.entry, settings))
    state = code_state(_ANSWERING)
    found = {
        "schema": 1,
        "baseline": config.entry.name,
        "commit": state.commit,
        "changed": state.changed,
        "code_sha256": code_sha256(_CODE, *outside),
        "versions": computing,
        "threads": config.threads,
        "device": device_kind(computing),
        "settings": without_paths(settings.result_settings()),
        "history": config.history,
        "seed": config.seed,
        "benchmark": {
            "name": benchmark.header.name,
            "fingerprint": benchmark.header.fingerprint,
            "split": config.split,
        },
        "details": msgspec.to_builtins(provenance.details),
    }
    return found | ({"outside": names} if names else {})


def with_cost(
    card: Card, record: dict[str, Any], baseline: Baseline, usage: Mapping[str, int]
) -> tuple[Card, dict[str, Any]]:
    """Card and record of a run with the usage counted in it, without the time that it took."""
    counted = {name: usage[name] for name in sorted(usage) if name != MILLISECONDS}
    if not counted:
        return card, record
    return replace(card, cost=baseline.cost(counted)), record | {"spent": counted}


def run_key(card: Card, record: dict[str, Any], order: dict[str, int]) -> str:
    """SHA-256 (hex) over all that the answers and their order depend on."""
    answering = {name: value for name, value in record.items() if name not in NAMES_ONLY}
    return hashlib.sha256(canonical([card, answering, order])).hexdigest()


def outside_code(entry: RegistryEntry, settings: Settings) -> Iterator[Path]:
    """The code outside the project, files or folders, that a baseline and its members depend on."""
    if entry.code is not None:
        yield entry.code
    for name in _member_names(list(msgspec.structs.asdict(settings).values())):
        if (code := find(name).code) is not None:
            yield code


def _sources(entry: RegistryEntry, settings: Settings) -> Iterator[Path]:
    """The Python files of a baseline and of its members."""
    names = _member_names(list(msgspec.structs.asdict(settings).values()))
    for each in (entry, *map(find, names)):
        if each.code is None:
            yield _CODE.parent / each.file
        else:
            yield from python_files(each.code).values()


def _member_names(values: Any) -> Iterator[str]:
    """The names of all members in settings, members of members too."""
    if isinstance(values, MemberConfig):
        yield values.baseline
        yield from _member_names(values.settings)
    elif isinstance(values, Mapping):
        yield from _member_names(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _member_names(value)
