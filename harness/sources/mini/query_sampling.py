"""Queries about a given video, checked by the oracles as they are sampled.

Every function that samples queries raises RuntimeError if a fixed number of draws finds none.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from harness.sources.mini.oracles import Oracles
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
    find_moment,
)
from harness.sources.mini.world import Event, Look, Script

TRIES = 200
FIELDS = Look._fields
NAMED = ("shape", "colour")  # every event of a video query is named by these
UNNAMED = ("motion", "place", "pace")


def pixel_query(
    rng: random.Random, oracles: Oracles, script: Script, context: VideoQuery = ()
) -> VideoQuery:
    """A query that names both events in which the video differs from its twin, and how.

    The script oracle finds the video alone, the words oracle it and its twin. Attributes are added
    one by one, in random order, until both hold. Conditions of the `context` are not repeated
    unless nothing else separates the twins. Raises ValueError if the video has no twin,
    RuntimeError if no query is found.
    """
    if script.differs is None or script.difference is None or script.twin is None:
        raise ValueError(f"{script.video_id} has no twin: a pixel query needs one")
    pair = {script.video_id, script.twin}
    for attempt in range(TRIES):
        for query in _pixel_drafts(rng, script, script.difference, script.differs):
            if query[0] in context and attempt < TRIES // 4:
                continue
            if set(oracles.words(query)) == pair and oracles.script(query) == [script.video_id]:
                return query
    raise RuntimeError(f"no pixel query for {script.video_id} in {TRIES} draws: see world.py")


def plain_query(
    rng: random.Random, oracles: Oracles, script: Script, context: VideoQuery = ()
) -> VideoQuery:
    """Conditions that, with the `context`, the script oracle finds in this video alone.

    Raises RuntimeError if no such query is found.
    """
    for _ in range(TRIES):
        for query in _plain_drafts(rng, script):
            if oracles.script(context + query) == [script.video_id]:
                return query
    raise RuntimeError(f"no unique query for {script.video_id} in {TRIES} draws: see world.py")


def detail_query(
    rng: random.Random, oracles: Oracles, script: Script, context: VideoQuery
) -> VideoQuery:
    """One more condition; with the `context` it fits this video alone."""
    for _ in range(TRIES):
        event = rng.choice(script.events)
        options: list[Condition] = [Has(pattern_of(event, [*NAMED, rng.choice(UNNAMED)]))]
        options.append(
            Has(pattern_of(event, rng.choice((("colour", "motion"), ("shape", "place")))))
        )
        options.append(Background(script.background))
        detail = rng.choice(options)
        if detail not in context and oracles.script((*context, detail)) == [script.video_id]:
            return (detail,)
    return plain_query(rng, oracles, script, context=context)


def abstract_query(rng: random.Random, oracles: Oracles, script: Script) -> VideoQuery:
    """A unique query whose first condition is a quality of the whole video.

    Raises ValueError if the video has no such quality.
    """
    qualities = abstract_conditions(script)
    if not qualities:
        raise ValueError(f"{script.video_id} is neither calm, lively, simple nor busy")
    quality = (rng.choice(qualities),)
    return quality + plain_query(rng, oracles, script, context=quality)


def vague_query(rng: random.Random, oracles: Oracles, script: Script, most: int = 6) -> VideoQuery:
    """A query that fits this video and some others, at most `most` in all.

    Raises RuntimeError if no such query is found.
    """
    for _ in range(TRIES):
        for query in _vague_drafts(rng, script):
            if 2 <= len(oracles.script(query)) <= most:
                return query
    raise RuntimeError(f"no vague query for {script.video_id} in {TRIES} draws: see world.py")


def abstract_conditions(script: Script) -> list[Condition]:
    """Conditions on the whole video: calm or lively, simple or busy."""
    paces = {event.look.pace for event in script.events}
    count = len(script.events)
    found: list[Condition] = [Throughout(paces.pop())] if len(paces) == 1 else []
    return [*found, Count(count)] if count in (2, 5) else found


def moment_query(
    rng: random.Random, script: Script, used_starts: frozenset[int] = frozenset()
) -> tuple[MomentQuery, Event]:
    """A query that picks one event of the video, and the event.

    Events whose start is in `used_starts` are left out while there are others. Raises RuntimeError
    if no query is found.
    """
    fresh = [event for event in script.events if event.start not in used_starts] or script.events
    for _ in range(TRIES):
        query = _moment_draft(rng, script, rng.choice(fresh))
        event = find_moment(query, script)
        if event in fresh and event is not None:
            return query, event
    raise RuntimeError(f"no moment query for {script.video_id} in {TRIES} draws: see world.py")


def _pixel_drafts(
    rng: random.Random, script: Script, difference: str, differs: tuple[int, int]
) -> Iterator[VideoQuery]:
    """Longer and longer queries about the two events that differ."""
    a, b = (script.events[i] for i in differs)
    if difference == "time" and a.length < b.length:
        a, b = b, a
    named = (*NAMED, "place") if difference == "place" else NAMED
    steps = [(which, field) for which in (0, 1) for field in UNNAMED if field not in named]
    rng.shuffle(steps)
    fields: tuple[list[str], list[str]] = (list(named), list(named))
    extra: list[Condition] = [Background(script.background)]
    others = [each for each in script.events if each not in (a, b)]
    extra += [Has(pattern_of(each, FIELDS)) for each in rng.sample(others, len(others))]
    for which, field in steps:
        fields[which].append(field)
        yield _differing(difference, pattern_of(a, fields[0]), pattern_of(b, fields[1]))
    for count in range(1, len(extra) + 1):
        yield (
            *_differing(difference, pattern_of(a, FIELDS), pattern_of(b, FIELDS)),
            *extra[:count],
        )


def _differing(difference: str, a: Pattern, b: Pattern) -> VideoQuery:
    if difference == "place":
        return (Has(a), Has(b))
    return (Before(a, b),) if difference == "order" else (Longer(a, b),)


def _plain_drafts(rng: random.Random, script: Script) -> Iterator[VideoQuery]:
    """Longer and longer queries about one or two events and the background."""
    count = min(rng.choice((1, 2, 2, 3)), len(script.events))
    events = rng.sample(script.events, count)
    relation = rng.choice(("has", "before", "longer")) if count == 2 else "has"
    tail: VideoQuery = (Background(script.background),) if rng.random() < 0.4 else ()
    fields = [[*NAMED, rng.choice(UNNAMED)] for _ in events]
    steps = [(i, field) for i in range(count) for field in UNNAMED if field not in fields[i]]
    for which, field in [(0, None), *rng.sample(steps, len(steps))]:
        if field:
            fields[which].append(field)
        patterns = [pattern_of(event, names) for event, names in zip(events, fields, strict=True)]
        yield _related(relation, events, patterns) + tail


def _vague_drafts(rng: random.Random, script: Script) -> Iterator[VideoQuery]:
    """Two to four attributes of one event, now and then with the background."""
    event = rng.choice(script.events)
    names = rng.sample(FIELDS, 4)
    tail: VideoQuery = (Background(script.background),) if rng.random() < 0.3 else ()
    for count in (2, 3, 4):
        yield (Has(pattern_of(event, names[:count])), *tail)


def _related(relation: str, events: list[Event], patterns: list[Pattern]) -> VideoQuery:
    if relation == "before":
        first, second = sorted((0, 1), key=lambda i: events[i].start)
        return (Before(patterns[first], patterns[second]),)
    if relation == "longer":
        short, long = sorted((0, 1), key=lambda i: events[i].length)
        if events[short].length * 3 <= events[long].length * 2:  # else a person could not tell
            return (Longer(patterns[long], patterns[short]),)
    return tuple(Has(each) for each in patterns)


def _moment_draft(rng: random.Random, script: Script, event: Event) -> MomentQuery:
    pick = rng.choice(("at",) * 10 + ("after", "after", "until", "first", "last", "longest"))
    if pick in ("first", "last", "longest"):
        pick = "shortest" if pick == "longest" and rng.random() < 0.5 else pick
        return MomentQuery(pick)
    place = script.events.index(event) - {"at": 0, "after": 1, "until": -1}[pick]
    anchor = script.events[place] if 0 <= place < len(script.events) else event
    names = rng.sample(FIELDS, rng.randint(2, 4)) if pick == "at" else list(NAMED)
    return MomentQuery(pick, pattern_of(anchor, names))


def pattern_of(event: Event, names: tuple[str, ...] | list[str]) -> Pattern:
    """The pattern that names these attributes of an event."""
    return Pattern(**{name: getattr(event.look, name) for name in names})
