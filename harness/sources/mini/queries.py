"""The meaning of an utterance: a small structured query, and its notation.

A video query is a conjunction of conditions on a script; a moment query picks one event of a
video. Both are written into `text_id` in a plain notation, so that anyone with the scripts can
check the gold again:

    before(red ball spins; blue star) & background(striped)        a video
    has(red ball top) > at(green heart)                            a moment of a video
    ... + has(green heart)                                         adds to the turns before

Within the brackets stand the words of `world.py`, in any number, `;` between the two events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from harness.sources.mini.world import Event, Look, Script


class Pattern(NamedTuple):
    """Some attributes of an event; None leaves one open."""

    shape: str | None = None
    colour: str | None = None
    motion: str | None = None
    place: str | None = None
    pace: str | None = None

    def fits(self, look: Look) -> bool:
        """Whether the look has every attribute that the pattern names."""
        return all(want is None or want == has for want, has in zip(self, look, strict=True))

    def words(self) -> list[str]:
        """The attributes named, in the order of the fields."""
        return [word for word in self if word is not None]


class Has(NamedTuple):
    """Some event fits."""

    event: Pattern


class Before(NamedTuple):
    """An event that fits `first` starts before one that fits `second`."""

    first: Pattern
    second: Pattern


class Longer(NamedTuple):
    """An event that fits `long` lasts longer than one that fits `short`."""

    long: Pattern
    short: Pattern


class Background(NamedTuple):
    """The background is this one."""

    name: str


class Throughout(NamedTuple):
    """All events have this pace: calm is slow throughout, lively is fast throughout."""

    pace: str


class Count(NamedTuple):
    """The video has this many events: two is simple, five is busy."""

    events: int


Condition = Has | Before | Longer | Background | Throughout | Count
VideoQuery = tuple[Condition, ...]


ANY = Pattern()


@dataclass(frozen=True)
class MomentQuery:
    """One event of a video: `at` the one that fits, or a neighbour of it, or an extreme.

    `pick` is at, after or until (the event next to the one that fits), first, last, longest or
    shortest (of the whole video; `event` is then empty).
    """

    pick: str
    event: Pattern = ANY


def holds(condition: Condition, script: Script) -> bool:
    """Whether a script meets one condition."""
    match condition:
        case Has(event):
            return any(event.fits(each.look) for each in script.events)
        case Before(first, second):
            return any(a.start < b.start for a, b in _pairs(script, first, second))
        case Longer(long, short):
            return any(a.length > b.length for a, b in _pairs(script, long, short))
        case Background(name):
            return script.background == name
        case Throughout(pace):
            return all(each.look.pace == pace for each in script.events)
        case Count(events):
            return len(script.events) == events


def find_moment(query: MomentQuery, script: Script) -> Event | None:
    """The one event that the query picks, or None if there is none or more than one."""
    events = script.events
    if query.pick in ("longest", "shortest"):
        return _extreme(events, query.pick == "longest")
    if query.pick in ("first", "last"):
        return events[0 if query.pick == "first" else -1]
    fitting = [i for i, each in enumerate(events) if query.event.fits(each.look)]
    if len(fitting) != 1:
        return None
    place = fitting[0] + {"at": 0, "after": 1, "until": -1}[query.pick]
    return events[place] if 0 <= place < len(events) else None


def notation(query: VideoQuery | MomentQuery) -> str:
    """The query in the notation of this module."""
    if isinstance(query, MomentQuery):
        return f"{query.pick}({' '.join(query.event.words())})"
    return " & ".join(
        f"{type(condition).__name__.lower()}({'; '.join(map(_part, condition))})"
        for condition in query
    )


def patterns(query: VideoQuery) -> list[Pattern]:
    """The events that a query names, in its order."""
    return [part for condition in query for part in condition if isinstance(part, Pattern)]


def _part(part: Pattern | str | int) -> str:
    return " ".join(part.words()) if isinstance(part, Pattern) else str(part)


def _pairs(script: Script, one: Pattern, two: Pattern) -> Iterator[tuple[Event, Event]]:
    for a in script.events:
        for b in script.events:
            if a is not b and one.fits(a.look) and two.fits(b.look):
                yield a, b


def _extreme(events: tuple[Event, ...], longest: bool) -> Event | None:
    ranked = sorted(events, key=lambda event: event.length, reverse=longest)
    short, long = sorted((ranked[0].length, ranked[1].length))
    # A person must see it without a stopwatch.
    return ranked[0] if long * 4 >= short * 5 else None
