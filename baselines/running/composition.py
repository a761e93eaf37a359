"""Baselines that a baseline is made of, named in one setting.

    bm25;2*clip?checkpoint=DIR&context=all

Members stand apart by `;`. Each is [WEIGHT*]NAME[?KEY=VALUE[&KEY=VALUE ...]]: the name as
`ivcr baseline list` shows it, the settings as `--set` takes them. Where a value holds one of the
signs `; & %`, it is written `%3B`, `%26`, `%25`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import unquote

from msgspec.structs import replace

from baselines.base import Baseline, Provenance, Settings, View
from baselines.registry import RegistryEntry, changed_settings, class_of, find, load, without_paths
from harness.errors import WrongUsageError
from harness.files import shown
from harness.records import CandidateUse


class Member(NamedTuple):
    """A baseline that another one is made of, with its settings and its weight."""

    entry: RegistryEntry
    baseline: Baseline
    settings: Settings
    weight: float = 1.0

    def provenance(self) -> Provenance:
        """What it tells of itself, if anything."""
        return self.baseline.provenance()

    def told(self) -> dict[str, Any]:
        """Its name, weight, settings and details, for run.json."""
        return {
            "name": self.entry.name,
            "weight": self.weight,
            "settings": {
                name: without_paths(of) for name, of in changed_settings(self.settings).items()
            },
            "details": self.provenance().details,
        }


def members(text: str, setting: str, candidates: CandidateUse) -> tuple[Member, ...]:
    """The members that `text`, the value of `setting`, names; nothing is prepared.

    `candidates` is whether the whole is shown candidates. Raises WrongUsageError at a text that
    names none, at an unknown name or setting, and at a member that cannot be part of the whole.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not parts:
        raise WrongUsageError(
            f"--set {setting}={shown(text)}: expected NAME[?KEY=VALUE&...][;NAME...], such as "
            f'--set "{setting}=bm25?context=all"'
        )
    return tuple(_member(part, setting, candidates) for part in parts)


def one_member(text: str, setting: str, candidates: CandidateUse) -> Member:
    """As `members`, of a setting that names one, without a weight."""
    found = members(text, setting, candidates)
    if len(found) != 1 or found[0].weight != 1:
        raise WrongUsageError(f"--set {setting}={shown(text)}: expected one baseline, no weight")
    return found[0]


def check_ranks_videos(parts: Sequence[Member], setting: str) -> None:
    """Raise WrongUsageError at a member that is there to find moments: it would add nothing."""
    for part in parts:
        if part.entry.kind == "localiser":
            raise WrongUsageError(
                f"--set {setting}: {part.entry.name} is a localiser, expected what ranks videos; "
                "`ivcr baseline list` shows retrievers"
            )


def lasting_text(text: str) -> str:
    """The value of a setting that names members, without the settings that no answer depends on."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return ";".join(map(_lasting, parts))


def prepare(parts: Sequence[Member], view: View) -> None:
    """Prepare every member with the same view; what one notes is headed by its name."""
    for part in parts:
        part.baseline.prepare(replace(view, note=partial(_headed, view.note, part.entry.name)))


def merged(parts: Sequence[Member]) -> Provenance:
    """What a baseline made of `parts` tells: sums, unions, and each member's own details."""
    told = [part.provenance() for part in parts]
    sizes = [each.parameters for each in told if each.parameters is not None]
    frames = {str(each.frames_per_video): each.frames_per_video for each in told}
    frames.pop("None", None)
    data = dict.fromkeys(chain.from_iterable(each.training_data or () for each in told))
    return Provenance(
        parameters=sum(sizes) if sizes else None,
        frames_per_video=frames.popitem()[1] if len(frames) == 1 else " and ".join(frames) or None,
        training_data=tuple(data) or None,
        remark=" ".join(dict.fromkeys(each.remark for each in told if each.remark)),
        details={"members": [part.told() for part in parts]},
    )


def _lasting(part: str) -> str:
    """A member as it is written, but for its passing settings."""
    head, mark, options = part.partition("?")
    passing = (
        class_of(find(head.rpartition("*")[2].strip())).settings_type.RUNTIME_ONLY if mark else ()
    )
    kept = [option for option in options.split("&") if option.partition("=")[0] not in passing]
    return f"{head}?{'&'.join(kept)}" if any(kept) else head


def _headed(note: Callable[[str], None], name: str, line: str) -> None:
    note(f"{name}: {line}")


def _member(part: str, setting: str, candidates: CandidateUse) -> Member:
    head, _, options = part.partition("?")
    times, star, name = head.rpartition("*")
    weight = _weight(times, setting, part) if star else 1.0
    entry = find(name.strip())
    assignments = [unquote(option) for option in options.split("&") if option]
    baseline, settings = load(entry, assignments)
    use = baseline.candidate_use(entry.about.candidates)
    if use == "used" and candidates == "unused":
        raise WrongUsageError(
            f"--set {setting}: {name} reads candidates; set candidates=used for the whole as well"
        )
    if "train_labels" in entry.about.needs:
        raise WrongUsageError(f"--set {setting}: {name} reads the train split, which no part may")
    return Member(entry, baseline, settings, weight)


def _weight(text: str, setting: str, part: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise WrongUsageError(
            f"--set {setting}: {shown(part)}: expected a weight above 0 before *, got {shown(text)}"
        )
    return weight
