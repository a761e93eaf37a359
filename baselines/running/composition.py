"""Baselines that a baseline is made of: made, prepared and described together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from msgspec.structs import replace

from baselines.base import Baseline, MemberConfig, Provenance, Settings, View
from baselines.registry import RegistryEntry, class_of, find, load
from baselines.settings import changed_settings, without_paths
from harness.errors import WrongUsageError
from harness.records import ANNOTATIONS, CandidateUse


class ComposedSettings(Settings, frozen=True):
    """The settings of a baseline that is made of others: of type MemberConfig, one or several."""

    def result_settings(self) -> dict[str, Any]:
        """As of other baselines; members without the settings that no answer depends on."""
        return {name: _result(value) for name, value in super().result_settings().items()}


class Member(NamedTuple):
    """A baseline that another one is made of, with its settings and its weight."""

    entry: RegistryEntry
    baseline: Baseline
    settings: Settings
    weight: float = 1.0

    @property
    def reads_train_labels(self) -> bool:
        """Whether it is shown the train split with its labels."""
        return self.baseline.reads_train_labels("train_labels" in self.entry.about.needs)

    def description(self, details: dict[str, Any]) -> dict[str, Any]:
        """Its name, weight, settings and details, for run.json."""
        return {
            "name": self.entry.name,
            "weight": self.weight,
            "settings": without_paths(changed_settings(self.settings)),
            "details": details,
        }


def member(config: MemberConfig, place: str, candidates: CandidateUse) -> Member:
    """Make a member; nothing is prepared. `place` is where it stands, such as "member 2".

    `candidates` is whether the whole is shown candidates. Raises WrongUsageError at an unknown name
    or setting, a weight that is none, and a member that cannot be part of the whole.
    """
    if not 0 < config.weight < math.inf:
        raise WrongUsageError(f"{place}: weight: expected a number above 0, found {config.weight}")
    try:
        entry = find(config.baseline)
        baseline, settings = load(entry, (), config.settings)
    except WrongUsageError as error:
        raise WrongUsageError(f"{place}: {error}") from error
    use = baseline.candidate_use(entry.about.candidates)
    if use == "used" and candidates == "unused":
        raise WrongUsageError(
            f"{place}: {entry.name} reads candidates; set candidates=used for the whole as well"
        )
    return Member(entry, baseline, settings, config.weight)


def check_ranks_videos(part: Member, place: str) -> None:
    """Check a member, which stands in `place`.

    Raises WrongUsageError if it is there to find moments: it would add nothing.
    """
    if part.entry.kind == "localiser":
        raise WrongUsageError(
            f"{place}: {part.entry.name} is a localiser, expected what ranks videos; "
            "`ivcr baseline list` shows retrievers"
        )


def prepare(parts: Sequence[Member], view: View) -> None:
    """Prepare every member with the same view; what one notes is headed by its name.

    Labels of the train split are in the view of those members alone that read them.
    """
    for part in parts:
        training = view.training if part.reads_train_labels else None
        note = partial(_headed, view.note, part.entry.name)
        part.baseline.prepare(replace(view, training=training, note=note))


def merged(parts: Sequence[Member]) -> Provenance:
    """The provenance of a baseline made of `parts`: sums, unions, and each member's own details."""
    single = [part.baseline.provenance() for part in parts]
    described = zip(parts, single, strict=True)
    sizes = [each.parameters for each in single if each.parameters is not None]
    frames = {str(each.frames_per_video): each.frames_per_video for each in single}
    frames.pop("None", None)
    data = dict.fromkeys(chain.from_iterable(each.training_data or () for each in single))
    return Provenance(
        parameters=sum(sizes) if sizes else None,
        frames_per_video=frames.popitem()[1] if len(frames) == 1 else " and ".join(frames) or None,
        training_data=tuple(data) or None,
        annotations=max(
            (each.annotations or "none" for each in single), key=ANNOTATIONS.index, default="none"
        ),
        remark=" ".join(dict.fromkeys(each.remark for each in single if each.remark)),
        details={"members": [part.description(each.details) for part, each in described]},
    )


def _result(value: Any) -> Any:
    """A setting as a plain value; a member's without those that no answer depends on."""
    if isinstance(value, list | tuple):
        return type(value)(_result(part) for part in value)
    if not isinstance(value, Mapping) or "baseline" not in value:
        return value
    kind = class_of(find(value["baseline"])).settings_type
    settings = value.get("settings", {}).items()
    kept = {name: _result(of) for name, of in settings if name not in kind.RUNTIME_ONLY}
    return {**value, "settings": kept}


def _headed(note: Callable[[str], None], name: str, line: str) -> None:
    note(f"{name}: {line}")
