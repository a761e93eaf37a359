"""What a folder says of itself: which labels it holds, and whether it may be handed out."""

import shutil

import pytest

from harness.benchmark import Benchmark
from harness.public_copy.standing import standing
from tests.public_copy.planted import WAYS

# What only a search for gold shows, or a comparison with the full benchmark.
NEEDS_THE_FULL_BENCHMARK = {
    "utterance_with_its_answer", "utterance_with_its_video", "utterance_with_its_span",
    "type_of_a_turn", "text_of_a_video", "text_of_a_video_in_base64", "path_of_a_video",
    "gold_first_among_candidates", "gold_twice_among_candidates", "videos_in_the_order_of_gold",
    "name_of_the_benchmark", "name_of_a_type", "labels_of_train", "tags_of_train",
    "events_of_train", "floor_of_a_new_name", "card_of_a_floor", "predictions_of_a_floor",
    "extended_attribute",
}  # fmt: skip


def test_a_public_copy_may_be_handed_out(published):
    found = standing(Benchmark(published))
    assert (found.hidden, found.held, found.findings) == (("val", "test"), ("train",), ())


def test_a_full_benchmark_with_hidden_labels_may_not(full):
    found = standing(full)
    assert (found.hidden, found.held) == (("val", "test"), ("train", "val", "test"))
    files = {finding.file for finding in found.findings}
    assert {"test/gold.jsonl", "val/gold.jsonl", "source/full.json", "benchmark.json",
            "floors/random/own/scores.json"} <= files  # fmt: skip


def test_one_whose_labels_are_public_may(public_labels):
    found = standing(public_labels)
    assert (found.hidden, found.held, found.findings) == ((), ("train", "val", "test"), ())


@pytest.mark.parametrize("split", ["val", "test"])
def test_gold_where_the_header_says_hidden_is_told(split, copy, full):
    shutil.copy(full.folder / split / "gold.jsonl", copy / split)
    found = standing(Benchmark(copy))
    assert found.held == ("train", split)
    assert [finding.file for finding in found.findings] == [f"{split}/gold.jsonl"]


@pytest.mark.parametrize("name", sorted(WAYS.keys() - NEEDS_THE_FULL_BENCHMARK))
def test_most_that_is_planted_shows_without_the_full_benchmark(name, copy, full):
    try:
        file = WAYS[name](copy, full)
    except OSError as error:
        pytest.skip(f"cannot be planted here: {error}")
    if name == "key_of_the_header":
        with pytest.raises(Exception, match="unknown key gold"):
            Benchmark(copy)
        return
    assert file in {finding.file for finding in standing(Benchmark(copy)).findings}
