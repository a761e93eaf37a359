"""Costs: which number a card declares, in which unit, and what is only shown as text."""

import re

import pytest

from harness.records import Card
from leaderboard.site.cost_plots import plots
from leaderboard.site.wording import Words
from leaderboard.tables import costs
from leaderboard.tables.costs import Kind, compact, declared, shown
from leaderboard.tables.seeds import folded
from leaderboard.tables.table import of_track
from leaderboard.tables.tracks import Track
from tests.leaderboard.generated import METRICS
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import HOSTILE
from tests.leaderboard.tables.test_table import entry


def card(**fields):
    return Card(1, "team", "system", "none", "unused", **fields)


@pytest.mark.parametrize(
    ("fields", "kind", "value"),
    [
        ({"parameters": 7_000_000}, Kind("parameters", "parameters"), 7e6),
        ({"parameters": "7B"}, Kind("parameters", "parameters"), 7e9),
        ({"parameters": "1.5 million"}, Kind("parameters", "parameters"), 1.5e6),
        ({"parameters": "many"}, Kind("parameters", "parameters"), None),
        ({"parameters": "7 B + 2 B"}, Kind("parameters", "parameters"), None),
        ({"frames_per_video": 8}, Kind("frames_per_video", "frames_per_video"), 8),
        ({"cost": 3}, Kind("cost", None), 3),
        ({"cost": "12 GPU hours"}, Kind("cost", "GPU hours"), 12),
        ({"cost": "free"}, Kind("cost", None), None),
        ({"cost": {"GPU hours": 2}}, Kind("GPU hours", "GPU hours"), 2),
        ({"cost": {"seconds per turn": 0.8}}, Kind("seconds per turn", "seconds per turn"), 0.8),
        ({"cost": {"time per turn (s)": 0.8}}, Kind("time per turn", "s"), 0.8),
        ({"cost": {"Time per turn": "0.8 s"}}, Kind("Time per turn", "s"), 0.8),
        ({"cost": {"training (h)": "2 h"}}, Kind("training", "h"), 2),
        ({"cost": {"training (s)": "2 h"}}, Kind("training", "s"), None),
        ({"cost": {"effort": 5}}, Kind("effort", None), 5),
        ({"cost": {"effort (points)": -5}}, Kind("effort", "points"), None),
    ],
)
def test_a_cost_has_its_number_and_its_unit(fields, kind, value):
    ((found, amount),) = declared(card(**fields)).items()
    assert found == kind
    assert amount.value == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7e6, "7 M"),
        (7.3e9, "7.3 B"),
        (0.8, "0.8"),
        (1234, "1,234"),
        (0, "0"),
        (2e12, "2 T"),
        (482_964, "483,000"),
        (13_663, "13,660"),
    ],
)
def test_a_number_is_short_on_the_page(value, text):
    assert compact(value) == text


def test_a_table_has_its_four_most_declared_costs_the_houses_own_first():
    cards = [card(parameters=1, cost={"a": 1, "b": 1, "c": 1, "d": 1}), card(cost={"D": 2, "c": 1})]
    assert [kind.name for kind in shown(cards)] == ["parameters", "c", "D", "a"]
    assert len(shown(cards)) == costs.MOST


def test_a_cost_is_found_however_a_card_spells_it():
    cards = [card(cost={"GPU hours": 1}), card(cost={"gpu Hours": 2}), card(cost={"GPU hours": 3})]
    (kind,) = shown(cards)
    assert kind == Kind("GPU hours", "GPU hours")
    assert [costs.amounts(each, [kind])[0].value for each in cards] == [1, 2, 3]


def table(*declared_costs, values=(0.2, 0.4, 0.6)):
    rows = []
    for n, cost in enumerate(declared_costs):
        row = entry(f"s{n}", **{"R@1": values[n]})
        rows.append(row._replace(card=card(cost=cost)))
    rows.append(entry("floor", floor=True, **{"R@1": 0.1}))
    (made,) = of_track(Track("video", ("R@1",)), folded(rows), METRICS)
    return made


def test_a_dot_stands_where_cost_and_value_are():
    (plot,) = plots(table({"s": 0}, {"s": 5}, {"s": 10}), Words("en"))
    dots = re.search(r'class="dots" d="([^"]*)"', plot.svg)[1]
    spots = [tuple(map(float, spot)) for spot in re.findall(r"M(\S+) (\S+?)h0", dots)]
    (x3, y3), (x2, y2), (x1, y1) = spots  # best first
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.11)
    assert x3 > x2 > x1
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.11)
    assert y1 > y2 > y3
    assert not plot.logarithmic
    assert plot.svg.count('<path class="floor"') == 1
    assert re.findall(r'class="nth"[^>]*>(\d)<', plot.svg) == ["1", "2", "3"]


def test_costs_far_apart_stand_on_a_logarithmic_axis():
    (plot,) = plots(table({"s": 1}, {"s": 10}, {"s": 100}), Words("en"))
    dots = re.search(r'class="dots" d="([^"]*)"', plot.svg)[1]
    xs = [float(x) for x in re.findall(r"M(\S+) ", dots)]
    assert plot.logarithmic
    assert xs[0] - xs[1] == pytest.approx(xs[1] - xs[2], abs=0.11)


@pytest.mark.parametrize(
    "declared_costs",
    [
        ({"effort": 1}, {"effort": 2}),  # no unit
        ({"s": 1}, {"s": "quick"}),  # one number
        ({"s": 1}, {"s": 1}),  # no two places
        ({"s": 1}, {"ms": 1}),  # two units
    ],
)
def test_there_is_no_plot_without_a_unit_or_of_one_cost(declared_costs):
    assert plots(table(*declared_costs), Words("en")) == []


def test_a_strangers_unit_is_text():
    unit = HOSTILE.replace("(", "").replace(")", "")[:25]
    (plot,) = plots(table({f"time ({unit})": 1}, {f"time ({unit})": 2}), Words("en"))
    assert {tag.name for tag in Page(plot.svg).tags} <= {"svg", "path", "text", "g"}
    assert "<script>" in " ".join(Page(plot.svg).text)
