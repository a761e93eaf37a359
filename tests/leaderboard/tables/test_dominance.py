"""Dominated rows against double loops over the tests of pairs, and what ranks alone say."""

import random
from itertools import product

import numpy as np
import pytest
from msgspec.structs import replace

from harness.records import Card
from harness.statistics import max_t
from leaderboard.board.records import Standing
from leaderboard.tables import ranks
from leaderboard.tables.dominance import dominance, superiority
from leaderboard.tables.ranked_table import tables
from leaderboard.tables.ranks import with_standings
from tests.leaderboard import generated
from tests.leaderboard.conftest import read
from tests.leaderboard.tables.test_ranked_table import entry, video

SKILLS = (0.75, 0.7, 0.68, 0.5, 0.49, 0.47, 0.3, 0.28, 0.1)
COSTS = (900, 500, 20, 500, 500, 3, 40, 2, 1)


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """A table of nine rows with their outcomes, its design, and one row that has none."""
    root = tmp_path_factory.mktemp("dominance")
    bench, draw = generated.bench(root), random.Random(4)
    for n, skill in enumerate(SKILLS):
        card = Card(1, "Team", f"System {n}", "none", "unused", parameters=COSTS[n])
        figures = generated.figures(skill, ("video",), draw)
        generated.put(root / "runs/team" / f"run-{n}", bench, card, figures)
    design = generated.turn_by_turn(root / "runs", bench, np.random.default_rng(4))
    return tables(read(root / "runs", bench).entries, generated.METRICS)[0], design


def standing(tested, **settings):
    table, design = tested
    return with_standings([table], generated.outcomes_of, lambda: design, {}, **settings)[0]


def by_double_loop(table, design):
    """By system, those that dominate it: every pair tested here, none read from the standing."""
    metric = table.columns[0]
    files = [np.load(generated.outcomes_of(r.entry) / "scores.outcomes.npz") for r in table.rows]
    values = np.array([file["table"][2 * list(file["metrics"]).index("R@1")] for file in files])
    ps = max_t(design, values, np.ones(values.shape[1]), (metric.low, metric.high))
    means = values.mean(axis=1)
    costs = [row.amounts[0].value for row in table.rows]
    found = {row.entry.key: set() for row in table.rows}
    for n, m in product(range(len(values)), repeat=2):
        if n != m and ps[n, m] <= 0.05 and means[n] > means[m] and costs[n] <= costs[m]:
            found[table.rows[m].entry.key].add(table.rows[n].entry.key)
    return found


def dominated(table):
    """The same, as the board says it."""
    known = superiority(table)
    costs = [row.amounts[0] and row.amounts[0].value for row in known.rows]
    over = dominance(known, costs)
    return {
        row.entry.key: {known.rows[place].entry.key for place in np.flatnonzero(column)}
        for row, column in zip(known.rows, over.T, strict=True)
    }


def test_dominated_rows_are_those_of_a_double_loop_over_all_pairs(tested):
    table = standing(tested)
    assert superiority(table).basis == "pairs"
    expected = by_double_loop(table, tested[1])
    assert dominated(table) == expected
    front = {key for key, over in expected.items() if not over}
    assert 2 < len(front) < len(expected), "a board on which both happens"


def closed(found):
    """What follows from pairs: who is better than someone who is better."""
    better = found.copy()
    for middle, one, other in product(range(len(better)), repeat=3):
        better[one, other] |= better[one, middle] and better[middle, other]
    return better


def test_ranks_alone_say_no_more_than_pairs_and_not_nothing(tested):
    pairs = superiority(standing(tested)).better
    alone = superiority(standing(tested, pairs=False))
    assert alone.basis == "ranks"
    assert alone.better.any()
    assert not (alone.better & ~closed(pairs)).any()


def test_below_the_rows_whose_pairs_are_kept_ranks_decide(tested, monkeypatch):
    whole, alone = superiority(standing(tested)), superiority(standing(tested, pairs=False))
    monkeypatch.setattr(ranks, "COMPARED", 4)
    some = superiority(standing(tested))
    assert some.basis == "both"
    assert (some.better[:4, :4] == whole.better[:4, :4]).all()
    for part in (np.s_[4:], np.s_[:, 4:]):
        assert (some.better[part] == alone.better[part]).all()


def ranked(spans, alike=()):
    """A table of rows with these rank ranges, best first; None: not tested."""
    rows = [entry(f"s{n}", **{"R@1": 0.9 - n / 10}) for n in range(len(spans))]
    cards = [replace(row.card, parameters=COSTS[n]) for n, row in enumerate(rows)]
    rows = [row._replace(card=card) for row, card in zip(rows, cards, strict=True)]
    table = video(rows)
    keys = [row.entry.key for row in table.rows]
    spans = {key: span for key, span in zip(keys, spans, strict=True) if span}
    return table._replace(standing=Standing(ranges=spans, alike=tuple(keys[n] for n in alike)))


@pytest.mark.parametrize(
    ("spans", "alike", "better"),
    [
        ([(1, 1), (2, 3), (2, 3)], [], {(0, 1), (0, 2)}),
        ([(1, 2), (1, 3), (2, 3)], [1], {(0, 2)}),  # the missing dagger tells of the first row
        ([(1, 3), (1, 3), (1, 3)], [1, 2], set()),
        ([(1, 1), None, (2, 3)], [], {(0, 1)}),  # places among the tested rows
        ([(1, 2), (1, 2), (3, 4), (3, 4)], [1], {(0, 2), (0, 3), (1, 2), (1, 3)}),
    ],
)
def test_rank_ranges_that_do_not_overlap_and_daggers_tell_rows_apart(spans, alike, better):
    found = superiority(ranked(spans, alike))
    assert set(map(tuple, np.argwhere(found.better).tolist())) == better


def test_equal_costs_dominate_and_unknown_ones_take_no_part():
    found = superiority(ranked([(1, 1), (2, 2), (3, 3)]))
    for costs, expected in (
        ([5, 5, 5], [[0, 1], [0, 2], [1, 2]]),
        ([6, 5, 5], [[1, 2]]),
        ([5, None, 5], [[0, 2]]),
    ):
        assert np.argwhere(dominance(found, costs)).tolist() == expected


def test_nothing_is_said_of_what_was_not_tested():
    assert superiority(ranked([None, None, None])) is None
    assert superiority(ranked([(1, 1), None, None])) is None
    assert superiority(video([entry("alone", **{"R@1": 0.5})])) is None
