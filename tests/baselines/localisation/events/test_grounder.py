"""Answers of the trained localisers."""

import json
import shutil

import numpy as np
import pytest

from baselines.localisation.events.grounder import load_grounder
from baselines.localisation.heads import to_spans
from baselines.localisers import moment_detr, tan2d
from baselines.registry import find, load
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.views import view
from harness.errors import WrongUsageError

HEADS = {"tan2d": tan2d.SpanMap, "moment_detr": moment_detr.MomentDecoder}


def test_spans_are_whole_milliseconds_within_the_video():
    spans = to_spans(np.array([[0.1, 0.5], [0.5, 0.1], [0.7, 0.7], [-1, 2], [1, 1]]), 1000)
    assert spans.tolist() == [[100, 500], [100, 500], [700, 701], [0, 1000], [999, 1000]]


@pytest.mark.parametrize("name", HEADS)
def test_moments_are_of_the_video_of_the_turn_and_end_before_it_does(toy, said, by_events, name):
    gold = {(each.dialogue_id, each.turn): each for each in toy.gold("test")}
    answers = [each for d in said(name, toy, "reference", *by_events(name)) for each in d]
    given = [each for each in answers if each.moments]
    assert len(given) == 2, "the moment turns whose video can be read"
    assert not any(each.videos for each in answers)
    for each in given:
        video_id = gold[each.dialogue_id, each.turn].video_id
        assert {moment.video_id for moment in each.moments} == {video_id}
        end = toy.videos[video_id].duration or 12_000
        assert all(0 <= moment.start < moment.end <= end for moment in each.moments)


@pytest.mark.parametrize("name", HEADS)
def test_under_permuted_videos_each_stands_for_another(toy, by_events, name):
    folder = by_events(name)
    plan = RunConfig(find(name), "reference")
    seen = view(toy, toy.split("test"), plan, RunContext())
    plain, permuted = (
        load_grounder(name, load(find(name), [*folder, control])[1], HEADS[name], seen)
        for control in ("control=none", "control=videos_permuted")
    )
    # numpy.random.default_rng(0).permutation(4) is [2, 0, 1, 3]
    others = [seen.corpus[at] for at in (2, 0, 1, 3)]
    assert list(permuted.videos) == list(seen.corpus)
    for video_id, other in zip(seen.corpus, others, strict=True):
        assert np.array_equal(permuted.videos[video_id].rows, plain.videos[other].rows)
    assert permuted.ends == plain.ends, "spans stay within the video that is answered for"


@pytest.mark.parametrize("name", HEADS)
def test_a_folder_of_before_names_no_reader_and_answers_by_events(
    toy, said, by_events, tmp_path, name
):
    [present] = by_events(name)
    old = tmp_path / "old"
    shutil.copytree(present.removeprefix("checkpoint="), old)
    document = json.loads((old / "checkpoint.json").read_text("utf-8"))
    assert document["settings"].pop("reader") == "events"
    for added in ("features", "text", "text_revision"):
        document["settings"].pop(added)
    (old / "checkpoint.json").write_text(json.dumps(document), "utf-8")
    assert said(name, toy, "reference", f"checkpoint={old}") == said(
        name, toy, "reference", present
    )
    with pytest.raises(WrongUsageError, match=r"reader=frames.*was trained with .*events"):
        said(name, toy, "reference", f"checkpoint={old}", "reader=frames")


@pytest.mark.parametrize("name", HEADS)
def test_without_a_folder_it_names_the_command_that_makes_one(toy, said, name):
    with pytest.raises(WrongUsageError, match=f"baseline train {name}"):
        said(name, toy)
