"""The overview: a row per system, a table per column, controls and floors apart."""

from msgspec.structs import replace

from leaderboard.tables.overview import overview
from leaderboard.tables.ranked_table import tables
from tests.leaderboard.generated import METRICS
from tests.leaderboard.tables.test_ranked_table import entry

MOMENT = "R@1,IoU>=0.5"


def run(key, history="own", *, system=None, control=None, floor=False, **cells):
    """A run of a system, by default named as its key."""
    found = entry(key, history, floor=floor, **cells)
    card = replace(found.card, system=system or key.split("/")[-1], control=control)
    return found._replace(card=card)


def shown(found):
    """The system of each row with its ranks, column by column."""
    return [(row.card.system, [each and each.rank for each in row.rows]) for row in found.rows]


def names(found):
    return [table.name for table in found.tables]


RUNS = [
    run("a/search", **{"R@1": 0.5}),
    run("a/both", **{"R@1": 0.7, MOMENT: 0.2}),
    run("b/localiser", "reference", system="localiser", **{MOMENT: 0.6}),
    run("b/other", "reference", **{MOMENT: 0.4, "R@1": 0.9}),
    run("floors/random/own", floor=True, **{"R@1": 0.6}),
]


def test_the_fullest_table_stands_first_and_each_column_is_one_table():
    found = overview(tables(RUNS, METRICS))
    assert names(found)[:2] == ["video-own-unused", "moment-reference-unused"]
    assert shown(found) == [
        ("both", [1, None, 1]),
        ("search", [2, None, None]),
        ("localiser", [None, 1, None]),
        ("other", [None, 2, None]),
    ]
    assert names(found)[2] == "end-to-end-own-unused"


def test_a_challenge_names_the_first_table_and_others_follow_its_history():
    found = overview(tables(RUNS, METRICS), ("moment", "reference", "unused"))
    assert names(found)[:2] == ["moment-reference-unused", "video-reference-unused"]
    assert shown(found)[0] == ("localiser", [1, None, None])
    assert overview(tables(RUNS, METRICS), ("moment", "own", "used")) == overview(
        tables(RUNS, METRICS)
    )


def test_runs_of_a_system_with_two_histories_are_one_row():
    pair = [
        run("a/own", system="one", **{"R@1": 0.5}),
        run("a/reference", "reference", system="one", **{MOMENT: 0.4}),
        run("c/reference", "reference", system="one", **{MOMENT: 0.3}),
    ]
    found = overview(tables(pair, METRICS))
    keys = [[each and each.entry.key for each in row.rows] for row in found.rows]
    assert keys == [["a/own", "a/reference"], [None, "c/reference"]] or keys == [
        ["a/reference", "a/own"],
        ["c/reference", None],
    ]


def test_runs_that_share_a_name_in_one_table_stand_alone():
    same = [run(f"a/{n}", system="one", **{"R@1": n / 10}) for n in range(3)]
    found = overview(tables(same, METRICS))
    assert [row.rows[0].entry.key for row in found.rows] == ["a/2", "a/1", "a/0"]


def test_controls_stand_apart_and_floors_have_their_place():
    broken = run("a/broken", control="frames shuffled", **{"R@1": 0.65})
    found = overview(tables([*RUNS, broken], METRICS))
    assert [row.card.control for row in found.controls] == ["frames shuffled"]
    assert "broken" not in [row.card.system for row in found.rows]
    assert found.floors[0].entry.key == "floors/random/own"
    assert found.floor_place == 1, "0.7 above 0.6, 0.5 below"


def test_a_system_of_other_tables_alone_is_named_once_with_its_first_table():
    chooser = [
        run(f"c/{history}", history, system="chooser", **{"R@1": 0.9, "C-R@1|in": 0.8})
        for history in ("own", "none")
    ]
    chooser = [each._replace(card=replace(each.card, candidates="used")) for each in chooser]
    found = overview(tables([*RUNS, *chooser], METRICS))
    assert "chooser" not in [row.card.system for row in found.rows]
    assert [(table.name, row.entry.key) for table, row in found.elsewhere] == [
        ("video-none-used", "c/none")
    ]


def test_an_empty_board_has_no_columns():
    assert overview(()) == ((), (), (), (), ())
    assert overview(()).floor_place == 0
