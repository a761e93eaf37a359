"""The world of IVCR-Mini: videos as scripts of timed events, half of them with a twin.

The frames, the words, the dialogues and the oracles all come from the scripts. Times are whole
hundredths of a second, so they print exactly and compare exactly. Two events never share a shape or
a colour within a video, and never overlap.

Twins share every word and differ in one thing: the order of two events, the durations of two
events exchanged, or the places of two events exchanged.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

SHAPES = ("ball", "square", "triangle", "star", "heart", "cross")
COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink")
MOTIONS = ("spins", "bounces", "slides", "circles", "pulses", "blinks", "shakes", "flips")
PLACES = ("top", "bottom", "left", "right")
PACES = ("slow", "fast")
BACKGROUNDS = ("white", "black", "grey", "striped", "chequered", "dotted")
DIFFERENCES = ("order", "time", "place")

FPS = 8
SIZES = {"train": 480, "val": 48, "test": 120}  # multiples of 12: half twins, in thirds, in pairs
MULTIPLE = 12
SHORTEST, LONGEST = 8 * FPS, 40 * FPS  # frames
LONG_VIDEO = 20 * FPS  # frames; names the source collection
ON_GRID = 25  # whole hundredths on the 0.125 s frame grid are multiples of 25, as are half seconds
TRIES = 2000


class Look(NamedTuple):
    """The attributes of an event, without its time."""

    shape: str
    colour: str
    motion: str
    place: str
    pace: str


@dataclass(frozen=True)
class Event:
    """One shape on the screen from `start` to before `end`, hundredths of a second."""

    look: Look
    start: int
    end: int

    @property
    def length(self) -> int:
        """Duration in hundredths of a second."""
        return self.end - self.start


@dataclass(frozen=True)
class Script:
    """One video: its events in order of time, its length in frames, and its twin if it has one.

    `difference`: how it differs from its twin; `differs`: in which two of its own events (positions
    from 0, the same in both twins); `words`: the seed of its text, the same for both twins.
    """

    video_id: str
    split: str
    background: str
    events: tuple[Event, ...]
    frames: int
    words: int
    twin: str | None = None
    difference: str | None = None
    differs: tuple[int, int] | None = None

    @property
    def duration(self) -> float:
        """Seconds; exact, since a frame lasts an eighth of a second."""
        return self.frames / FPS

    def bag(self) -> Counter[str]:
        """All words of the script, counted: a bag of words."""
        return Counter([self.background, *(word for each in self.events for word in each.look)])


class Layout(NamedTuple):
    """Looks with their durations, and the gaps before each and after the last (hundredths)."""

    looks: tuple[Look, ...]
    lengths: tuple[int, ...]
    gaps: tuple[int, ...]

    def events(self) -> tuple[Event, ...]:
        """The events in time, one after another."""
        events, now = [], 0
        for look, length, gap in zip(self.looks, self.lengths, self.gaps, strict=False):
            events.append(Event(look, now + gap, now + gap + length))
            now += gap + length
        return tuple(events)

    def frames(self) -> int:
        """Frames of the whole video; the last event ends before the last frame does."""
        return (sum(self.lengths) + sum(self.gaps)) * FPS // 100 + 1


def exchange(layout: Layout, difference: str, i: int, j: int) -> Layout:
    """The twin's layout: order, durations or places of the events `i` and `j` exchanged."""
    looks, lengths = list(layout.looks), list(layout.lengths)
    if difference in ("order", "time"):
        lengths[i], lengths[j] = lengths[j], lengths[i]
    if difference == "order":
        looks[i], looks[j] = looks[j], looks[i]
    if difference == "place":
        looks[i] = layout.looks[i]._replace(place=layout.looks[j].place)
        looks[j] = layout.looks[j]._replace(place=layout.looks[i].place)
    return Layout(tuple(looks), tuple(lengths), layout.gaps)


