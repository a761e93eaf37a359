"""Orders that tell the gold: its place among a turn's candidates, and the order of the videos."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

import msgspec

from harness.benchmark import Split
from harness.public_copy.findings import GoldFinding
from harness.records import Gold, TurnKey

# A first stage puts the gold first in up to half of its lists (IVCR-Mini: 42 %), which is for all
# to see; in four of five it is no first stage.
GIVEN_AWAY = 0.8
FEWEST = 20  # turns
NOTED = 1e-6  # probability of so many hits by chance


class OrderRule(NamedTuple):
    """A rule that reads no query: `place` gives the candidate's number, from 0, that it picks."""

    name: str
    place: Callable[[Sequence[str], int, int], int]


class _Case(NamedTuple):
    """A turn whose gold is among its candidates; `line`: its line in candidates.jsonl, from 0."""

    names: tuple[str, ...]
    gold: str
    line: int
    turn: int


def _by_place(at: int) -> OrderRule:
    def place(names: Sequence[str], line: int, turn: int) -> int:
        return at if at < len(names) else -1

    return OrderRule(f"number {at + 1} of the list", place)


def _from_end(at: int) -> OrderRule:
    return OrderRule(f"number {at + 1} from the end", lambda names, line, turn: len(names) - 1 - at)


def _by_name(at: int) -> OrderRule:
    def place(names: Sequence[str], line: int, turn: int) -> int:
        return names.index(sorted(names)[at]) if at < len(names) else -1

    return OrderRule(f"number {at + 1} by name", place)


def _by_line(at: int) -> OrderRule:
    return OrderRule(
        f"number (line + {at}) modulo length", lambda names, line, turn: (line + at) % len(names)
    )


def _by_turn(at: int) -> OrderRule:
    return OrderRule(
        f"number (turn + {at}) modulo length", lambda names, line, turn: (turn + at) % len(names)
    )


RULES = tuple(
    make(at) for make in (_by_place, _from_end, _by_name, _by_line, _by_turn) for at in range(10)
)


def candidate_order(
    name: str, candidates: Mapping[TurnKey, tuple[str, ...]], gold: Sequence[Gold]
) -> Iterator[GoldFinding]:
    """Whether a rule that reads no query finds the gold among candidates; `name`: their file.

    A rule that is right in GIVEN_AWAY of FEWEST turns and more stands against handing out; one that
    is right more often than by chance is a note.
    """
    right = {each.key: each.video_id for each in gold}
    cases = [
        _Case(names, video, line, key.turn)
        for line, (key, names) in enumerate(candidates.items())
        if (video := right.get(key)) is not None and video in names
    ]
    if len(cases) < FEWEST:
        return
    best, hits = max(((rule, _hits(rule, cases)) for rule in RULES), key=lambda each: each[1])
    share = hits / len(cases)
    chance = sum(1 / len(case.names) for case in cases) / len(cases)
    if share >= GIVEN_AWAY or _tail(len(cases), hits, chance) * len(RULES) < NOTED:
        yield GoldFinding(
            name,
            None,
            f"{best.name} is the gold in {hits:,} of {len(cases):,} lists that hold it "
            f"({share:.0%}, by chance {chance:.0%})",
            stands_against=share >= GIVEN_AWAY,
        )
    yield from _lengths(name, candidates, right)


def _hits(rule: OrderRule, cases: Sequence[_Case]) -> int:
    hits = 0
    for case in cases:
        at = rule.place(case.names, case.line, case.turn)
        hits += 0 <= at < len(case.names) and case.names[at] == case.gold
    return hits


def _tail(count: int, hits: int, chance: float) -> float:
    """A bound of the probability of at least so many hits: Hoeffding, JASA 1963, theorem 1."""
    share = hits / count
    if share <= chance or not 0 < chance < 1:
        return 1.0
    if share == 1:
        return chance**count
    distance = share * math.log(share / chance)
    distance += (1 - share) * math.log((1 - share) / (1 - chance))
    return math.exp(-count * distance)


def _lengths(
    name: str, candidates: Mapping[TurnKey, tuple[str, ...]], right: Mapping[TurnKey, str | None]
) -> Iterator[GoldFinding]:
    """Whether the gold alone stands twice in lists."""
    twice = sum(
        Counter(names).most_common(1)[0] == (right.get(key), 2) for key, names in candidates.items()
    )
    if twice:
        yield GoldFinding(name, None, f"the gold alone stands twice in {twice:,} lists")


def never_candidates(name: str, split: Split, gold: Sequence[Gold]) -> Iterator[GoldFinding]:
    """A note of gold videos that the corpus shows and no list of candidates."""
    listed = {video for names in split.candidates.values() for video in names}
    alone = set(split.corpus) - listed
    right = {each.video_id for each in gold}
    if alone & right and split.candidates:
        yield GoldFinding(
            name,
            None,
            f"{len(alone & right):,} of the {len(alone):,} videos that no list of candidates names "
            "are gold, though of which turn is not said; `--corpus all` at import adds others",
            stands_against=False,
        )


def video_order(name: str, videos: Sequence[str], gold: Sequence[Gold]) -> Iterator[GoldFinding]:
    """Whether videos stand in the order in which turns have them as gold; `videos`: ids in order.

    Of neighbours by first turn, half ascend by chance.
    """
    place = {video: at for at, video in enumerate(videos)}
    seen = dict.fromkeys(each.video_id for each in gold if each.video_id in place)
    places = [place[video] for video in seen if video is not None]
    pairs = list(pairwise(places))
    if len(pairs) < FEWEST:
        return
    ascending = sum(one < other for one, other in pairs) / len(pairs)
    if max(ascending, 1 - ascending) >= GIVEN_AWAY:
        yield GoldFinding(
            name, None, "the videos stand in the order in which turns have them as gold"
        )


def floor_answers(name: str, lines: Sequence[bytes], gold: Sequence[Gold]) -> Iterator[GoldFinding]:
    """Whether a floor's predictions are the gold, as no baseline that reads no query gets it.

    `lines`: of predictions.jsonl, unpacked; those that are none are passed over.
    """
    right = {each.key: each for each in gold if each.video_id is not None}
    hits, count = 0, 0
    for line in lines:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            answer = msgspec.json.decode(line, type=_Answer)
            wanted = right.get(TurnKey(answer.dialogue_id, answer.turn))
            count += wanted is not None
            hits += wanted is not None and wanted.video_id in answer.first()
    if count >= FEWEST and hits / count >= GIVEN_AWAY:
        yield GoldFinding(
            name, None, f"its first answers are the gold in {hits:,} of {count:,} turns"
        )


class _Place(msgspec.Struct, frozen=True):
    video_id: str


class _Answer(msgspec.Struct, frozen=True):
    """A prediction line, as far as the videos that it names first."""

    dialogue_id: str
    turn: int
    videos: list[str] = []
    choice: list[str] = []
    moments: list[_Place] = []

    def first(self) -> list[str]:
        """The videos that stand first in the lists."""
        return [*self.videos[:1], *self.choice[:1], *(each.video_id for each in self.moments[:1])]
