"""Units, joined groups, and which of them are the clusters of a design."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.statistics import Design, connected_groups, resampling_units
from tests.statistics.graphs import official

EDGES = st.lists(st.tuples(st.integers(0, 12), st.integers(-1, 12)), min_size=1, max_size=40)


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


def test_units_are_dialogues_and_single_turns_where_turns_are_independent():
    units = resampling_units([3, 3, 9, 9, 9, 5, 5], [4, 4, 7, 7, 7, 1, 1])
    assert partition(units) == partition(np.array([0, 0, 1, 2, 3, 4, 4]))
    assert sorted(set(units.tolist())) == list(range(5))


@given(EDGES)
def test_groups_are_the_connected_components(edges: list[tuple[int, int]]):
    unit, video = np.array(edges).T
    has = video >= 0
    links = (np.ones(has.sum()), (unit[has], 13 + video[has]))
    foreign = connected_components(coo_array(links, shape=(26, 26)), directed=False)[1]
    assert partition(connected_groups(unit, video)) == partition(foreign[unit])


def test_a_turn_without_a_video_joins_nothing():
    assert partition(connected_groups([0, 1, 2], [-1, -1, 5])) == {
        frozenset({0}),
        frozenset({1}),
        frozenset({2}),
    }


@pytest.mark.parametrize(
    ("sharing", "kind", "count", "largest"),
    [(5, "groups", 96, 0.05), (6, "units", 100, 0.01)],
    ids=["a group of 5 in 100 turns", "a group of 6 in 100 turns"],
)
def test_groups_are_the_clusters_up_to_one_turn_in_twenty(sharing, kind, count, largest):
    video = np.where(np.arange(100) < sharing, 0, np.arange(100))
    design = Design.of(np.arange(100), video, np.ones(100))
    assert (design.kind, design.count, design.largest) == (kind, count, largest)


def test_only_retrieval_turns_join_and_count():
    # Forty dialogues name video 99 without asking for it; twenty of them ask for one of their own.
    unit, asked = np.repeat(np.arange(40), 2), np.tile([False, True], 40) & (np.arange(80) < 40)
    design = Design.of(unit, np.where(asked, unit, 99), asked)
    assert (design.kind, design.count, design.largest) == ("groups", 20, 0.05)


def test_the_signature_line_says_which_clusters_how_many_and_how_they_are_drawn():
    line = Design.of(np.arange(40), np.arange(40), np.ones(40), draws=99, seed=7).line()
    assert line == (
        "unit:dialogue|interval:two-way-wilson@0.95|clusters:groups,40,0.0250|draws:99|seed:7"
    )


def test_real_dialogues_form_groups_only_if_independent_turns_stay_apart(shared: Path):
    turns = official(shared / "data" / "charades-ivcr.test.json.gz")
    every = np.ones(len(turns.type))
    design = Design.of(resampling_units(turns.dialogue, turns.type), turns.video, every)
    assert (design.kind, design.count, round(design.largest, 3)) == ("groups", 631, 0.035)
    whole = connected_groups(np.unique(turns.dialogue, return_inverse=True)[1], turns.video)
    assert round(np.bincount(whole).max() / len(whole), 2) == 0.88
    assert Design.of(turns.dialogue, turns.video, every).kind == "units"
