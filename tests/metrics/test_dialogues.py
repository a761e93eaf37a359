"""Dialogue metrics on cases that a person can count, and what must not move them."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.records import Gold, Moment, Prediction, Turn
from harness.scoring import design_of, figures

from .conftest import SOURCES, VIDEOS, make_split
from .generated import conversation

DIALOGUE = [name for name, metric in METRICS.items() if metric.scope == "dialogue"]


def scored(split, gold, predictions, hidden=False):
    found = outcomes(split, gold, predictions, SOURCES)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    return figures(found.frame, columns, design_of(found.frame), hidden=hidden)


def of_patterns(*patterns, code=1, hidden=False):
    """One dialogue a pattern: V and M are right, v and m wrong, c is a chat turn."""
    rows, given = [], []
    for number, pattern in enumerate(patterns):
        for turn, sign in enumerate(pattern, start=1):
            video, key = VIDEOS[len(rows) % 150], (f"d{number}", turn)
            task = {"v": "video", "m": "moment", "c": "chat"}[sign.lower()]
            more = {"moment": (0, 1000)} if task == "moment" else {}
            rows.append((*key, code, "en", task, None if task == "chat" else video, more))
            span = Moment(video, 0, 500 if sign == "M" else 499)
            given.append(Prediction(*key, (video,) if sign == "V" else (), (span,), None, "hello"))
    return scored(*make_split(rows), given, hidden=hidden)["all"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("success", Fraction(1, 4)),
        ("turns_right", (Fraction(3, 3) + Fraction(2, 3) + Fraction(1, 2) + Fraction(2, 4)) / 4),
        ("S@1", Fraction(3, 4)),
        ("S@2", Fraction(3, 4) * Fraction(1, 3)),
        ("S@3", Fraction(3, 4) * Fraction(1, 3)),
        # After a right turn: d0 V M right; d1 M right; d2 m wrong; d3 v m wrong.
        ("P(right|right)", Fraction(3, 6)),
    ],
)
def test_figures_counted_by_hand(name, expected):
    # d0: V V M all right. d1: v V M. d2: V m. d3: M v V m.
    cells = of_patterns("VVM", "vcVM", "Vm", "MvcVm")
    assert cells[name]["value"] == pytest.approx(float(expected), rel=1e-9)


def test_pairs_recovery_and_dependence_counted_by_hand():
    cells = of_patterns("VVM", "vcVM", "Vm", "MvcVm")
    # After a wrong turn: d1 vV, d3 vV: both right.
    assert cells["P(right|wrong)"]["value"] == 1
    assert cells["dependence"]["value"] == pytest.approx(1 / 2 - 1)
    # After an earlier failure: d1 V M, d3 V m: three right of four.
    assert cells["recovery"]["value"] == 3 / 4
    assert (cells["P(right|right)"]["turns"], cells["P(right|wrong)"]["turns"]) == (6, 2)
    assert (cells["dependence"]["turns"], cells["recovery"]["dialogues"]) == (8, 2)


def test_a_failed_video_breaks_all_that_follows_and_a_failed_moment_nothing():
    cells = of_patterns("VvVM", "VmVM", "MVM")
    # Video turns: V v V* | V V | V, the starred one broken: 4 right of 6.
    assert cells["cascade:R@1"]["value"] == pytest.approx(4 / 6)
    # Moment turns: M* | m M | M M: 3 right of 5.
    assert cells["cascade:R@1,IoU>=0.5"]["value"] == 3 / 5
    assert cells["R@1"]["value"] == pytest.approx(5 / 6)


def test_turns_and_dialogues_count_what_the_figure_rests_on():
    cells = of_patterns("VVM", "vcVM", "c", "Vm")
    assert (cells["success"]["turns"], cells["success"]["dialogues"]) == (8, 3)
    assert (cells["S@2"]["turns"], cells["S@2"]["dialogues"]) == (2 + 1 + 2, 3)
    assert (cells["cascade:R@1"]["turns"], cells["cascade:R@1"]["dialogues"]) == (5, 3)


@pytest.mark.parametrize(
    ("patterns", "name", "why"),
    [
        (["c", "cc"], "success", "no dialogues with retrieval turns"),
        (["V", "m"], "P(right|right)", "no retrieval turns after a right one here"),
        (["V", "m"], "dependence", "no retrieval turns after another here"),
        (["VVV"], "dependence", "no retrieval turn follows a right one, or none a wrong one"),
        (["VVV"], "recovery", "no retrieval turns after a failure"),
        (["mM"], "cascade:R@1", "no video turns of dialogues other than type 7 here"),
        (["VV"], "S@3", "no dialogue is at risk at retrieval turn 3"),
    ],
)
def test_undefined_figures_say_why(patterns, name, why):
    cell = of_patterns(*patterns)[name]
    assert cell["value"] is None
    assert why in cell["why"]


def test_dialogues_of_type_7_are_left_out():
    assert all(of_patterns("VVM", "vV", code=7)[name]["value"] is None for name in DIALOGUE)


def test_a_submission_without_videos_has_no_dialogue_figures():
    split, gold = make_split([("d", 1, 1, "en", "moment", VIDEOS[0], {"moment": (0, 1000)})])
    cells = scored(split, gold, [Prediction("d", 1, None, (Moment(VIDEOS[0], 0, 1000),))])["all"]
    assert cells["R@1,IoU>=0.5"]["value"] == 1
    assert all("has `videos`" in cells[name]["why"] for name in DIALOGUE)


def numbers(cell):
    return {key: part for key, part in cell.items() if isinstance(part, (int, float))}


def with_turn(case, at, turn, gold, given):
    """A case with one more turn in front of row `at`, later turns of the dialogue renumbered."""
    split, answers, predictions = case
    later = [n >= at and each.dialogue_id == turn.dialogue_id for n, each in enumerate(split.turns)]
    parts = [
        [replace(each, turn=each.turn + 1) if moved else each
         for each, moved in zip(part, later, strict=True)]
        for part in (split.turns, answers, [p or Prediction("", 0) for p in predictions])
    ]  # fmt: skip
    for part, new in zip(parts, (turn, gold, given), strict=True):
        part.insert(at, new)
    return replace(split, turns=tuple(parts[0])), parts[1], parts[2]


@given(st.integers(0, 5000), st.integers(0, 30))
@settings(max_examples=15)
def test_chat_turns_neither_fail_nor_count(seed, at):
    case = conversation(seed, dialogues=15)
    host = case[0].turns[at]
    key = (host.dialogue_id, host.turn)
    turn = Turn(*key, host.type, host.language, "chat", "")
    more = with_turn(case, at, turn, Gold(*key), Prediction(*key, response=""))
    before, after = scored(*case)["all"], scored(*more)["all"]
    for name in DIALOGUE:
        assert numbers(after[name]) == pytest.approx(numbers(before[name]), rel=1e-7), name


@given(st.integers(0, 5000))
@settings(max_examples=15)
def test_dialogues_of_type_7_move_no_dialogue_and_no_segment_metric(seed):
    split, gold, predictions = conversation(seed, dialogues=25)
    kept = [row for row, turn in enumerate(split.turns) if turn.type != 7]
    turns = tuple(split.turns[row] for row in kept)
    without = (replace(split, turns=turns), [gold[r] for r in kept], [predictions[r] for r in kept])
    before, after = scored(*without)["all"], scored(split, gold, predictions)["all"]
    for name, metric in METRICS.items():
        if metric.scope != "turn":
            assert numbers(after[name]) == pytest.approx(numbers(before[name]), rel=1e-7), name


@given(st.integers(0, 5000))
@settings(max_examples=15)
def test_dialogue_figures_are_bounded_and_in_order(seed):
    cells = scored(*conversation(seed, dialogues=25))["all"]
    value = {name: cell["value"] for name, cell in cells.items() if cell["value"] is not None}
    for name in set(value) & set(DIALOGUE):
        metric, cell = METRICS[name], cells[name]
        assert metric.low <= value[name] <= metric.high
        if cell["low"] is not None:
            assert metric.low <= cell["low"] <= value[name] <= cell["high"] <= metric.high
    shares = [value[f"S@{t}"] for t in range(1, 11) if f"S@{t}" in value]
    assert shares == sorted(shares, reverse=True)
    if "success" in value:
        assert value["success"] <= value["turns_right"]
        assert value["success"] <= value["S@1"]
    if "RMST@7" in value:
        assert value["RMST@7"] == pytest.approx(sum(value[f"S@{t}"] for t in range(1, 8)))


def test_small_cells_are_withheld_where_labels_are_hidden():
    thin = of_patterns(*["VV"] * 29, hidden=True)
    assert thin["success"]["value"] is None
    assert "fewer than 30 dialogues" in thin["success"]["why"]
    cells = of_patterns(*["VV"] * 29, "Vv", "vV", hidden=True)
    assert cells["success"]["value"] == pytest.approx(29 / 31)
    # 30 dialogues are at risk at turn 2, one fails at turn 1; one pair follows a wrong turn.
    assert cells["S@2"]["value"] == pytest.approx(30 / 31 * 29 / 30)
    assert "fewer than 30" in cells["dependence"]["why"]
    thinner = of_patterns(*["VV"] * 28, "Vv", "vV", "vV", hidden=True)
    assert thinner["S@1"]["value"] == pytest.approx(29 / 31)
    assert "fewer than 30" in thinner["S@2"]["why"]
