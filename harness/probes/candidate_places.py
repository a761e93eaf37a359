"""Whether the place of an answer among a turn's candidates tells it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.outcomes import Floats
from harness.probes.order_tests import OrderFinding
from harness.probes.orders import VideoOrder, mean_places
from harness.probes.runs import Field, ProbedRun
from harness.statistics import excess_ps, paired

FEWEST = 30  # turns
LISTED = "candidates as listed"
HABIT = 0.5  # share of turns in which a run may choose one and the same position


def gold_places(field: Field, orders: tuple[VideoOrder, ...]) -> Iterator[tuple[str, OrderFinding]]:
    """By the order's name, the gold's mean place among the candidates of video turns.

    0 is first and 1 last, as they are listed, then by each order. It is 1/2 where the place says
    nothing; p is two-way cluster-robust.
    """
    for order in (None, *orders):
        places = _place_of_gold(field, order)
        given = ~np.isnan(places)
        if np.count_nonzero(given) < FEWEST:
            continue
        halves = np.where(given, 0.5, 0.0)
        found = paired(field.design, np.nan_to_num(places)[None], halves[None], given.astype(float))
        p = float(found.ps[0])
        mean = float(np.nanmean(places))
        finding = OrderFinding("place among candidates", mean, 0.5, 1.0 if np.isnan(p) else p)
        yield LISTED if order is None else order.name, finding


def _place_of_gold(field: Field, order: VideoOrder | None) -> Floats:
    """(turns,) from 0 to 1; NaN where the gold is no candidate or the only one."""
    places = np.full(len(field.gold), np.nan)
    corpus = {video: at for at, video in enumerate(field.split.corpus)}
    for row, (turn, gold) in enumerate(zip(field.split.turns, field.gold, strict=True)):
        listed = field.split.candidates.get(turn.key, ())
        if turn.task != "video" or gold.video_id not in listed or len(listed) < 2:
            continue
        at = listed.index(gold.video_id)
        if order is not None:
            rank = mean_places([order.place[corpus[video]] for video in listed])[at]
            places[row] = rank / (len(listed) - 1)
        else:
            places[row] = at / (len(listed) - 1)
    return places


def habit(field: Field, run: ProbedRun) -> OrderFinding | None:
    """How often a run chooses the candidate in its favourite position; None without choices.

    Tested is "in at most half of the turns".
    """
    given = run.chosen >= 0
    turns = int(np.count_nonzero(given))
    if turns < FEWEST:
        return None
    favourite = int(np.bincount(run.chosen[given]).argmax())
    there = given & (run.chosen == favourite)
    share = np.count_nonzero(there) / turns
    influence = np.where(given, there - share, 0.0)[:, None] / turns
    spread = field.design.spread(influence, given[:, None])
    p = float(excess_ps([share], spread, HABIT, [turns])[0])
    return OrderFinding("one position", share, HABIT, 1.0 if np.isnan(p) else p)
