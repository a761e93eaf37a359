"""Tables: what is ranked with what, in which order, and what is never ranked."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy.stats import rankdata

from harness.records import Card
from leaderboard.board.records import Cell, Entry, ScoredOn, ScoredRun, Scores
from leaderboard.tables.ranked_table import tables, track_tables
from leaderboard.tables.seeds import fold_seeds
from leaderboard.tables.tracks import Track
from tests.leaderboard.generated import METRICS

VALUES = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))


def entry(key, history="none", candidates="unused", floor=False, part="all", **cells):
    """An entry with the figures of `cells`, by metric name with _ for what Python cannot spell."""
    card = Card(1, "team", key, history, candidates)
    figures = {
        name: Cell(value, why=None if value is not None else "no") for name, value in cells.items()
    }
    scores = Scores(
        1, "", "ivcr", ScoredOn("", "", "", "", ""), ScoredRun("", "", "", "", ""), {part: figures}
    )
    return Entry(key, card, scores, floor)


def video(entries):
    return next(table for table in tables(entries, METRICS) if table.track.name == "video")


@given(st.lists(VALUES, min_size=1, max_size=30), st.sampled_from(["R@1", "MedR"]))
def test_ranks_are_those_of_scipy_and_undefined_figures_come_last(values, metric):
    rows = [entry(f"s{n:02}", **{metric: value, "MRR": 0.5}) for n, value in enumerate(values)]
    (table,) = track_tables(Track("any", (metric, "MRR")), fold_seeds(rows), METRICS)
    sign = -1 if metric == "R@1" else 1
    defined = {f"s{n:02}": sign * value for n, value in enumerate(values) if value is not None}
    ranks = rankdata(list(defined.values()), method="min")
    expected = {key: int(rank) for key, rank in zip(defined, ranks, strict=True)}
    assert {row.entry.key: row.rank for row in table.rows if row.rank is not None} == expected
    order = [defined.get(row.entry.key, math.inf) for row in table.rows]
    assert order == sorted(order)


def test_equal_values_share_the_better_rank():
    table = video(
        [
            entry(key, **{"R@1": value})
            for key, value in zip("abcd", (0.5, 0.7, 0.5, 0.1), strict=True)
        ]
    )
    assert [(row.rank, row.entry.key) for row in table.rows] == [
        (1, "b"),
        (2, "a"),
        (2, "c"),
        (4, "d"),
    ]


def test_equal_values_stand_in_the_order_of_their_names():
    """By team, then system, then key: the order in which folders are read does not show."""
    same = [entry(key, **{"R@1": 0.5}) for key in ("team/b", "team/c", "team/a")]
    rows = [row._replace(card=replace(row.card, system="one")) for row in same]
    others = [replace(rows[0].card, system="another"), replace(rows[0].card, team="a team")]
    rows += [rows[0]._replace(key=f"z/{n}", card=card) for n, card in enumerate(others)]
    assert [row.entry.key for row in video(rows).rows] == [
        "z/1",
        "z/0",
        "team/a",
        "team/b",
        "team/c",
    ]


def test_floors_stand_in_their_place_without_a_rank():
    rows = [
        entry("good", **{"R@1": 0.9}),
        entry("floor", floor=True, **{"R@1": 0.5}),
        entry("poor", **{"R@1": 0.1}),
    ]
    table = video(rows)
    assert [(row.entry.key, row.rank) for row in table.rows] == [
        ("good", 1),
        ("floor", None),
        ("poor", 2),
    ]
    assert table.floor is not None
    assert table.floor.entry.key == "floor"


def test_histories_and_candidate_use_never_share_a_table(board):
    for table in board.tables:
        kinds = {(row.entry.card.history, row.entry.card.candidates) for row in table.rows}
        assert kinds == {(table.history, table.candidates)}
    names = [table.name for table in board.tables]
    assert len(names) == len(set(names))


def test_a_table_appears_only_with_a_figure_and_a_row_only_where_it_has_one():
    silent = entry("silent", **{"R@1": None})
    assert tables([silent], METRICS) == ()
    table = video(
        [entry("other", **{"R@1": None, "R@5": 0.3}), silent, entry("speaks", **{"R@1": 0.0})]
    )
    assert [row.entry.key for row in table.rows] == ["speaks", "other"]
    assert [row.rank for row in table.rows] == [1, None]


@pytest.mark.parametrize(
    ("history", "track"),
    [("own", "end-to-end"), ("reference", "moment"), ("none", "moment")],
)
def test_moments_with_own_history_are_a_track_of_their_own(history, track):
    made = tables([entry("a", history, **{"R@1,IoU>=0.5": 0.4})], METRICS)
    assert [table.track.name for table in made] == [track]


def test_responses_are_ranked_within_a_language():
    made = tables([entry("a", part="language=zh", **{"BLEU-4": 20.0})], METRICS)
    assert [table.track.name for table in made] == ["response-zh"]
