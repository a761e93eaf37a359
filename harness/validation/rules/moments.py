"""The rules about moments: times are seconds in the file, milliseconds here."""

from __future__ import annotations

from collections.abc import Iterator

from harness.records import MOMENT_LIMIT
from harness.validation.public import PublicSplit
from harness.validation.report import display, seconds
from harness.validation.rules.answer import LineAnswer, LineMoment, line_rule
from harness.validation.rules.content import unknown_video

CLIPPED = 1000  # ms past the video's end that are cut off; more is an error
MUCH = 10  # a time of so many durations is no slip of its maker


def _moments(answer: LineAnswer) -> list[LineMoment]:
    return answer.moments or []


def _timed(answer: LineAnswer, public: PublicSplit) -> Iterator[tuple[LineMoment, int]]:
    """The moments that run forwards from 0 on, with the durations of their videos, where known."""
    for moment in _moments(answer):
        duration = public.durations.get(moment.video_id)
        if duration is not None and 0 <= moment.start < moment.end:
            yield moment, duration


@line_rule("M101", "moments are in videos of the corpus", '"video_id": "b.avi"')
def in_unknown_video(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """Every moment's video is in the corpus."""
    for moment in _moments(answer):
        if (name := moment.video_id) not in public.durations:
            yield f"{moment.name} is in {display(name)}, which is {unknown_video(name, public)}"


@line_rule("M102", "a moment is given once", "the same video, start and end twice", "warning")
def repeated_moments(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """No moment is given twice, in milliseconds."""
    first: dict[tuple[str, int, int], str] = {}
    for moment in _moments(answer):
        span = moment[1:]
        if span in first:
            yield f"{moment.name} repeats {first[span]}, to the millisecond; the first is kept"
        first.setdefault(span, moment.name)


@line_rule("M103", f"at most {MOMENT_LIMIT} moments are given", "101 moments")
def many_moments(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """At most 100 moments."""
    if (length := answer.length("moments")) > MOMENT_LIMIT:
        yield f"expected at most {MOMENT_LIMIT} moments, found {length:,}; keep the best of them"


@line_rule("M201", "a moment starts before it ends", '"start": 9.5, "end": 4.0')
def reversed_moment(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """start <= end."""
    for moment in _moments(answer):
        if moment.end < moment.start:
            yield (
                f"{moment.name} starts at {seconds(moment.start)} and ends before, at "
                f"{seconds(moment.end)}; give start, then end"
            )


@line_rule("M202", "a moment has a length", '"start": 4.0, "end": 4.0')
def empty_moment(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """start != end after rounding to milliseconds."""
    for moment in _moments(answer):
        if moment.end == moment.start:
            yield (
                f"{moment.name} starts and ends at {seconds(moment.start)}; expected at least a "
                "millisecond (times are seconds from the first frame)"
            )


@line_rule("M203", "a moment ends at most 1 s past its video", '"end": 93.2 in a video of 88 s')
def far_past_the_end(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """end <= duration + 1 s."""
    for moment, duration in _timed(answer, public):
        if moment.start < duration and moment.end > duration + CLIPPED:
            yield f"{moment.name} ends at {_beyond(moment.end, moment, duration)}"


@line_rule("M204", "a moment starts before its video ends", '"start": 88.0 in a video of 88 s')
def starts_past_the_end(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """start < duration."""
    for moment, duration in _timed(answer, public):
        if moment.start >= duration:
            yield f"{moment.name} starts at {_beyond(moment.start, moment, duration)}"


def _beyond(time: int, moment: LineMoment, duration: int) -> str:
    advice = "times are seconds from the first frame"
    if time > MUCH * duration and time <= duration * 1000:
        advice += "; as milliseconds it would fit: divide by 1000"
    return f"{seconds(time)}, but {display(moment.video_id)} lasts {seconds(duration)} ({advice})"


@line_rule("M205", "a moment starts at 0 or later", '"start": -0.5')
def negative_start(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """start >= 0."""
    for moment in _moments(answer):
        if moment.start < 0:
            yield (
                f"{moment.name} starts at {seconds(moment.start)}, expected 0 or later "
                "(times are seconds from the first frame)"
            )


@line_rule("M206", "a moment ends with its video", '"end": 88.4 in a video of 88 s', "warning")
def clipped_end(answer: LineAnswer, public: PublicSplit) -> Iterator[str]:
    """end <= duration; up to 1 s past it is clipped."""
    for moment, duration in _timed(answer, public):
        if moment.start < duration < moment.end <= duration + CLIPPED:
            text = _beyond(moment.end, moment, duration)
            yield f"{moment.name} ends at {text}; clipped to the video's end"
