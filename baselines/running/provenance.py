"""What a run says of itself: the card, run.json beside it, and the key that its journal carries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from baselines.base import MILLISECONDS, Baseline, Provenance, Settings
from baselines.registry import changed_settings, without_paths
from baselines.running.run_config import RunConfig
from harness.benchmark import Benchmark
from harness.files import canonical
from harness.records import CandidateUse, Card

TEAM = "IVCR harness"
RECORD = "run.json"
_CODE = Path(__file__).parents[1]
TIMING = "timing.json"
LINE = 200  # characters of a card's line


def card(
    plan: RunConfig,
    settings: Settings,
    use: CandidateUse,
    benchmark: Benchmark,
    provenance: Provenance,
) -> Card:
    """The card of a run.

    A trained folder is not part of the system's name: run.json has its hash, and what it was
    trained with; so the seeds of one system have one name.
    """
    entry, data = plan.entry, provenance.training_data
    if data is None:
        data = (f"{benchmark.header.name} train",) if "train_labels" in entry.about.needs else ()
    values = {name: without_paths(value) for name, value in changed_settings(settings).items()}
    if entry.about.trains:
        values.pop("checkpoint", None)
    return Card(
        schema=1,
        team=TEAM,
        system=_line([entry.name, *(f"{key}={value}" for key, value in values.items())]),
        history=plan.history,
        candidates=use,
        description=f"{entry.summary} {provenance.remark}".strip(),
        training_data=data,
        languages=entry.about.languages,
        parameters=provenance.parameters,
        frames_per_video=provenance.frames_per_video,
        seed=plan.seed,
        paper=entry.about.paper,
        code=entry.file,
    )


def record(
    plan: RunConfig, settings: Settings, benchmark: Benchmark, provenance: Provenance
) -> dict[str, Any]:
    """run.json: all that a reader needs to repeat the run; the same run gives the same record."""
    values = {name: without_paths(value) for name, value in settings.result_settings().items()}
    return {
        "schema": 1,
        "baseline": plan.entry.name,
        "code_sha256": code_sha256(_CODE),
        "settings": values,
        "history": plan.history,
        "seed": plan.seed,
        "benchmark": {
            "name": benchmark.header.name,
            "fingerprint": benchmark.header.fingerprint,
            "split": plan.split,
        },
        "details": msgspec.to_builtins(provenance.details),
    }


def with_cost(
    made: Card, recorded: dict[str, Any], baseline: Baseline, usage: Mapping[str, int]
) -> tuple[Card, dict[str, Any]]:
    """Card and record of a run with the usage counted in it, without the time that it took."""
    counted = {name: usage[name] for name in sorted(usage) if name != MILLISECONDS}
    if not counted:
        return made, recorded
    return replace(made, cost=baseline.cost(counted)), recorded | {"spent": counted}


def run_key(made: Card, recorded: dict[str, Any], order: dict[str, int]) -> str:
    """SHA-256 (hex) over all that the answers and their order depend on."""
    return hashlib.sha256(canonical([made, recorded, order])).hexdigest()


def code_sha256(folder: Path) -> str:
    """SHA-256 (hex) over the names and bytes of all Python files in `folder`, by name.

    A baseline is its own file and what it imports; which of the modules around it bear on its
    answers nobody has to know this way.
    """
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{hashlib.sha256(files[name].read_bytes()).hexdigest()}  {name}\n".encode())
    return total.hexdigest()


def _line(parts: list[str]) -> str:
    """The parts in one line of a card; run.json has what is cut off."""
    whole = " ".join(parts)
    return whole if len(whole) <= LINE else whole[: LINE - 1] + "…"
