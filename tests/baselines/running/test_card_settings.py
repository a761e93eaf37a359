"""What the card says of a run's settings: short names, a flat table, the control."""

import pytest

from baselines.base import MemberConfig
from baselines.registry import find, load
from baselines.running.card_settings import SHORT, card_settings, check_variant
from baselines.running.runner import RunConfig, start
from baselines.settings import changed_settings
from harness.errors import WrongUsageError


def fields(name, values, assignments=()):
    entry = find(name)
    return card_settings(entry, changed_settings(load(entry, assignments, values)[1]))


def test_without_changes_there_is_nothing_to_tell():
    assert fields("bm25", {}) == (None, None, None)
    assert fields("hybrid", {}) == (None, None, None)


def test_changed_settings_are_told_and_a_trained_folder_is_not():
    values = {"checkpoint": "de-1", "context": "all", "size": "small"}
    assert fields("dual_encoder", values) == (
        {"context": "all", "size": "small"}, "context=all, size=small", None,
    )  # fmt: skip
    assert fields("clip", {"checkpoint": "org/name"}).settings == {"checkpoint": "org/name"}


def test_a_control_has_a_field_of_its_own():
    assert fields("dual_encoder", {"control": "text_alone"}) == (None, None, "text_alone")
    members = (MemberConfig("bm25"), MemberConfig("dual_encoder", {"control": "text_alone"}))
    found = fields("hybrid", {"member": members})
    assert found.control == "member2: text_alone"
    assert found.settings == {"member1.baseline": "bm25", "member2.baseline": "dual_encoder"}


def test_members_stand_by_their_places_and_names():
    members = (
        MemberConfig("bm25", {"context": "all"}),
        MemberConfig("dual_encoder", {"checkpoint": "de"}, 2.0),
    )
    assert fields("hybrid", {"member": members, "candidates": "used"}) == (
        {
            "member1.baseline": "bm25",
            "member1.settings.context": "all",
            "member2.baseline": "dual_encoder",
            "member2.weight": 2.0,
            "candidates": "used",
        },
        "bm25 (context=all) + 2 * dual_encoder, candidates=used",
        None,
    )
    inner = MemberConfig("hybrid", {"member": members})
    found = fields("pipeline", {"retriever": inner, "localiser": MemberConfig("tan2d")})
    assert found.settings["retriever.settings.member1.settings.context"] == "all"
    assert found.variant == "retriever hybrid (bm25 (context=all) + 2 * dual_encoder), l…"


@pytest.mark.parametrize("text", ["x" * 500, "\n\x1b[31m\u202e" * 40, "猫" * 80, " " * 70, ""])
def test_what_stands_in_a_card_keeps_within_its_limits(text):
    found = card_settings(find("endpoint"), {"model": text, "extra": text, "control": text + "x"})
    assert len(found.control) <= SHORT
    assert found.control.isprintable()
    assert len(found.variant) <= SHORT
    assert found.variant.isprintable()
    for value in found.settings.values():
        assert 0 < len(value) <= 200
        assert value.isprintable()
        assert value.strip()


def test_numbers_that_no_card_holds_are_text():
    changed = {"a": float("inf"), "b": float("nan"), "c": 2**60, "d": True, "e": 0.5}
    found = card_settings(find("endpoint"), changed).settings
    assert found == {"a": "inf", "b": "nan", "c": str(2**60), "d": True, "e": 0.5}


@pytest.mark.parametrize("value", ["", "  ", "a\nb", 3, "x" * 61])
def test_a_variant_is_a_short_line(value):
    with pytest.raises(WrongUsageError, match="place: expected"):
        check_variant(value, "place")


def test_a_variant_that_is_given_stands_in_the_card(toy):
    config = RunConfig(find("bm25"), "own", ("context=all",), variant="all turns")
    assert start(config, toy).card.variant == "all turns"
    with pytest.raises(WrongUsageError, match="variant: expected at most 60"):
        start(RunConfig(find("bm25"), "own", variant="x" * 61), toy)


def test_seeds_of_one_system_have_cards_that_differ_in_the_seed_alone(toy, ready):
    [given] = ready("dual_encoder")
    cards = []
    for seed in (1, 2):
        member = MemberConfig("dual_encoder", {"checkpoint": given.partition("=")[2]})
        config = RunConfig(find("hybrid"), "own", seed=seed, settings={"member": (member,)})
        cards.append(start(config, toy).card)
    assert [card.seed for card in cards] == [1, 2]
    assert cards[0].settings == cards[1].settings == {"member1.baseline": "dual_encoder"}
