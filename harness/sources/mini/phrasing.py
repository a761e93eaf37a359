"""Phrasing: the words of queries, texts and chat, in any language.

The two languages are tables of the same form, `english.py` and `chinese.py`; this module fills
them in. Each attribute has one word, so that a model can learn its name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.sources.mini.queries import (
    Background,
    Before,
    Condition,
    Count,
    Has,
    Longer,
    MomentQuery,
    Pattern,
    Throughout,
    VideoQuery,
)
from harness.sources.mini.world import Script

KEEP_SHARE = 0.7  # share of a script's attributes in its title and transcript


@dataclass(frozen=True)
class Phrasing:
    """One language: its words, its sentence forms and its templates.

    `names` are the words of utterances; `tags` those of titles and transcripts, where English
    has "spinning" for "spins": their author is not the one who asks. `templates` by the
    turn's purpose, with {s} for a statement about a video, {m} for a moment, {quality} for an
    abstract word; `answers` with {n} for the candidate's number and {span}; `moments` by pick,
    with {s} for the event as a clause and {np} for it as a noun.
    """

    names: Mapping[str, str]
    tags: Mapping[str, str]
    clause: Callable[[Pattern], str]
    noun: Callable[[Pattern], str]
    finish: Callable[[str], str]
    join: Callable[[Sequence[str]], str]
    background: str
    before: tuple[str, ...]
    longer: tuple[str, ...]
    moments: Mapping[str, tuple[str, ...]]
    qualities: Mapping[str | int, tuple[str, ...]]
    templates: Mapping[str, tuple[str, ...]]
    answers: Mapping[str, tuple[str, ...]]
    small_talk: tuple[tuple[str, str], ...]
    questions: Mapping[str, tuple[tuple[str, str], ...]]
    numbers: Mapping[int, str]
    title: tuple[str, str]
    transcript: tuple[str, str]


def statement(rng: random.Random, query: VideoQuery, phrasing: Phrasing) -> str:
    """A query about a video as one clause; `ask` adds the abstract conditions."""
    parts = [_condition(rng, each, phrasing) for each in query if not _abstract(each)]
    return phrasing.join(parts)


def ask(rng: random.Random, purpose: str, query: VideoQuery, phrasing: Phrasing) -> str:
    """An utterance that asks for a video; a query with an abstract condition gets its own form."""
    description = statement(rng, query, phrasing)
    qualities = [phrasing.qualities[_quality(each)] for each in query if _abstract(each)]
    if qualities:
        template = rng.choice(phrasing.templates["abstract"])
        return phrasing.finish(template.format(s=description, quality=rng.choice(qualities[0])))
    return phrasing.finish(rng.choice(phrasing.templates[purpose]).format(s=description))


def ask_moment(
    rng: random.Random, query: MomentQuery, phrasing: Phrasing, video: VideoQuery = ()
) -> str:
    """An utterance that asks for a moment, of the current video or of one that it describes."""
    form = rng.choice(phrasing.moments[query.pick])
    moment = form.format(s=phrasing.clause(query.event), np=phrasing.noun(query.event))
    template = rng.choice(phrasing.templates["moment_in" if video else "moment"])
    return phrasing.finish(template.format(m=moment, s=statement(rng, video, phrasing)))


def small_talk(
    rng: random.Random, script: Script, query: VideoQuery, phrasing: Phrasing
) -> tuple[str, str]:
    """A chat utterance and its answer; half of them are about the video that `query` describes."""
    if rng.random() < 0.5:
        return rng.choice(phrasing.small_talk)
    topics = sorted(phrasing.questions)
    if any(isinstance(condition, Background) for condition in query):
        topics.remove("background")
    topic = rng.choice(topics)
    question, answer = rng.choice(phrasing.questions[topic])
    look = script.events[-1 if topic == "last" else 0].look
    facts = {
        "e": phrasing.clause(Pattern(shape=look.shape, colour=look.colour, motion=look.motion)),
        "c": phrasing.numbers[len(script.events)],
        "b": phrasing.names[script.background],
    }
    utterance = question.format(s=statement(rng, query, phrasing))
    return phrasing.finish(utterance), phrasing.finish(answer.format(**facts))


def video_text(script: Script, languages: Mapping[str, Phrasing]) -> dict[str, str]:
    """Title and transcript in each language: most of the script's words, in no order.

    The seed is the script's `words`. Twins share it and their words, so they have the same text.
    All languages keep the same words.
    """
    rng = random.Random(f"ivcr-mini:text:{script.words}")
    attributes = sorted(word for event in script.events for word in event.look)
    kept = [word for word in attributes if rng.random() < KEEP_SHARE]
    background = script.background if rng.random() < KEEP_SHARE else None
    rng.shuffle(kept)
    text = {}
    for suffix, phrasing in languages.items():
        title, untitled = phrasing.title
        name = title.format(background=phrasing.tags[background]) if background else untitled
        before, comma = phrasing.transcript
        text[f"title{suffix}"] = phrasing.finish(name)
        text[f"transcript{suffix}"] = phrasing.finish(
            before + comma.join(phrasing.tags[word] for word in kept)
        )
    return text


def _condition(rng: random.Random, condition: Condition, phrasing: Phrasing) -> str:
    match condition:
        case Before(a, b):
            form = rng.choice(phrasing.before)
            return form.format(a=phrasing.clause(a), b=phrasing.clause(b))
        case Longer(a, b):
            form = rng.choice(phrasing.longer)
            return form.format(a=phrasing.clause(a), b=phrasing.clause(b))
        case Background(name):
            return phrasing.background.format(name=phrasing.names[name])
        case Has(event):
            return phrasing.clause(event)
        case _:
            raise ValueError(f"{condition} has no clause of its own: it is a quality")


def _abstract(condition: Condition) -> bool:
    return isinstance(condition, Throughout | Count)


def _quality(condition: Condition) -> str | int:
    match condition:
        case Throughout(pace):
            return pace
        case Count(events):
            return events
        case _:
            raise ValueError(f"{condition} is not a quality")
