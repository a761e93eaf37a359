"""Propagation: a case counted by hand, the long-hand definition, and who counts as a pair."""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparison import compare
from harness.comparison.propagation import after_first_error, names_as_pair
from harness.publication.disclosure import TOO_SMALL
from harness.records import Card
from tests.comparison.worlds import submit, world

DIALOGUES = [(1, "v0 v1 v2 v3"), (1, "m4 c v5 v6"), (1, "v7 v8"), (7, "v9 v10 v11"),
             (1, "v12 v13"), (1, "v14 m15"), (0, "c c")]  # fmt: skip
# Own fails first in turn 2 of dialogue 1, turn 1 of 2, never in 3, turn 2 of 5, turn 1 of 6.
OWN = ("1001", "0100", "11", "000", "10", "01", "11")
REFERENCE = ("1011", "1010", "10", "111", "11", "00", "11")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return world(tmp_path_factory.mktemp("bench"), *DIALOGUES)


@pytest.fixture
def pair(tmp_path, bench):
    def made(**cards):
        own = submit(tmp_path / "own", bench, *OWN, history="own", **cards.get("own", {}))
        told = submit(tmp_path / "told", bench, *REFERENCE, history="reference",
                      **cards.get("told", {}))  # fmt: skip
        return own, told

    return made


def test_reference_minus_own_after_the_own_first_error_by_hand(bench, pair):
    own, told = pair(told={"pair": "own"})
    [found] = compare([own, told], bench).propagation
    assert (found.own, found.reference) == ("A", "B")
    # Turns 3 and 4 of the first two dialogues, turn 2 of the sixth; type 7 is left out.
    by_hand = {
        "right": (Fraction(3, 5), Fraction(2, 5), 5, 3),
        "R@1": (Fraction(3, 4), Fraction(1, 4), 4, 2),
        "R@1,IoU>=0.5": (Fraction(0, 1), Fraction(1, 1), 1, 1),
    }
    assert [each.metric for each in found.figures] == list(by_hand)
    for each, (one, other, turns, dialogues) in zip(found.figures, by_hand.values(), strict=True):
        assert (each.first, each.second) == ("B", "A")
        assert each.first_value == float(one)
        assert each.second_value == float(other)
        assert each.value == float(one - other)
        assert (each.turns, each.dialogues) == (turns, dialogues)
    assert (found.failed, found.dialogues) == (4, 5)


def test_hidden_labels_keep_small_figures_and_the_counts_that_rest_on_labels(tmp_path):
    hidden = world(tmp_path, *DIALOGUES, labels="hidden")
    own = submit(tmp_path / "own", hidden, *OWN, history="own", pair="told")
    told = submit(tmp_path / "told", hidden, *REFERENCE, history="reference")
    [found] = compare([own, told], hidden).propagation
    assert found.failed is None
    for each in found.figures:
        assert (each.value, each.turns, each.dialogues) == (None, None, None)
        assert each.why == TOO_SMALL


def test_the_order_of_the_runs_and_which_card_names_the_other_do_not_matter(bench, pair):
    own, told = pair(own={"pair": "../told/"})
    there, back = compare([own, told], bench).propagation + compare([told, own], bench).propagation
    assert (back.own, back.reference) == ("B", "A")
    assert [each.value for each in back.figures] == [each.value for each in there.figures]


def test_runs_that_differ_before_any_history_are_found_out(bench, pair):
    own, told = pair(told={"pair": "own"})
    [found] = compare([own, told], bench).propagation
    # Opening video turns: dialogues 1, 3, 4, 5, 6; the runs differ in 4 (type 7) and agree else.
    assert (found.first_turns, found.unlike) == (5, 1)


