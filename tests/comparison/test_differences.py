"""Paired differences against long-hand recomputation, by fractions and by scipy."""

from fractions import Fraction
from math import sqrt
from statistics import stdev

import numpy as np
import pytest
from msgspec.structs import replace
from scipy import stats

from harness.comparison import compare
from harness.comparison.entrants import read_entrants
from harness.comparison.latex import latex_lines
from harness.errors import WrongUsageError
from harness.metrics import METRICS
from harness.metrics.retrieval import NO_VIDEOS
from harness.publication.disclosure import TOO_SMALL
from harness.publication.headlines import HEADLINES
from harness.records import Prediction
from harness.statistics import Design, paired
from harness.submission import write
from harness.validation import check
from tests.baselines.conftest import ask, dialogue, imported
from tests.comparison.worlds import VIDEOS, WRONG, submit, world

DIALOGUES = [(1, "v0 v1"), (2, "v2"), (1, "v3 m4"), (3, "v5 c v6"), (1, "v7"), (1, "v8 v9 m10"),
             (7, "v11 v12"), (1, "v13 v14"), (1, "v15")]  # fmt: skip
ONE = ("11", "1", "11", "1-1", "0", "101", "11", "10", "1")
TWO = ("01", "0", "10", "0-1", "1", "0-0", "10", "00", "0")
THREE = ("10", "1", "01", "1-1", "0", "110", "01", "10", "1")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return world(tmp_path_factory.mktemp("bench"), *DIALOGUES)


@pytest.fixture(scope="module")
def runs(tmp_path_factory, bench):
    marks, folder = {"one": ONE, "two": TWO, "three": THREE}, tmp_path_factory.mktemp("runs")
    return [submit(folder / name, bench, *given) for name, given in marks.items()]


def tasks():
    return [[turn[0] for turn in turns.split()] for _, turns in DIALOGUES]


def marks_of(given, task, turn=None):
    """Per unit, the marks in turns of a task: dialogues, but each turn of those of type 7."""
    units = []
    for (code, _), kinds, marks in zip(DIALOGUES, tasks(), given, strict=True):
        found = [
            int(mark == "1")
            for number, (kind, mark) in enumerate(zip(kinds, marks, strict=True), start=1)
            if kind == task and turn in (None, number)
        ]
        units += [[each] for each in found] if code == 7 else [found]
    return units


def row(found, metric, part, first="A", second="B"):
    [each] = [
        each
        for each in found.differences
        if (each.metric, each.slice, each.first, each.second) == (metric, part, first, second)
    ]
    return each


@pytest.mark.parametrize("turn", [None, 1, 2, 3])
def test_values_and_counts_are_fractions_counted_by_hand(bench, runs, turn):
    found = compare(runs[:2], bench, small=True)
    one, other = marks_of(ONE, "v", turn), marks_of(TWO, "v", turn)
    turns = sum(map(len, one))
    means = [Fraction(sum(map(sum, each)), turns) for each in (one, other)]
    each = row(found, "R@1", "all" if turn is None else f"turn={turn}")
    assert each.first_value == pytest.approx(float(means[0]), abs=1e-9)
    assert each.second_value == pytest.approx(float(means[1]), abs=1e-9)
    assert each.value == pytest.approx(float(means[0] - means[1]), abs=1e-9)
    assert each.turns == turns
    assert (each.low is None) == (turns == 1)
    assert each.low is None or each.low <= each.value <= each.high


def test_effect_error_and_p_are_those_of_the_long_hand_definitions(bench, runs):
    one, other = marks_of(ONE, "v"), marks_of(TWO, "v")
    wins = [[a - b for a, b in zip(*pair, strict=True)] for pair in zip(one, other, strict=True)]
    units = [each for each in wins if each]
    turns = sum(map(len, units))
    mean = sum(map(sum, units)) / turns
    # How far each unit moves the mean, in units of the mean itself.
    moved = [len(units) / turns * (sum(unit) - mean * len(unit)) for unit in units]
    each = row(compare(runs[:2], bench), "R@1", "all")
    assert each.effect == pytest.approx(mean / stdev(moved))
    # No video is asked for twice: each turn is a group of its own, for videos and for both.
    alone = [win - mean for unit in units for win in unit]
    by_turn = sum(x * x for x in alone) / (turns * (turns - 1))
    variance = max(stdev(moved) ** 2 / len(units), by_turn)
    statistic = abs(mean) * sqrt((1 - mean**2) / variance)
    assert each.p == pytest.approx(2 * stats.t.sf(statistic, len(units) - 1))
    assert each.p_holm == each.p  # one pair: nothing to correct for


