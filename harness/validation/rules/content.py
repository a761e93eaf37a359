"""The rules about the meaning of a readable line: turns, videos, choice, response."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import CANDIDATES, RANK_LIMIT, RESPONSE_LIMIT
from harness.validation.public import PublicSplit
from harness.validation.report import display
from harness.validation.rules.answer import LineAnswer, line_rule
from harness.validation.suggestions import Suggestions


@line_rule("T102", "dialogue ids are those of the split", '"dialogue_id": "d9"')
def unknown_dialogue(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """The dialogue is in the split."""
    name = answer.dialogue_id
    if name is not None and name not in public.dialogues:
        hint = public.near_dialogue(name) or "; take the ids of its turns.jsonl"
        yield f"split {public.split} has no dialogue {display(name)}{hint}"


@line_rule("T103", "a dialogue has the turn", '"turn": 0, or 5 in a dialogue of 4 turns')
def unknown_turn(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """The dialogue has a turn of that number."""
    place = public.dialogues.get(answer.dialogue_id or "")
    if place is not None and answer.turn is not None and not 0 < answer.turn <= place.turns:
        yield f"the dialogue has turns 1 to {place.turns}, found {answer.turn}; turns count from 1"


@line_rule("V100", "videos are those of the split's corpus", '"videos": ["b.avi"]')
def unknown_videos(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """Every ranked video is in the corpus."""
    names = answer.videos or []
    if public.durations.keys() >= set(names):
        return
    for rank, name in enumerate(names, start=1):
        if name not in public.durations:
            yield f"video {display(name)} at rank {rank} is {unknown_video(name, public)}"


def unknown_video(name: str, public: PublicSplit) -> str:
    """The text about a video that the corpus does not have."""
    if name in public.elsewhere:
        return f"in the benchmark, but not in the corpus of split {public.split}; leave it out"
    return f"not in the corpus of split {public.split} (corpus.txt){public.near_video(name)}"


@line_rule("V101", "a video is ranked once", '"videos": ["a.mp4", "a.mp4"]')
def repeated_videos(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """No video is ranked twice."""
    yield from _repeats("video", answer.videos or [])


@line_rule("V102", f"at most {RANK_LIMIT} videos are ranked", "101 videos")
def many_videos(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """At most 100 videos."""
    if (length := answer.length("videos")) > RANK_LIMIT:
        yield f"expected at most {RANK_LIMIT} videos, found {length:,}; keep the best of them"


@line_rule("V103", "a video turn has `videos` or `choice`", '{"dialogue_id": "d1", "turn": 1}')
def no_videos(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """A video turn is answered with a ranking."""
    if answer.task == "video" and not answer.value.keys() & {"videos", "choice"}:
        yield 'a video turn needs "videos" or "choice"; write "videos": [] to abstain'


@line_rule("M100", "a moment turn has `moments`", '{"dialogue_id": "d1", "turn": 2}')
def no_moments(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """A moment turn is answered with moments."""
    if answer.task == "moment" and "moments" not in answer.value:
        yield 'a moment turn needs "moments"; write "moments": [] to abstain'


@line_rule("R100", "a chat turn has `response`", '{"dialogue_id": "d1", "turn": 3}')
def no_response(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """A chat turn is answered with a response."""
    if answer.task == "chat" and "response" not in answer.value:
        yield 'a chat turn needs "response"; write "response": "" to abstain'


@line_rule(
    "R101", f"a response has at most {RESPONSE_LIMIT:,} characters", "a transcript as the response"
)
def unbounded_response(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """A response is not without bound: metrics of text compare all of it."""
    if (length := len(answer.response or "")) > RESPONSE_LIMIT:
        yield f"expected at most {RESPONSE_LIMIT:,} characters in response, found {length:,}"


@line_rule("H100", "a chosen video is one of the turn's candidates", '"choice": ["c.mp4"]')
def no_candidate(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """Every chosen video is a candidate of the turn."""
    if answer.position is None:
        return
    candidates = public.candidates[answer.position]
    if answer.choice and not candidates:
        yield 'the turn has no candidates to choose from; leave "choice" out'
        return
    for rank, name in enumerate(answer.choice or (), start=1):
        if name not in candidates:
            hint = "" if name in public.durations else Suggestions(candidates)(name)
            yield (
                f"choice {display(name)} at rank {rank} is none of the turn's {len(candidates)} "
                f"candidates (candidates.jsonl){hint or '; choose among them'}"
            )


@line_rule("H101", "a candidate is chosen once", '"choice": ["a.mp4", "a.mp4"]')
def repeated_choice(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """No candidate is ranked twice."""
    yield from _repeats("choice", answer.choice or [])


@line_rule("H102", f"at most {CANDIDATES} candidates are ranked", "11 candidates")
def many_choices(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """At most ten candidates."""
    if (length := answer.length("choice")) > CANDIDATES:
        yield f"expected at most {CANDIDATES} videos in choice, found {length:,}; keep the best"


def _repeats(what: str, names: list[str]) -> Iterator[str]:
    if len(set(names)) == len(names):
        return
    first: dict[str, int] = {}
    for rank, name in enumerate(names, start=1):
        if name in first:
            yield (
                f"{what} {display(name)} is at rank {first[name]} and again at rank {rank}; "
                "keep the first"
            )
        first.setdefault(name, rank)
