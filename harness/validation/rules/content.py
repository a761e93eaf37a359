"""The rules about the meaning of a readable line: turns, videos, choice, response."""

from __future__ import annotations

from collections.abc import Iterator

from harness.validation.public import Public
from harness.validation.report import named
from harness.validation.rules.answer import MOST_CHOICES, MOST_VIDEOS, Answer
from harness.validation.rules.rule import rule


@rule("T102", "dialogue ids are those of the split", '"dialogue_id": "d9"')
def unknown_dialogue(answer: Answer, known: Public) -> Iterator[str]:
    """The dialogue is in the split."""
    name = answer.dialogue_id
    if name is not None and name not in known.dialogues:
        hint = known.near_dialogue(name)
        yield f"split {known.split} has no dialogue {named(name)}{hint}"


@rule("T103", "a dialogue has the turn", '"turn": 0, or 5 in a dialogue of 4 turns')
def unknown_turn(answer: Answer, known: Public) -> Iterator[str]:
    """The dialogue has a turn of that number."""
    place = known.dialogues.get(answer.dialogue_id or "")
    if place is not None and answer.turn is not None and not 0 < answer.turn <= place.turns:
        yield f"the dialogue has turns 1 to {place.turns}, found {answer.turn}; turns count from 1"


@rule("V100", "videos are those of the split's corpus", '"videos": ["b.avi"]')
def unknown_videos(answer: Answer, known: Public) -> Iterator[str]:
    """Every ranked video is in the corpus."""
    names = answer.videos or []
    if known.durations.keys() >= set(names):
        return
    for rank, name in enumerate(names, start=1):
        if name not in known.durations:
            yield f"video {named(name)} at rank {rank} is {unknown_video(name, known)}"


def unknown_video(name: str, known: Public) -> str:
    """What to say of a video that the corpus does not have."""
    if name in known.elsewhere:
        return f"in the benchmark, but not in the corpus of split {known.split}; leave it out"
    return f"not in the corpus of split {known.split} (corpus.txt){known.near_video(name)}"


@rule("V101", "a video stands once", '"videos": ["a.mp4", "a.mp4"]')
def repeated_videos(answer: Answer, known: Public) -> Iterator[str]:
    """No video is ranked twice."""
    yield from _repeats("video", answer.videos or [])


@rule("V102", f"at most {MOST_VIDEOS} videos are ranked", "101 videos")
def many_videos(answer: Answer, known: Public) -> Iterator[str]:
    """At most 100 videos."""
    if answer.lengths.get("videos", 0) > MOST_VIDEOS:
        found = answer.lengths["videos"]
        yield f"expected at most {MOST_VIDEOS} videos, found {found:,}; keep the best of them"


@rule("V103", "a video turn has `videos` or `choice`", '{"dialogue_id": "d1", "turn": 1}')
def no_videos(answer: Answer, known: Public) -> Iterator[str]:
    """A video turn is answered with a ranking."""
    if answer.task == "video" and not answer.keys & {"videos", "choice"}:
        yield 'a video turn needs "videos" or "choice"; write "videos": [] to abstain'


@rule("M100", "a moment turn has `moments`", '{"dialogue_id": "d1", "turn": 2}')
def no_moments(answer: Answer, known: Public) -> Iterator[str]:
    """A moment turn is answered with moments."""
    if answer.task == "moment" and "moments" not in answer.keys:
        yield 'a moment turn needs "moments"; write "moments": [] to abstain'


@rule("R100", "a chat turn has `response`", '{"dialogue_id": "d1", "turn": 3}')
def no_response(answer: Answer, known: Public) -> Iterator[str]:
    """A chat turn is answered with a response."""
    if answer.task == "chat" and "response" not in answer.keys:
        yield 'a chat turn needs "response"; write "response": "" to abstain'


@rule("H100", "a chosen video is one of the turn's candidates", '"choice": ["c.mp4"]')
def no_candidate(answer: Answer, known: Public) -> Iterator[str]:
    """Every chosen video is a candidate of the turn."""
    if answer.position is None:
        return
    candidates = known.candidates[answer.position]
    if answer.choice and not candidates:
        yield 'the turn has no candidates to choose from; leave "choice" out'
        return
    for rank, name in enumerate(answer.choice or (), start=1):
        if name not in candidates:
            yield (
                f"choice {named(name)} at rank {rank} is none of the turn's {len(candidates)} "
                "candidates (candidates.jsonl); choose among them"
            )


@rule("H101", "a candidate is chosen once", '"choice": ["a.mp4", "a.mp4"]')
def repeated_choice(answer: Answer, known: Public) -> Iterator[str]:
    """No candidate is ranked twice."""
    yield from _repeats("choice", answer.choice or [])


@rule("H102", f"at most {MOST_CHOICES} candidates are ranked", "11 candidates")
def many_choices(answer: Answer, known: Public) -> Iterator[str]:
    """At most ten candidates."""
    if answer.lengths.get("choice", 0) > MOST_CHOICES:
        found = answer.lengths["choice"]
        yield f"expected at most {MOST_CHOICES} videos in choice, found {found:,}; keep the best"


def _repeats(what: str, names: list[str]) -> Iterator[str]:
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    for rank, name in enumerate(names, start=1):
        if name in first:
            yield (
                f"{what} {named(name)} stands at rank {first[name]} and again at rank {rank}; "
                "keep the first"
            )
        first.setdefault(name, rank)