def test_holm_is_over_the_pairs_of_each_metric_and_slice(bench, runs):
    found = compare(runs, bench, small=True)
    names = {(each.metric, each.slice) for each in found.differences}
    assert len(names) > 10
    for name in names:
        rows = [each for each in found.differences if (each.metric, each.slice) == name]
        assert [(each.first, each.second) for each in rows] == [("A", "B"), ("A", "C"), ("B", "C")]
        if any(each.p is None for each in rows):
            assert rows[0].turns == 1
            continue
        ordered, floor = sorted(rows, key=lambda each: each.p), 0.0
        for place, each in enumerate(ordered):
            floor = max(floor, min(1.0, (3 - place) * each.p))
            assert each.p_holm == pytest.approx(floor, abs=1e-9)


def test_changing_places_changes_the_sign_alone(bench, runs):
    there, back = compare(runs[:2], bench), compare(runs[1::-1], bench)
    for one, other in zip(there.differences, back.differences, strict=True):
        assert (one.metric, one.slice) == (other.metric, other.slice)
        assert one.value == pytest.approx(-other.value, abs=1e-9)
        assert (one.low or 0) == pytest.approx(-(other.high or 0), abs=1e-9)
        assert one.p == other.p


def test_a_system_and_its_copy_differ_by_nothing_and_are_named(tmp_path, bench, runs):
    copy = submit(tmp_path / "copy", bench, *ONE, system="one")
    found = compare([runs[0], copy], bench)
    assert all(each.value == 0 for each in found.differences)
    assert {each.p for each in found.differences if each.low is not None} == {1}
    assert "A and B are the same submission (equal SHA-256)." in found.notes


def test_dialogue_figures_are_over_dialogues_without_type_7_and_chat(bench, runs):
    found = compare(runs[:2], bench)
    rows = [n for n, (code, _) in enumerate(DIALOGUES) if code != 7]
    shares = [
        [Fraction(given[n].count("1"), len(DIALOGUES[n][1].replace("c", "").split()))
         for n in rows]
        for given in (ONE, TWO)
    ]  # fmt: skip
    each = row(found, "turns_right", "all")
    assert each.first_value == pytest.approx(float(sum(shares[0]) / len(rows)), abs=1e-9)
    assert each.value == pytest.approx(
        float((sum(shares[0]) - sum(shares[1])) / len(rows)), abs=1e-9
    )
    each = row(found, "success", "all")
    assert each.first_value == pytest.approx(shares[0].count(1) / len(rows), abs=1e-9)
    assert each.second_value == pytest.approx(shares[1].count(1) / len(rows), abs=1e-9)
    assert each.dialogues == len(rows)
    assert {each.slice for each in found.differences if each.metric == "success"} == {"all"}


def test_turn_numbers_without_turns_of_the_task_have_no_row(bench, runs):
    found = compare(runs[:2], bench, small=True)
    parts = [each.slice for each in found.differences if each.metric == "mIoU"]
    assert parts == ["all", "turn=2", "turn=3"]


def test_large_tables_are_cut_into_portions_without_a_trace(bench, runs, monkeypatch):
    whole = compare(runs, bench, small=True)
    monkeypatch.setattr("harness.comparison.differences.AT_ONCE", 100)
    assert compare(runs, bench, small=True) == whole


def test_a_system_without_a_list_has_null_with_the_reason_and_leaves_the_others_their_p(
    tmp_path, bench, runs
):
    checked = check(runs[0], bench)
    chosen = [
        Prediction(given.dialogue_id, given.turn, choice=given.videos, response="x")
        if given.videos is not None
        else given
        for given in checked.predictions
    ]
    mute = tmp_path / "mute"
    write(mute, replace(checked.card, system="mute"), chosen)
    found = compare([*runs[:2], mute], bench)
    assert row(found, "R@1", "all", "A", "C").why == f"C: {NO_VIDEOS}"
    assert row(found, "R@1", "all", "A", "C").value is None
    assert row(found, "R@1", "all").p_holm == row(found, "R@1", "all").p
    assert row(found, "C-R@1", "all", "B", "C").value is not None


def test_every_headline_is_in_the_table_of_metrics_and_shown(bench, runs):
    assert set(HEADLINES) <= set(METRICS)
    shown = {each.metric for each in compare(runs[:2], bench).differences}
    assert shown == set(HEADLINES) - {"ahead_of_foil"}  # the toy's gold names no foil


def test_systems_are_compared_on_further_slices_too(bench, runs):
    usual = compare(runs[:2], bench).differences
    found = compare(runs[:2], bench, further=["type=7"])
    mine, theirs = ([int(mark) for mark in marks] for marks in (ONE[6], TWO[6]))
    assert row(found, "R@1", "type=7").value == pytest.approx((sum(mine) - sum(theirs)) / 2)
    assert row(found, "R@1", "type=7").turns == 2
    assert [each for each in found.differences if each.slice != "type=7"] == list(usual)


def test_a_slice_that_there_is_not_is_refused_with_those_that_there_are(bench, runs):
    with pytest.raises(WrongUsageError, match=r'"tag=pixl": no such slice; test has all, turn=1'):
        compare(runs[:2], bench, further=["tag=pixl"])


