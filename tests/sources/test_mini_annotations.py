"""IVCR-Mini's dialogues: what is asked has one answer, and the words say what is meant."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from harness.sources.mini import MiniAnnotations
from harness.sources.mini.chinese import NAMES
from harness.sources.mini.english import ADVERBS
from tests.sources.test_mini_reading import (
    BACKGROUNDS,
    CHINESE,
    FIELD,
    Turn,
    Video,
    all_turns,
    bag,
    corpora,
    find_moment,
    note_words,
    parsed,
    script_oracle,
    seed_zero,
)


@pytest.fixture(scope="module")
def made() -> MiniAnnotations:
    return seed_zero()


@pytest.fixture(scope="module")
def turns() -> list[Turn]:
    return all_turns()


@pytest.fixture(scope="module")
def scripts() -> dict[str, dict[str, Video]]:
    return corpora()


def test_dialogues_are_many_of_all_types_and_1_to_8_turns(made: MiniAnnotations) -> None:
    for split, least in (("train", 600), ("val", 100), ("test", 300)):
        samples = [sample for sample in made.samples if sample["split"] == split]
        assert len(samples) >= least
        assert {sample["type"][0] for sample in samples} == {0, 1, 2, 3, 4, 5, 7}
        lengths = {len(sample["conversations"]) // 2 for sample in samples}
        assert lengths == {1, 2, 3, 4, 5, 6, 7, 8}


def test_a_third_of_turns_and_dialogues_are_chinese(
    made: MiniAnnotations, turns: list[Turn]
) -> None:
    for split in ("train", "val", "test"):
        said = [bool(CHINESE.search(turn.utterance)) for turn in turns if turn.split == split]
        assert 0.3 <= sum(said) / len(said) <= 0.5
        answered = [
            bool(CHINESE.search(turn.utterance)) == bool(CHINESE.search(turn.reply["value"]))
            for turn in turns
        ]
        assert all(answered)


def test_a_third_of_video_turns_are_pixel_turns_of_all_kinds(turns: list[Turn]) -> None:
    for split in ("train", "val", "test"):
        video = [turn for turn in turns if turn.split == split and turn.task == "video"]
        kinds = Counter(turn.tags[1] for turn in video if "pixel" in turn.tags)
        assert set(kinds) == {"order", "time", "place"}
        assert kinds.total() >= len(video) / 3
        assert min(kinds.values()) > kinds.total() / 5


def test_no_video_serves_two_splits_and_every_video_is_gold(
    turns: list[Turn], scripts: dict[str, dict[str, Video]]
) -> None:
    for split, corpus in scripts.items():
        mine = [turn.reply for turn in turns if turn.split == split]
        named = {name for reply in mine for name in reply.get("candidate_videos", [])}
        assert named | {reply["video_id"] for reply in mine} == set(corpus)
        assert {reply["video_id"] for reply in mine if "gt_se" in reply} == set(corpus)


def test_pixel_turns_single_out_one_video_by_script_and_two_by_words(
    turns: list[Turn], scripts: dict[str, dict[str, Video]]
) -> None:
    bags = {name: bag(video) for corpus in scripts.values() for name, video in corpus.items()}
    for turn in turns:
        if "pixel" not in turn.tags:
            assert "foil" not in turn.reply
            continue
        gold, foil = turn.reply["video_id"], turn.reply["foil"]
        assert script_oracle(scripts[turn.split], [turn.note]) == {gold}
        asked = note_words(turn.note)
        assert {name for name in scripts[turn.split] if asked <= bags[name]} == {gold, foil}


def test_video_turns_have_one_answer_unless_tagged_open(
    turns: list[Turn], scripts: dict[str, dict[str, Video]]
) -> None:
    video = [turn for turn in turns if turn.task == "video"]
    for turn in video:
        alone = script_oracle(scripts[turn.split], [turn.note])
        together = script_oracle(scripts[turn.split], turn.said)
        assert turn.reply["video_id"] in together <= alone
        assert (len(together) > 1) == ("open" in turn.tags)
    assert sum("open" in turn.tags for turn in video) < 0.1 * len(video)


def test_abstract_turns_name_a_quality_of_the_whole_video(turns: list[Turn]) -> None:
    for turn in turns:
        if turn.task == "video":
            named = {name for name, _ in parsed(turn.note)}
            assert bool(named & {"throughout", "count"}) == ("abstract" in turn.tags)
    assert sum("abstract" in turn.tags for turn in turns if turn.split == "test") > 30


def test_moments_are_the_times_of_the_one_event_described(
    turns: list[Turn], scripts: dict[str, dict[str, Video]]
) -> None:
    for turn in turns:
        if turn.task == "moment":
            corpus, gold = scripts[turn.split], turn.reply["video_id"]
            where, _, which = turn.note.rpartition(" > ")
            event = find_moment(corpus[gold], which)
            assert event is not None
            assert turn.reply["gt_se"] == [event["start"], event["end"]]
            if where:  # a turn that opens must single out its video too
                assert script_oracle(corpus, [where]) == {gold}
            else:
                assert turn.number > 1


def test_utterances_name_the_attributes_they_mean_and_no_others(turns: list[Turn]) -> None:
    for turn in turns:
        if turn.task == "chat":
            continue
        meant = set()
        for note in turn.note.split(" > "):
            meant |= {word for word in note_words(note) if word in FIELD or word in BACKGROUNDS}
        qualities = {s[0][0] for n, s in parsed(turn.note.split(" > ")[0]) if n == "throughout"}
        if CHINESE.search(turn.utterance):
            said = {word for word, name in NAMES.items() if name in turn.utterance}
        else:
            heard = set(re.findall("[a-z]+", turn.utterance.lower()))
            said = {word for word in (*FIELD, *BACKGROUNDS) if ADVERBS.get(word, word) in heard}
        assert said - meant == set(), turn.utterance
        implied = meant - said
        # "calm" implies slow; "the same background" refers to the turn before.
        assert implied <= qualities | set(BACKGROUNDS), turn.utterance
        if implied & set(BACKGROUNDS):
            assert turn.kind in (3, 5)


def test_relations_are_said_the_right_way_round(turns: list[Turn]) -> None:
    second_comes_first = re.compile(
        " after | for less time | for a shorter time | only briefly, but "
        "|之前，|的时间比.*的时间短|只有一小会儿，|跟.*相比，"
    )
    checked = 0
    for turn in turns:
        if turn.task != "video":
            continue
        for sides in (sides for name, sides in parsed(turn.note) if name in ("before", "longer")):
            colours = [next(w for w in side if FIELD[w] == "colour") for side in sides]
            chinese = CHINESE.search(turn.utterance)
            names = [NAMES[colour] if chinese else f"{colour} " for colour in colours]
            first, second = (turn.utterance.index(name) for name in names)
            assert (first > second) == bool(second_comes_first.search(turn.utterance)), turn
            checked += 1
    assert checked > 500
