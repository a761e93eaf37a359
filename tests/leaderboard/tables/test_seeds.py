"""Seeds: runs that differ in nothing else share a row, with figures that a hand can check."""

import csv
import io

import pytest
from msgspec.structs import replace

from leaderboard.board.records import Cell
from leaderboard.site import exports
from leaderboard.tables.seeds import SeedSpread, fold_seeds, mean, seed_spread
from tests.leaderboard.tables.test_ranked_table import entry, video


def run(name, seed, value=0.5, team="team", **fields):
    made = entry(f"{team}/{name}", **{"R@1": value})
    card = replace(made.card, team=team, system="one system", seed=seed, **fields)
    return made._replace(card=card)


def test_the_mean_of_two_figures_and_of_their_bounds():
    found = mean([Cell(0.4, 0.3, 0.5, 100, 20), Cell(0.6, 0.5, 0.8, 100, 20)])
    assert found == Cell(0.5, 0.4, 0.65, 100, 20)


def test_a_mean_is_undefined_where_one_of_its_figures_is():
    found = mean([Cell(0.4), Cell(None, why="past 100")])
    assert (found.value, found.why) == (None, "past 100")
    assert seed_spread([Cell(0.4), Cell(None)]) is None


def test_the_spread_of_three_runs():
    found = seed_spread([Cell(0.1), Cell(0.3), Cell(0.2)])
    assert found == SeedSpread(0.1, 0.3, pytest.approx(0.1))


def test_three_seeds_are_one_row_with_their_mean_in_its_place():
    rows = [run("a", 1, 0.3), run("b", 3, 0.5), run("c", 2, 0.4), entry("x/y", **{"R@1": 0.45})]
    table = video(rows)
    assert [(row.rank, row.cells[0].value) for row in table.rows] == [(1, 0.45), (2, 0.4)]
    row = table.rows[1]
    assert [entry.card.seed for entry in row.runs] == [1, 2, 3]
    assert row.spread == SeedSpread(0.3, 0.5, pytest.approx(0.1))


@pytest.mark.parametrize(
    "other",
    [
        run("b", 2, parameters=5),  # another card
        run("b", 1),  # the same seed again
        run("b", None),  # no seed
        run("b", 2, team="another"),  # another team's folder
        run("b", 2, history="own"),
    ],
)
def test_what_differs_in_more_than_its_seed_stays_apart(other):
    assert [len(runs) for runs in fold_seeds([run("a", 1), other])] == [1, 1]


def test_pairs_differ_with_the_seed_and_do_not_keep_runs_apart():
    runs = [run("a", 1, pair="a-reference"), run("b", 2, pair="b-reference")]
    assert [len(group) for group in fold_seeds(runs)] == [2]


def test_what_a_run_counts_of_itself_keeps_no_runs_apart_and_its_spread_is_shown():
    counted = [
        run(name, seed, cost={"requests": 100, "prompt_tokens": tokens, "note": "one GPU"})
        for name, seed, tokens in (("a", 1, 1_000), ("b", 2, 1_300), ("c", 3, 1_600))
    ]
    table = video(counted)
    (row,) = table.rows
    shown = dict(zip((kind.name for kind in table.costs), row.amounts, strict=True))
    assert shown["requests"] == (100, "100", None)
    spread = SeedSpread(1_000, 1_600, pytest.approx(300))
    assert shown["prompt_tokens"] == (1_300, "1,300 (1,000 – 1,600)", spread)
    assert shown["note"].text == "one GPU"
    lines = csv.DictReader(io.StringIO(exports.csv([table]).decode()))
    (line,) = [each for each in lines if each["metric"].startswith("cost: prompt_tokens")]
    assert [line[name] for name in ("value", "runs", "least", "greatest")] == [
        "1300", "3", "1000", "1600",
    ]  # fmt: skip
    other = run("d", 4, cost={"requests": 100, "prompt_tokens": 5, "note": "two GPUs"})
    assert [len(runs) for runs in fold_seeds([*counted, other])] == [3, 1]


def test_floors_stand_alone():
    floors = [run("a", 1)._replace(floor=True), run("b", 2)._replace(floor=True)]
    assert [len(group) for group in fold_seeds([*floors, run("c", 3)])] == [1] * 3


def test_exports_tell_how_many_seeds_and_how_they_differ():
    table = video([run("a", 1, 0.3), run("b", 2, 0.5)])
    (line,) = csv.DictReader(io.StringIO(exports.csv([table]).decode()))
    assert [line[name] for name in ("value", "runs", "least", "greatest", "deviation")] == [
        "0.4", "2", "0.3", "0.5", "0.1414213562",
    ]  # fmt: skip
    assert "one system (2 seeds: 30.0–50.0, SD 14.14)" in exports.markdown([table]).decode()
    assert "(2 seeds: 30.0--50.0, SD 14.14)" in exports.latex([table]).decode()
