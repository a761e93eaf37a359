"""Reasons to look at a turn's label: what is odd in it, whoever answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.benchmark import Split
from harness.comparison.entrants import Said
from harness.outcomes import overlap
from harness.records import Gold, Span, Task, Turn, TurnKey, Video
from harness.validation.report import seconds

SHORT = 1_000  # ms
WHOLE = 0.95  # of the video


class Case(NamedTuple):
    """A turn, its gold, what is known besides, and what the systems said that are wrong in it.

    `meant`: the gold videos (video turns) or the gold videos and spans (moment turns) that turns
    with the same words have in the split.
    """

    turn: Turn
    gold: Gold
    candidates: tuple[str, ...]
    duration: int | None
    meant: frozenset[tuple[str | None, Span | None]]
    missed: tuple[Said, ...]


class Known(NamedTuple):
    """What the reasons look up: the split's candidates, durations, and what its words mean."""

    candidates: Mapping[TurnKey, tuple[str, ...]]
    videos: Mapping[str, Video]
    meanings: Mapping[tuple[Task, str], frozenset[tuple[str | None, Span | None]]]

    @classmethod
    def of(cls, split: Split, gold: Sequence[Gold], videos: Mapping[str, Video]) -> Known:
        """Gather them."""
        found: dict[tuple[Task, str], set[tuple[str | None, Span | None]]] = defaultdict(set)
        for turn, answer in zip(split.turns, gold, strict=True):
            found[turn.task, folded(turn.utterance)].add((answer.video_id, answer.moment))
        return cls(split.candidates, videos, {key: frozenset(each) for key, each in found.items()})

    def case(self, turn: Turn, gold: Gold, missed: Sequence[Said]) -> Case:
        """A turn as the reasons see it."""
        duration = self.videos[gold.video_id].duration if gold.video_id else None
        meant = self.meanings[turn.task, folded(turn.utterance)]
        return Case(turn, gold, self.candidates.get(turn.key, ()), duration, meant, tuple(missed))


def reasons(case: Case) -> tuple[str, ...]:
    """All reasons that hold, in a fixed order; ids of videos are not among their words."""
    return tuple(said for rule in RULES for said in rule(case))


def folded(utterance: str) -> str:
    """An utterance without regard to case and spaces."""
    return " ".join(utterance.casefold().split())


def _empty(case: Case) -> Iterator[str]:
    if not case.turn.utterance.strip():
        yield "empty utterance"


def _not_a_candidate(case: Case) -> Iterator[str]:
    if case.turn.task == "video" and case.candidates and case.gold.video_id not in case.candidates:
        yield "gold video not among the candidates"


def _ambiguous(case: Case) -> Iterator[str]:
    if case.turn.task == "video":
        videos = {video for video, _ in case.meant}
        if len(videos) > 1:
            yield f"same words elsewhere with another gold video ({len(videos)} in all)"
    elif case.gold.moment is not None:
        spans = [span for video, span in case.meant if video == case.gold.video_id]
        if len(spans) > 1:
            yield f"same words elsewhere with another span of this video ({len(spans)} in all)"


def _outside(case: Case) -> Iterator[str]:
    if case.gold.moment is not None and case.duration is not None:
        if case.gold.moment.start >= case.duration:
            yield f"gold span begins past the video's end ({seconds(case.duration)})"
        elif case.gold.moment.end > case.duration:
            yield f"gold span ends past the video's end ({seconds(case.duration)})"


def _length(case: Case) -> Iterator[str]:
    if case.gold.moment is None:
        return
    length = case.gold.moment.end - case.gold.moment.start
    if length < SHORT:
        yield f"very short gold span ({seconds(length)})"
    if case.duration and length >= WHOLE * case.duration:
        yield f"gold span is {100 * length / case.duration:.0f} % of the video"


def _agreed(case: Case) -> Iterator[str]:
    """More than half of the systems that miss, and two at least, give the same other answer."""
    if case.turn.task == "video":
        given = Counter(said.video for said in case.missed if said.video is not None)
        votes = max(given.values(), default=0)
        what = "put the same other video first"
    else:
        votes = max(map(_seconders(case.missed), case.missed), default=0)
        what = "agree on another moment (IoU >= 0.5 with one of theirs)"
    if votes >= 2 and 2 * votes > len(case.missed):
        yield f"{votes} of the {len(case.missed)} systems that miss it {what}"


def _seconders(missed: Sequence[Said]) -> Callable[[Said], int]:
    """Counts the systems whose moment meets a given one, itself included, with IoU >= 0.5."""

    def count(said: Said) -> int:
        if said.moment is None:
            return 0
        span = Span(said.moment.start, said.moment.end)
        given = (other.moment for other in missed if other.moment is not None)
        meets = (overlap(said.moment.video_id, span, moment) for moment in given)
        return sum(2 * met >= joined for met, joined in meets)

    return count


RULES: tuple[Callable[[Case], Iterator[str]], ...] = (
    *(_empty, _not_a_candidate, _ambiguous),
    *(_outside, _length, _agreed),
)
