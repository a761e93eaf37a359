"""Plots: marks stand where their figures are."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.board.records import Cell
from leaderboard.site.marks import BAR, bar
from leaderboard.site.pages import Pages
from leaderboard.site.plots import AREA, Series, ceiling, curve, histogram
from tests.leaderboard import generated
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


def drawn(folder, macro, plot):
    """A plot as the pages draw it."""
    template = Pages(generated.bench(folder)).environment.get_template("plots.html")
    return str(getattr(template.module, macro)(plot))


@given(st.lists(st.one_of(st.none(), SHARES), min_size=1, max_size=12))
def test_a_curve_has_one_spot_for_every_defined_figure_at_its_height(values):
    points = tuple((n, Cell(value)) for n, value in enumerate(values, start=1))
    (line,) = curve([Series("all", "dot", points)], METRICS["R@1"], "turn", "a title").lines
    high = ceiling(values)
    height = AREA.height - AREA.top - AREA.bottom
    expected = [AREA.top + height * (1 - value / high) for value in values if value is not None]
    assert [y for _, y in line.spots] == pytest.approx(expected)


def test_a_curve_is_drawn_with_its_spots_its_interval_and_its_path(tmp_path):
    points = ((1, Cell(0.5, 0.4, 0.6)), (2, Cell(None)), (3, Cell(0.25)))
    plot = curve([Series("all", "dot", points)], METRICS["R@1"], "turn", "a title")
    svg = drawn(tmp_path, "curve", plot)
    (x1, y1), (x3, y3) = plot.lines[0].spots
    spots = re.findall(r'<circle cx="(\S+)" cy="(\S+)"', svg)
    assert [tuple(map(float, spot)) for spot in spots] == [
        (pytest.approx(x1, abs=0.051), pytest.approx(y1, abs=0.051)),
        (pytest.approx(x3, abs=0.051), pytest.approx(y3, abs=0.051)),
    ]
    assert re.search(r'class="line" d="M(\S+ \S+)L(\S+ \S+)"', svg).groups() == tuple(
        map(" ".join, spots)
    )
    assert len(re.findall('class="whisker"', svg)) == 1


def test_a_histogram_has_a_bar_of_the_height_of_each_count(tmp_path):
    counts = [4, 0, 2, *[0] * 8]
    plot = histogram(counts, "overlap", "IoU")
    heights = [float(bar.height) for bar in plot.bars]
    assert heights[0] == pytest.approx(2 * heights[2], abs=0.11)
    assert sum(height > 0 for height in heights) == 2
    svg = drawn(tmp_path, "histogram", plot)
    assert svg.count("<rect") == len(counts)
    assert "≤0.1" in svg


def test_a_title_cannot_break_out_of_the_plot(tmp_path):
    svg = drawn(tmp_path, "curve", curve([], METRICS["R@1"], "<b>", '"><script>'))
    assert "<script>" not in svg
    assert "<b>" not in svg
