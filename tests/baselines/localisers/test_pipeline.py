"""Which video a moment turn is about, by rule; both members answer as they do alone."""

from pathlib import Path

import pytest

from baselines.base import Exchange, MemberConfig, MissingInputError, Query, View
from baselines.dialogue_context import is_sought
from baselines.floors.train_prior import TrainPrior
from baselines.registry import find, load
from baselines.retrievers.bm25 import BM25
from baselines.running.runner import RunConfig, start
from harness.errors import WrongUsageError
from harness.records import Moment
from tests.baselines.conftest import CAT, COOK, DOG, SAMPLES

MEMBERS = {"retriever": MemberConfig("bm25"), "localiser": MemberConfig("whole_video")}
EARLIER = (Exchange("video", "a cat", "It is video 1.", CAT, ()),)


def moment(utterance, history=(), video_id=None):
    return Query("d", 2, "en", "moment", utterance, (), video_id, history)


@pytest.fixture
def file(tmp_path):
    """The configuration file of MEMBERS."""
    path = tmp_path / "pipeline.toml"
    path.write_text('[retriever]\nbaseline = "bm25"\n[localiser]\nbaseline = "whole_video"\n')
    return str(path)


@pytest.fixture
def pipeline(toy):
    baseline, _ = load(find("pipeline"), (), MEMBERS)
    baseline.prepare(View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0))
    return baseline


@pytest.mark.parametrize(
    ("query", "video_id"),
    [
        (moment("a man cooks", EARLIER, DOG), DOG),
        (moment("when does it wake up?", EARLIER), CAT),
        (moment("when does the dog on the beach run?"), DOG),
        (moment("in the video where a man cooks rice, find the start", EARLIER), COOK),
        (moment("There is a video with a dog on a beach. Cut out the end.", EARLIER), DOG),
        (moment("找一个狗在沙滩上奔跑的视频，截取开头", EARLIER), DOG),
        (moment("有一段视频里狗在沙滩上奔跑，截取开头", EARLIER), DOG),
        (moment("我想看开头的片段，视频里狗在沙滩上奔跑", EARLIER), DOG),
        (moment("When is it in this video?", EARLIER), CAT),
        (moment("那是视频里的什么时候?", EARLIER), CAT),
    ],
    ids=["given", "in focus", "no earlier video", "described", "described apart",
         "zh described", "zh described first", "zh described after", "this video", "zh this video"],
)  # fmt: skip
def test_the_localiser_gets_the_video_that_the_rule_names(pipeline, query, video_id):
    (answer,) = pipeline.answer([query])
    assert [moment.video_id for moment in answer.moments] == [video_id]


def test_a_batch_of_all_tasks_is_answered_in_order(pipeline):
    chat = Query("d", 1, "en", "chat", "hello")
    video = Query("d", 1, "en", "video", "a sleeping cat")
    answers = pipeline.answer([moment("it?", EARLIER), chat, video, moment("a man cooks rice")])
    assert answers[0].moments == (Moment(CAT, 0, 10_000),)
    assert answers[1].response == ""
    assert answers[2].videos[0] == CAT
    assert answers[3].moments == (Moment(COOK, 0, 40_000),)


def test_video_turns_are_the_retrievers(toy, said, file):
    for history in ("none", "own", "reference"):
        both = zip(said("pipeline", toy, history, file), said("bm25", toy, history), strict=True)
        assert all(
            mine.videos == its.videos
            for dialogues in both
            for mine, its in zip(*dialogues, strict=True)
        )


def test_with_reference_history_moments_are_the_localisers(toy, said, file):
    mine = said("pipeline", toy, "reference", file)
    its = said("whole_video", toy, "reference")
    moments = [[turn.moments for turn in dialogue] for dialogue in its]
    assert [[turn.moments for turn in dialogue] for dialogue in mine] == moments


def test_the_file_that_ships_needs_no_training_and_answers_as_its_members(toy, said):
    file = str(Path(__file__).resolve().parents[3] / "docs" / "pipeline.toml")
    mine = said("pipeline", toy, "reference", file)
    videos, moments = (said(name, toy, "reference") for name in ("bm25", "train_prior"))
    for dialogues in zip(mine, videos, moments, strict=True):
        for turn, ranked, located in zip(*dialogues, strict=True):
            assert turn.videos == ranked.videos
            assert turn.moments == located.moments
    assert any(turn.moments for dialogue in mine for turn in dialogue)
    assert said("pipeline", toy, "reference") == mine  # without a file: the same two


def train_prior_run(toy, name="pipeline", settings=None):
    members = settings or {"localiser": MemberConfig("train_prior")}
    return start(RunConfig(find(name), "own", settings=members), toy)


def test_labels_of_train_reach_the_member_that_reads_them_alone(toy, monkeypatch):
    views = {}
    for kind in (BM25, TrainPrior):
        prepare = kind.prepare

        def spied(self, view, kind=kind, prepare=prepare):
            views[kind] = view
            prepare(self, view)

        monkeypatch.setattr(kind, "prepare", spied)
    made = train_prior_run(toy)
    assert views[BM25].training is None
    gold = views[TrainPrior].training.gold
    assert {each.dialogue_id for each in gold}.isdisjoint(toy.split("test").dialogues())
    assert made.card.training_data == ("toy train",)
    inner = MemberConfig("pipeline", {"localiser": MemberConfig("train_prior")})
    assert train_prior_run(toy, "two_stage", {"retriever": inner}).card.training_data == (
        "toy train",
    )
    assert start(RunConfig(find("hybrid"), "own"), toy).card.training_data == ()


def test_without_a_train_split_it_is_said(make):
    alone = make([sample for sample in SAMPLES if sample["split"] == "test"])
    with pytest.raises(MissingInputError, match="has no train split with labels, which pipeline"):
        train_prior_run(alone)


def test_no_answer_reads_a_later_turn(pipeline):
    first, later = moment("when?", EARLIER), moment("in the video where a man cooks", EARLIER)
    assert pipeline.answer([first, later])[0] == pipeline.answer([first])[0]
    assert [is_sought(first), is_sought(later)] == [False, True]


def test_the_retriever_ranks_videos():
    with pytest.raises(WrongUsageError, match="retriever: sliding_window is a localiser, expected"):
        load(find("pipeline"), (), {"retriever": MemberConfig("sliding_window")})
