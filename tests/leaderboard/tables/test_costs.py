"""Costs: which number a card declares, in which unit, and what is only shown as text."""

import pytest

from harness.records import Card
from leaderboard.site.views.cost_plots import cost_plots
from leaderboard.site.wording import Words
from leaderboard.tables import costs
from leaderboard.tables.costs import CostKind, compact, declared_costs, table_costs
from leaderboard.tables.ranked_table import track_tables
from leaderboard.tables.seeds import fold_seeds
from leaderboard.tables.tracks import Track
from tests.leaderboard.generated import METRICS
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import HOSTILE
from tests.leaderboard.site.test_plots import drawn
from tests.leaderboard.tables.test_ranked_table import entry


def card(**fields):
    return Card(1, "team", "system", "none", "unused", **fields)


@pytest.mark.parametrize(
    ("fields", "kind", "value"),
    [
        ({"parameters": 7_000_000}, CostKind("parameters", "parameters"), 7e6),
        ({"parameters": "7B"}, CostKind("parameters", "parameters"), 7e9),
        ({"parameters": "1.5 million"}, CostKind("parameters", "parameters"), 1.5e6),
        ({"parameters": "many"}, CostKind("parameters", "parameters"), None),
        ({"parameters": "7 B + 2 B"}, CostKind("parameters", "parameters"), None),
        ({"frames_per_video": 8}, CostKind("frames_per_video", "frames_per_video"), 8),
        ({"cost": 3}, CostKind("cost", None), 3),
        ({"cost": "12 GPU hours"}, CostKind("cost", "GPU hours"), 12),
        ({"cost": "free"}, CostKind("cost", None), None),
        ({"cost": {"GPU hours": 2}}, CostKind("GPU hours", "GPU hours"), 2),
        (
            {"cost": {"seconds per turn": 0.8}},
            CostKind("seconds per turn", "seconds per turn"),
            0.8,
        ),
        ({"cost": {"time per turn (s)": 0.8}}, CostKind("time per turn", "s"), 0.8),
        ({"cost": {"Time per turn": "0.8 s"}}, CostKind("Time per turn", "s"), 0.8),
        ({"cost": {"training (h)": "2 h"}}, CostKind("training", "h"), 2),
        ({"cost": {"training (s)": "2 h"}}, CostKind("training", "s"), None),
        ({"cost": {"effort": 5}}, CostKind("effort", None), 5),
        ({"cost": {"effort (points)": -5}}, CostKind("effort", "points"), None),
    ],
)
def test_a_cost_has_its_number_and_its_unit(fields, kind, value):
    ((found, amount),) = declared_costs(card(**fields)).items()
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
    assert [kind.name for kind in table_costs(cards)] == ["parameters", "c", "D", "a"]
    assert len(table_costs(cards)) == costs.MOST


def test_a_cost_is_found_however_a_card_spells_it():
    cards = [card(cost={"GPU hours": 1}), card(cost={"gpu Hours": 2}), card(cost={"GPU hours": 3})]
    (kind,) = table_costs(cards)
    assert kind == CostKind("GPU hours", "GPU hours")
    assert [costs.amounts([each], [kind])[0].value for each in cards] == [1, 2, 3]


def table(*declared_costs, values=(0.2, 0.4, 0.6)):
    rows = []
    for n, cost in enumerate(declared_costs):
        row = entry(f"s{n}", **{"R@1": values[n]})
        rows.append(row._replace(card=card(cost=cost)))
    rows.append(entry("floor", floor=True, **{"R@1": 0.1}))
    (made,) = track_tables(Track("video", ("R@1",)), fold_seeds(rows), METRICS)
    return made


def test_a_dot_stands_where_cost_and_value_are():
    (plot,) = cost_plots(table({"s": 0}, {"s": 5}, {"s": 10}), Words("en"))
    spots = [tuple(map(float, spot)) for spot in plot.dots]
    (x3, y3), (x2, y2), (x1, y1) = spots  # best first
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.11)
    assert x3 > x2 > x1
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.11)
    assert y1 > y2 > y3
    assert not plot.logarithmic
    assert float(plot.floor) > y1
    assert [rank for rank, *_ in plot.ranks] == [1, 2, 3]


def test_costs_far_apart_stand_on_a_logarithmic_axis():
    (plot,) = cost_plots(table({"s": 1}, {"s": 10}, {"s": 100}), Words("en"))
    xs = [float(x) for x, _ in plot.dots]
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
    assert cost_plots(table(*declared_costs), Words("en")) == []


def test_a_foreign_unit_is_text(tmp_path):
    unit = HOSTILE.replace("(", "").replace(")", "")[:25]
    (plot,) = cost_plots(table({f"time ({unit})": 1}, {f"time ({unit})": 2}), Words("en"))
    page = Page(drawn(tmp_path, "scatter", plot))
    assert {tag.name for tag in page.tags} <= {"svg", "path", "text", "g"}
    assert "<script>" in " ".join(page.text)