def test_turn_numbers_of_few_turns_are_left_out_and_counted_unless_asked_for(tmp_path):
    benchmark = world(tmp_path, *((1, f"v{n} v{n + 1}") for n in range(0, 58, 2)), (1, "v58 v1 v2"))
    one = submit(tmp_path / "one", benchmark, *["11"] * 29, "111")
    other = submit(tmp_path / "other", benchmark, *["10"] * 29, "101")
    found, whole = (compare([one, other], benchmark, small=small) for small in (False, True))
    parts = {each.slice for each in found.differences}
    assert parts == {"all", "turn=1", "turn=2"}  # 30 turns each; turn 3 occurs once
    few = [each for each in whole.differences if each.slice == "turn=3"]
    assert (found.left_out, whole.left_out) == (len(few), 0)
    assert found.differences == tuple(each for each in whole.differences if each not in few)
    note = f"{len(few)} cells of fewer than 30 turns are left out (turn=3); --small shows them."
    assert (found.notes[-1], note in whole.notes) == (note, False)
    assert f"% {note}" in latex_lines(found)
    named = compare([one, other], benchmark, further=["turn=3"])
    assert (named.left_out, named.differences) == (0, whole.differences)


def test_foils_are_compared_where_gold_names_them(tmp_path):
    asked = [ask("find it", f"S/{n}.mp4", [f"S/{n}.mp4", WRONG]) for n in range(4)]
    for turn in asked:
        turn[1] |= {"foil": WRONG, "tags": ["pixel"]}
    foiled = imported(tmp_path, [dialogue(turn) for turn in asked], videos=VIDEOS, corpus="all")
    one = submit(tmp_path / "one", foiled, "1", "1", "0", "1")
    other = submit(tmp_path / "other", foiled, "1", "0", "0", "0")
    found = row(compare([one, other], foiled, further=["tag=pixel"]), "ahead_of_foil", "tag=pixel")
    assert (found.first_value, found.second_value, found.turns) == (0.75, 0.25, 4)


def test_hidden_labels_withhold_small_cells_and_every_single_turn(tmp_path):
    hidden = world(tmp_path, *((1, f"v{n} v{n + 1}") for n in range(0, 58, 2)), (1, "v58 v1 v2"),
                   (1, "v3"), labels="hidden")  # fmt: skip
    one = submit(tmp_path / "one", hidden, *["11"] * 29, "111", "1")
    other = submit(tmp_path / "other", hidden, *["01"] * 29, "011", "0")
    found = compare([one, other], hidden, small=True)
    assert row(found, "R@1", "turn=1").turns == 31
    assert row(found, "R@1", "turn=1").value == 1
    # Turn 2 has thirty turns, but all less turn 1 less turn 2 is the one third turn.
    for part in ("turn=2", "turn=3"):
        assert row(found, "R@1", part).why == TOO_SMALL
        assert row(found, "R@1", part).first_value is None
    assert found.notes[-1].startswith("Labels are hidden: this is for the organizers alone")
    few = compare([one, other], hidden)
    assert few.notes[-1].endswith("are left out (turn=3); labels are hidden.")
    assert found.dialogues is None
    assert "hidden" in found.why


def test_intervals_are_those_of_the_columns_written_out_by_hand(bench, runs):
    kinds = [kind for each in tasks() for kind in each]
    unit, codes = [], iter(range(100))
    for (code, _), each in zip(DIALOGUES, tasks(), strict=True):
        alike = next(codes)
        unit += [next(codes) if code == 7 else alike for _ in each]
    video = [-1 if kind == "c" else at for at, kind in enumerate(kinds)]  # no video is shared
    design = Design.of(unit, video, np.array(kinds) != "c")
    ones, others = (np.array([mark == "1" for mark in "".join(each)]) for each in (ONE, TWO))
    asked = np.array(kinds) == "v"
    hand = paired(design, ones * asked, others * asked, asked)
    each = row(compare(runs[:2], bench), "R@1", "all")
    assert (each.low, each.high) == pytest.approx((hand.lows[0], hand.highs[0]), abs=1e-9)
    assert each.p == pytest.approx(hand.ps[0], abs=1e-9)


def test_dialogues_that_share_a_video_count_as_pairs_in_the_difference_of_success(tmp_path):
    bench = world(tmp_path, *((1, f"v{n} v{8 + n // 2}") for n in range(8)))
    wins = ("11", "11", "11", "11", "10", "10", "10", "10")
    folders = [
        submit(tmp_path / str(n), bench, *marks) for n, marks in enumerate((wins, ["10"] * 8))
    ]
    each = row(compare(folders, bench), "success", "all")
    entrants = read_entrants(folders, bench)
    one, other = (entrant.column("success") for entrant in entrants.entrants)
    plain, whole = (
        paired(entrants.design, one.values, other.values, one.weights, whole_units=flag)
        for flag in (False, True)
    )
    assert (each.low, each.high, each.p) == pytest.approx(
        (whole.lows[0], whole.highs[0], whole.ps[0]), abs=1e-9
    )
    assert whole.errors[0] > 1.2 * plain.errors[0]
