"""Natural chat for IVCR-Mini: talk about the collection, questions about a described video."""

from __future__ import annotations

import random

from harness.sources.mini.phrasing import Phrasing, statement
from harness.sources.mini.queries import Background, Pattern, VideoQuery
from harness.sources.mini.world import Event, Script


def exchange(
    rng: random.Random, script: Script, query: VideoQuery, phrasing: Phrasing
) -> tuple[str, str]:
    """A question and its answer; half are about the video that `query` describes."""
    if rng.random() < 0.5:
        return rng.choice(phrasing.small_talk)
    topics = sorted(phrasing.questions)
    if any(isinstance(condition, Background) for condition in query):
        topics.remove("background")
    about = rng.choice(topics)
    question, answer = rng.choice(phrasing.questions[about])
    facts = {
        "e": phrasing.clause(_seen(script.events[-1 if about == "last" else 0])),
        "c": phrasing.numbers[len(script.events)],
        "b": phrasing.names[script.background],
    }
    asked = question.format(s=statement(rng, query, phrasing))
    return phrasing.finish(asked), phrasing.finish(answer.format(**facts))


def _seen(event: Event) -> Pattern:
    return Pattern(shape=event.look.shape, colour=event.look.colour, motion=event.look.motion)