def make_world(seed: int, train: int = SIZES["train"]) -> tuple[Script, ...]:
    """All scripts of all splits, in an order independent of twins and splits.

    The same seed gives the same scripts on every machine. With another number `train` of training
    videos, a multiple of 12, some are left out or more come after the others; those that stay and
    the other splits are the same. Raises ValueError at another number, RuntimeError if no layout
    meets the rules within a fixed number of draws.
    """
    if train < MULTIPLE or train % MULTIPLE:
        raise ValueError(f"expected a multiple of {MULTIPLE} as the number of training videos")
    rng = random.Random(f"ivcr-mini:{seed}:world")
    numbers = rng.sample(range(16**8), sum(SIZES.values()))
    names = iter(f"{number:08x}" for number in numbers)
    splits = {split: _split(rng, split, size, names, []) for split, size in SIZES.items()}
    world = [script for split in splits.values() for script in split]
    rng.shuffle(world)
    known, half = splits["train"], len(splits["train"]) // 2
    if train < len(known):  # twins come first
        kept = {each.video_id for each in (*known[: train // 2], *known[half : half + train // 2])}
        world = [each for each in world if each.split != "train" or each.video_id in kept]
    return (*world, *_more(seed, train - len(known), known, frozenset(numbers)))


def _more(
    seed: int, number: int, known: Sequence[Script], taken: Collection[int]
) -> Sequence[Script]:
    """So many more training videos beside the known ones, none if it is below 1."""
    rng = random.Random(f"ivcr-mini:{seed}:world:more")
    number = max(number, 0)
    numbers = rng.sample(range(16**8), number + len(taken))
    names = (f"{name:08x}" for name in numbers if name not in taken)
    more = _split(rng, "train", number, names, [script.bag() for script in known])
    rng.shuffle(more)
    return more


def _split(
    rng: random.Random, split: str, size: int, names: Iterator[str], bags: list[Counter[str]]
) -> list[Script]:
    """Videos of a split, twins before others; `bags`: the words of those that there are already."""
    result: list[Script] = []
    pairs = [DIFFERENCES[index % len(DIFFERENCES)] for index in range(size // 4)]
    for difference in [*pairs, *[None] * (size // 2)]:
        videos = _draw_distinct(rng, split, difference, bags)
        bags.append(videos[0].bag())
        result += _named(videos, names)
    return result


def _draw_distinct(
    rng: random.Random,
    split: str,
    difference: str | None,
    bags: Sequence[Counter[str]],
) -> tuple[Script, ...]:
    """A new video or pair of twins whose words neither contain another video's nor are part of
    them.

    Otherwise no words could identify a pair: all its words may occur in a longer video.
    """
    for _ in range(TRIES):
        videos = _pair(rng, split, difference) if difference else _single(rng, split)
        bag = videos[0].bag() if videos else Counter[str]()
        if videos and not any(bag <= other or other <= bag for other in bags):
            return videos
    raise RuntimeError(f"no valid {difference or 'single'} video in {TRIES} draws: see world.py")


def _single(rng: random.Random, split: str) -> tuple[Script, ...]:
    layout = _draw(rng)
    return (_script(rng, split, layout),) if _is_valid(layout) else ()


def _pair(rng: random.Random, split: str, difference: str) -> tuple[Script, ...]:
    layout = _draw(rng)
    i, j = sorted(rng.sample(range(len(layout.looks)), 2))
    if difference == "time":
        layout = _contrast(rng, layout, i, j)
    twin = exchange(layout, difference, i, j)
    if difference == "place" and layout.looks[i].place == layout.looks[j].place:
        return ()
    if not (_is_valid(layout) and _is_valid(twin)):
        return ()
    one = replace(_script(rng, split, layout), difference=difference, differs=(i, j))
    return one, replace(one, events=twin.events())


def _named(videos: tuple[Script, ...], names: Iterator[str]) -> tuple[Script, ...]:
    ids = [f"{each.video_id}/{next(names)}.mp4" for each in videos]
    twins = reversed(ids) if len(ids) == 2 else [None]
    return tuple(
        replace(each, video_id=name, twin=twin)
        for each, name, twin in zip(videos, ids, twins, strict=True)
    )


def _script(rng: random.Random, split: str, layout: Layout) -> Script:
    """A script whose id is its source collection alone, so far."""
    return Script(
        video_id="MiniLong" if layout.frames() >= LONG_VIDEO else "MiniShort",
        split=split,
        background=rng.choice(BACKGROUNDS),
        events=layout.events(),
        frames=layout.frames(),
        words=rng.getrandbits(32),
    )


def _draw(rng: random.Random) -> Layout:
    count = rng.randint(2, 5)
    shapes, colours = rng.sample(SHAPES, count), rng.sample(COLOURS, count)
    # Half of the videos keep one pace throughout, so that "something calm" has answers.
    pace = rng.choice((*PACES, None, None))
    looks = tuple(
        Look(shape, colour, rng.choice(MOTIONS), rng.choice(PLACES), pace or rng.choice(PACES))
        for shape, colour in zip(shapes, colours, strict=True)
    )
    lengths = tuple(rng.randint(160, 680) for _ in range(count))
    # Long leads and tails, so that no relative span is a good guess for most moments.
    lead, tail = rng.randint(40, 600), rng.randint(40, 600)
    between = [rng.randint(40, 240) for _ in range(count - 1)]
    return Layout(looks, lengths, (lead, *between, tail))


def _contrast(rng: random.Random, layout: Layout, i: int, j: int) -> Layout:
    """The layout with one of the two events short and the other clearly long."""
    lengths = list(layout.lengths)
    lengths[i], lengths[j] = rng.sample((rng.randint(160, 280), rng.randint(480, 680)), 2)
    return layout._replace(lengths=tuple(lengths))


def _is_valid(layout: Layout) -> bool:
    times = [time for event in layout.events() for time in (event.start, event.end)]
    return SHORTEST <= layout.frames() <= LONGEST and all(time % ON_GRID for time in times)