def test_p_is_corrected_over_the_links_shown(tmp_path, bench, pair):
    own, told = pair(told={"pair": "own"})
    other = submit(tmp_path / "other", bench, *OWN, history="own")
    also = submit(tmp_path / "also", bench, *REFERENCE, history="reference", pair="other")
    one, two = compare([own, told, other, also], bench).propagation
    assert (two.own, two.reference) == ("C", "D")
    for each in (*one.figures, *two.figures):
        assert each.p_holm == (None if each.p is None else min(1, 2 * each.p))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("own", True), ("./own/", True), ("../team/own", True), ("team/own", True), ("town", False),
     ("other/own", False), ("", False), ("/", False), ("..", False), (None, False)],
)  # fmt: skip
def test_a_pair_is_named_by_the_end_of_its_folder(tmp_path, text, expected):
    card = Card(1, "T", "S", "own", "unused", pair=text)
    one = SimpleNamespace(card=card)
    assert names_as_pair(one, SimpleNamespace(folder=tmp_path / "team" / "own")) == expected


@pytest.mark.parametrize(
    ("cards", "says"),
    [
        ({"told": {"pair": "own", "candidates": "used"}}, "differ in team or use of candidates"),
        ({"told": {"pair": "own", "team": "U"}}, "differ in team or use of candidates"),
        ({"told": {"pair": "elsewhere"}}, "B names a pair that is not shown here."),
        ({"own": {"system": "S"}, "told": {"system": "S"}}, "seem to be one system"),
    ],
    ids=["candidates", "team", "another", "not named"],
)
def test_without_a_link_there_is_no_propagation_and_the_reason_is_told(bench, pair, cards, says):
    found = compare(pair(**cards), bench)
    assert found.propagation == ()
    assert any(says in note for note in found.notes), found.notes


def test_linked_runs_of_other_histories_have_no_propagation(tmp_path, bench):
    own = submit(tmp_path / "own", bench, *OWN, history="own")
    none = submit(tmp_path / "none", bench, *OWN, history="none", pair="own")
    found = compare([own, none], bench)
    assert found.propagation == ()
    assert any("B names A as its pair, but" in note for note in found.notes)
    assert any(note.startswith("Histories differ (own: A; none: B)") for note in found.notes)


def test_runs_of_one_kind_are_not_said_to_differ(tmp_path, bench):
    runs = [submit(tmp_path / name, bench, *OWN) for name in ("one", "two")]
    assert not any("differ (" in note for note in compare(runs, bench).notes)


def test_a_run_without_moments_is_named_because_its_moment_turns_are_errors(tmp_path, bench, pair):
    _, told = pair()
    silent = [OWN[0], "-100", *OWN[2:5], "0-", OWN[6]]
    mute = submit(tmp_path / "mute", bench, *silent, history="own", pair="told")
    found = compare([mute, told], bench)
    assert found.propagation[0].failed == 4
    assert any(note.startswith("A gives no moment at all") for note in found.notes)


@given(st.lists(st.tuples(st.sampled_from([1, 7]), st.lists(st.sampled_from("c10"), max_size=6))))
def test_turns_after_the_first_error_are_those_of_the_long_hand_definition(dialogues):
    asked = [(code, marks) for code, marks in dialogues if marks]
    rows = [
        (at, code != 7 and mark != "c", mark == "1")
        for at, (code, marks) in enumerate(asked)
        for mark in marks
    ]
    dialogue, counted, right = np.array(rows, dtype=int).reshape(-1, 3).T
    frame = SimpleNamespace(dialogue=dialogue, dialogue_turns=counted.astype(bool))
    expected = []
    for code, marks in dialogues:
        for place, mark in enumerate(marks):
            failed = any(before == "0" for before in marks[:place])
            expected.append(code != 7 and mark != "c" and failed)
    assert after_first_error(frame, right.astype(bool)).tolist() == expected


def test_runs_of_one_name_with_other_settings_are_no_pair(bench, pair):
    cards = {
        "own": {"system": "S", "settings": {"context": "all"}},
        "told": {"system": "S", "settings": {"context": "decayed"}},
    }
    assert not any("seem to be one system" in note for note in compare(pair(**cards), bench).notes)
