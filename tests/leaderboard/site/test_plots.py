"""Plots: marks stand where their figures are."""

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from leaderboard.board.records import Cell
from leaderboard.site.plots import BAR, BOTTOM, PLOT, TOP, Series, bar, ceiling, curve
from tests.leaderboard.generated import METRICS

SHARES = st.floats(0, 1)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=9))
def test_a_scale_ends_at_a_round_number_that_holds_everything(values):
    high = ceiling(values)
    most = max((value for value in values if value), default=0.0)
    assert high >= most * (1 - 1e-9)
    assert high <= 1.7 * most or (most < 1e-9 and high == 1)
    digits = high / 10 ** math.floor(math.log10(high))
    assert round(digits, 9) in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@given(SHARES, SHARES, SHARES, SHARES)
def test_a_bar_has_its_dot_inside_its_interval_and_everything_inside_the_frame(a, b, c, floor):
    low, value, high = sorted((a, b, c))
    svg = bar(Cell(value, low, high), 1.0, floor)
    start, end = map(float, re.search(r'class="span" d="M(\S+) \S+H(\S+)"', svg).groups())
    dot = float(re.search(r'cx="(\S+)"', svg)[1])
    line = float(re.search(r'class="floor" d="M(\S+) 0', svg)[1])
    assert 0 <= start <= dot <= end <= BAR[0]
    assert abs(dot - (2 + (BAR[0] - 4) * value)) <= 0.051
    assert abs(line - (2 + (BAR[0] - 4) * floor)) <= 0.051


def test_an_undefined_figure_has_no_bar():
    assert bar(Cell(None), 1.0) == ""


@given(st.lists(st.one_of(st.none(), SHARES), min_size=1, max_size=12))
def test_a_curve_has_one_mark_for_every_defined_figure_at_its_height(values):
    points = tuple((n, Cell(value)) for n, value in enumerate(values, start=1))
    svg = curve([Series("all", "dot", points)], METRICS["R@1"], "turn", "a title")
    marks = [float(y) for y in re.findall(r'<circle cx="\S+" cy="(\S+)"', svg)]
    high = ceiling(values)
    height = PLOT[1] - TOP - BOTTOM
    expected = [TOP + height * (1 - value / high) for value in values if value is not None]
    assert len(marks) == len(expected)
    assert all(abs(a - b) <= 0.051 for a, b in zip(marks, expected, strict=True))


def test_a_title_cannot_break_out_of_the_plot():
    svg = curve([], METRICS["R@1"], "<b>", '"><script>')
    assert "<script>" not in svg
    assert "<b>" not in svg
