"""The heat map: each figure by hand, and the same as a scoring of those turns alone."""

import numpy as np
import pytest

from harness.statistics import Design
from leaderboard.board.outcomes import TurnValues
from leaderboard.board.records import Cell
from leaderboard.tables.heatmap import LAST, column_name, heatmap, shade
from tests.leaderboard.generated import METRICS

TYPE = np.array([1, 1, 1, 1, 3, 3, 3, 3])
TURN = np.array([1, 2, 1, 2, 1, 2, 3, 12])
DESIGN = Design.of([0, 0, 1, 1, 2, 2, 2, 2], np.arange(8), np.ones(8), draws=9)
RIGHT = TurnValues(np.array([1.0, 0, 0, 0, 1, 1, 0, 1]), np.array([1.0, 1, 1, 1, 1, 1, 0, 1]))


def made():
    return heatmap(RIGHT, TYPE, TURN, DESIGN, METRICS["R@1"])


def test_each_cell_is_the_share_right_of_its_type_and_turn():
    found = made()
    assert found.turns == (1, 2, LAST)
    cells = {code: [cell and (cell.value, cell.turns) for cell in cells]
             for code, cells in found.rows}  # fmt: skip
    # Turn 3 of type 3 is not counted; turn 12 stands in the last column.
    assert cells == {1: [(0.5, 2), (0.0, 2), None], 3: [(1.0, 1), (1.0, 1), (1.0, 1)]}


def test_a_cell_has_the_interval_of_its_turns_alone():
    cell = made().rows[0][1][0]
    mask = (TYPE == 1) & (TURN == 1)
    alone = DESIGN.ratios(mask * RIGHT.values, mask * RIGHT.weights)
    assert (cell.low, cell.high) == (alone.lows[0], alone.highs[0])
    assert made().rows[1][1][0].low is None  # one dialogue: no interval


@pytest.mark.parametrize(("value", "tenth"), [(0.0, 0), (0.05, 0), (0.1, 1), (0.95, 9), (1.0, 9)])
def test_shades_are_tenths_of_the_range(value, tenth):
    assert shade(Cell(value), METRICS["R@1"]) == tenth


def test_the_last_column_says_that_it_holds_more():
    assert [column_name(n) for n in (1, LAST)] == ["1", f"{LAST}+"]
