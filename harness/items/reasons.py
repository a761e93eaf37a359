"""Reasons to check a turn's label: oddities of the label and of the wrong answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.benchmark import Split
from harness.comparison.entrants import TopAnswer
from harness.records import Gold, Span, Task, Turn, TurnKey, Video
from harness.temporal import reaches
from harness.validation.report import seconds

SHORT = 1_000  # ms
WHOLE = 0.95  # of the video


class TurnEvidence(NamedTuple):
    """Evidence on a turn's label: its gold and context, and the answers that are wrong in it.

    `meant`: the gold videos (video turns) or the gold videos and spans (moment turns) that turns
    with the same words have in the split.
    """

    turn: Turn
    gold: Gold
    candidates: tuple[str, ...]
    duration: int | None
    meanings: frozenset[tuple[str | None, Span | None]]
    wrong: tuple[TopAnswer, ...]


class LabelContext(NamedTuple):
    """The context of labels: candidates, durations, and the golds of equal utterances."""

    candidates: Mapping[TurnKey, tuple[str, ...]]
    videos: Mapping[str, Video]
    meanings: Mapping[tuple[Task, str], frozenset[tuple[str | None, Span | None]]]

    @classmethod
    def of(cls, split: Split, gold: Sequence[Gold], videos: Mapping[str, Video]) -> LabelContext:
        """The context of a split. `gold` is in the order of its turns."""
        found: dict[tuple[Task, str], set[tuple[str | None, Span | None]]] = defaultdict(set)
        for turn, answer in zip(split.turns, gold, strict=True):
            found[turn.task, fold(turn.utterance)].add((answer.video_id, answer.moment))
        return cls(split.candidates, videos, {key: frozenset(each) for key, each in found.items()})

    def evidence(self, turn: Turn, gold: Gold, wrong: Sequence[TopAnswer]) -> TurnEvidence:
        """The evidence of one turn."""
        duration = self.videos[gold.video_id].duration if gold.video_id else None
        meanings = self.meanings[turn.task, fold(turn.utterance)]
        return TurnEvidence(
            turn, gold, self.candidates.get(turn.key, ()), duration, meanings, tuple(wrong)
        )


def reasons(evidence: TurnEvidence) -> tuple[str, ...]:
    """All reasons that hold, in a fixed order; they contain no video ids."""
    return tuple(reason for check in CHECKS for reason in check(evidence))


def fold(utterance: str) -> str:
    """An utterance without regard to case and spaces."""
    return " ".join(utterance.casefold().split())


def _empty(evidence: TurnEvidence) -> Iterator[str]:
    if not evidence.turn.utterance.strip():
        yield "empty utterance"


def _not_a_candidate(evidence: TurnEvidence) -> Iterator[str]:
    if (
        evidence.turn.task == "video"
        and evidence.candidates
        and evidence.gold.video_id not in evidence.candidates
    ):
        yield "gold video not among the candidates"


def _ambiguous(evidence: TurnEvidence) -> Iterator[str]:
    if evidence.turn.task == "video":
        videos = {video for video, _ in evidence.meanings}
        if len(videos) > 1:
            yield f"same words elsewhere with another gold video ({len(videos)} in all)"
    elif evidence.gold.moment is not None:
        spans = [span for video, span in evidence.meanings if video == evidence.gold.video_id]
        if len(spans) > 1:
            yield f"same words elsewhere with another span of this video ({len(spans)} in all)"


def _outside(evidence: TurnEvidence) -> Iterator[str]:
    if evidence.gold.moment is not None and evidence.duration is not None:
        if evidence.gold.moment.start >= evidence.duration:
            yield f"gold span begins past the video's end ({seconds(evidence.duration)})"
        elif evidence.gold.moment.end > evidence.duration:
            yield f"gold span ends past the video's end ({seconds(evidence.duration)})"


def _length(evidence: TurnEvidence) -> Iterator[str]:
    if evidence.gold.moment is None:
        return
    length = evidence.gold.moment.end - evidence.gold.moment.start
    if length < SHORT:
        yield f"very short gold span ({seconds(length)})"
    if evidence.duration and length >= WHOLE * evidence.duration:
        yield f"gold span is {100 * length / evidence.duration:.0f} % of the video"


def _same_wrong_answer(evidence: TurnEvidence) -> Iterator[str]:
    """More than half of the wrong systems, and at least two, give the same answer."""
    if evidence.turn.task == "video":
        given = Counter(answer.video for answer in evidence.wrong if answer.video is not None)
        votes = max(given.values(), default=0)
        what = "put the same other video first"
    else:
        votes = max(map(_count_agreeing(evidence.wrong), evidence.wrong), default=0)
        what = "agree on another moment (IoU >= 0.5 with one of theirs)"
    if votes >= 2 and 2 * votes > len(evidence.wrong):
        yield f"{votes} of the {len(evidence.wrong)} systems that miss it {what}"


def _count_agreeing(wrong: Sequence[TopAnswer]) -> Callable[[TopAnswer], int]:
    """Counts the systems whose moment has IoU >= 0.5 with a given one, itself included."""

    def count(answer: TopAnswer) -> int:
        if answer.moment is None:
            return 0
        span = Span(answer.moment.start, answer.moment.end)
        given = (other.moment for other in wrong if other.moment is not None)
        return sum(reaches(answer.moment.video_id, span, moment, 5) for moment in given)

    return count


CHECKS: tuple[Callable[[TurnEvidence], Iterator[str]], ...] = (
    *(_empty, _not_a_candidate, _ambiguous),
    *(_outside, _length, _same_wrong_answer),
)
