"""Which arrivals are scored: in the order of keys, as far as a team's quota reaches.

Each decision depends on those before it in that order, and on nothing else: neither on which of
several processes was faster, nor on where an earlier intake was killed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from harness.challenge.intake.arrivals import Arrival, RunRefusal
from harness.challenge.intake.phases import Quota
from harness.results import Invalid, Scored, ScoringFault
from harness.results import Outcome as ScoringOutcome

Scorer = Callable[[Sequence[Arrival]], Mapping[Path, ScoringOutcome]]
Verdict = Literal["scored", "waits", "refused"]


class Decision(NamedTuple):
    """What becomes of an arrival.

    `scored`: it was accepted and has its scores; `waits`: it was accepted, and `fault` says why
    there are no scores yet, which is not its own doing; `refused`: `refusal` says why.
    """

    arrival: Arrival
    verdict: Verdict
    refusal: RunRefusal | None = None
    scored: Scored | None = None
    fault: str | None = None

    @property
    def sha256(self) -> str | None:
        """Of the submission that was scored, or of the one that arrived."""
        return self.scored.submission_sha256 if self.scored else self.arrival.sha256


def decide(arrivals: Sequence[Arrival], quota: Quota, score: Scorer) -> list[Decision]:
    """What becomes of each arrival, in their order.

    Invalid ones cost nothing, so the next ones of the team are tried in their place.
    """
    found = {each.key: Decision(each, "refused", each.refusal) for each in arrivals if each.refusal}
    found |= _decided([each for each in arrivals if each.waits], score)
    queues = _queues(arrivals)
    while queues:
        batch = [each for queue in queues.values() for each in _within(queue, quota)]
        found |= (new := _decided(batch, score))
        for decision in new.values():
            if decision.verdict != "refused" and decision.arrival.phase is not None:
                quota.take(decision.arrival.team, decision.arrival.phase.name)
        queues = {
            name: left
            for name, queue in queues.items()
            if (left := [each for each in queue if each.key not in new])
        }
        for name in [name for name, queue in queues.items() if not _within(queue, quota)]:
            found |= {each.key: _spent(each, quota) for each in queues.pop(name)}
    return [found[each.key] for each in arrivals]


def _queues(arrivals: Sequence[Arrival]) -> dict[tuple[str, str], list[Arrival]]:
    """By team and phase the runs that are to be scored; what is invalid anyhow stands alone."""
    queues = defaultdict(list)
    for each in arrivals:
        if each.refusal is None and not each.waits:
            queues[each.team, each.phase.name if each.phase else ""].append(each)
    return queues


def _within(queue: list[Arrival], quota: Quota) -> list[Arrival]:
    phase = queue[0].phase
    return queue[: quota.left(queue[0].team, phase)] if phase else queue


def _spent(arrival: Arrival, quota: Quota) -> Decision:
    assert arrival.phase is not None  # noqa: S101 - only a phase has a quota
    text = quota.spent_reason(arrival.team, arrival.phase)
    return Decision(arrival, "refused", RunRefusal("quota", text))


def _decided(batch: Iterable[Arrival], score: Scorer) -> dict[str, Decision]:
    chosen = sorted(batch)
    outcomes = score(chosen) if chosen else {}
    return {each.key: _decision(each, outcomes[each.folder]) for each in chosen}


def _decision(arrival: Arrival, outcome: ScoringOutcome) -> Decision:
    match outcome:
        case Scored():
            return Decision(arrival, "scored", scored=outcome)
        case Invalid():
            return Decision(arrival, "refused", RunRefusal("content", outcome.reason))
        case ScoringFault():
            return Decision(arrival, "waits", fault=outcome.reason)
