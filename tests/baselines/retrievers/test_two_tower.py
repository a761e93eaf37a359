"""Training and running on features of the toy; heads on the same encoders; controls; refusals."""

import numpy as np
import pytest
import torch
from msgspec import json
from safetensors.torch import load_file

from baselines.base import Exchange, LabelledSplit, MissingInputError, Query, TrainerConfig, View
from baselines.dialogue_context import readings
from baselines.features.feature_sets import open_features
from baselines.registry import find, load
from baselines.retrieval_training.feature_encoders import WIDTH, FeatureEncoders
from baselines.retrieval_training.text_reader import trained_reader
from baselines.retrieval_training.two_tower_head import TwoTowerHead, WordStepHead
from baselines.retrieval_training.word_encoders import WordEncoders
from harness.errors import WrongUsageError
from tests.baselines import tiny
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.baselines.features.folders import feature_folder, random_rows

FRAMES = {CAT: 3, DOG: 7, FOX: 5, COOK: 60}
NAMES = ("two_tower", "clip4clip", "xpool")


@pytest.fixture
def features(toy, tmp_path):
    return feature_folder(tmp_path / "features", random_rows(FRAMES, 6), toy.folder)


@pytest.fixture
def trained(toy, features, tmp_path):
    """Train on the toy's train split; the checkpoint folder."""

    def run(*assignments, name="two_tower", out="out", steps=3):
        baseline, _ = load(find(name), [f"features={features}", "most=6", *assignments])
        split = toy.split("train")
        labels = LabelledSplit(split.turns, toy.gold("train"), split.candidates)
        view = View(toy.videos, split.corpus, toy.folder, "own", 0, labels, labels)
        baseline.train(view, TrainerConfig(tmp_path / out, steps=steps))
        return tmp_path / out

    return run


def prepared(toy, name, *assignments, seed=0):
    baseline, _ = load(find(name), assignments)
    baseline.prepare(View(toy.videos, toy.split("test").corpus, toy.folder, "own", seed))
    return baseline


@pytest.mark.parametrize("words", ["true", "false"])
def test_answers_score_as_training_did(trained, toy, features, words):
    out = trained(f"words={words}", "context=decayed")
    baseline = prepared(toy, "two_tower", f"checkpoint={out}")
    earlier = (Exchange("video", "找一只狗", "", None, ()),)
    query = Query("d", 2, "en", "video", "a dog in snow", history=earlier)
    kind = WordEncoders if words == "true" else FeatureEncoders
    weights = load_file(out / "weights.safetensors")
    facts = json.decode((out / "checkpoint.json").read_bytes())["facts"]
    reader = trained_reader(facts["text"], "", None, print)
    rows = open_features([str(features)], FRAMES, toy.folder, print)
    encoders, head = kind(reader, rows, 6, 6).eval(), WordStepHead(WIDTH, 6)
    if words == "false":
        head = TwoTowerHead(WIDTH, 6, 4)
    inner = {name: of for name, of in weights.items() if name.startswith("encoders.")}
    encoders.load_state_dict({name.partition(".")[2]: of for name, of in inner.items()})
    head.load_state_dict({name: of for name, of in weights.items() if name not in inner})
    with torch.inference_mode():
        texts = encoders.texts([readings(query, "decayed")])
        hand = head.eval()(texts, encoders.frames(list(FRAMES)))[0].numpy()
    scores = baseline.scores(query)
    corpus = toy.split("test").corpus
    found = [scores[corpus.index(name)] for name in FRAMES]
    np.testing.assert_allclose(found, hand, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_trained_on_features_runs_and_twice_the_same(trained, toy, said, name):
    out = trained("context=decayed", name=name)
    given = (f"checkpoint={out}", "candidates=used")
    first, again = said(name, toy, "own", *given), said(name, toy, "own", *given)
    assert first == again
    turns = [prediction for dialogue in first for prediction in dialogue]
    assert sum(len(turn.videos or ()) == 4 for turn in turns) == 5
    told = prepared(toy, name, f"checkpoint={out}").provenance()
    assert told.details["features"]["folders"][0]["width"] == 6
    assert told.details["text"] == "own words"
    assert told.details["settings"]["context"] == "decayed"
    assert str(toy.folder.parent) not in str(told.details)


@pytest.mark.parametrize("words", ["true", "false"])
def test_a_score_does_not_depend_on_the_batch(trained, toy, words):
    baseline = prepared(toy, "two_tower", f"checkpoint={trained(f'words={words}')}")
    queries = [Query("d", 1, "en", "video", text) for text in ("a dog", "snow", "找一只狗")]
    alone = [baseline.answer([query])[0] for query in queries]
    assert baseline.answer(queries[::-1])[::-1] == alone
    assert {len(answer.videos) for answer in alone} == {4}


def test_two_trainings_with_one_seed_give_the_same_bytes(trained):
    first, again = trained(out="a"), trained(out="b")
    for name in ("weights.safetensors", "checkpoint.json"):
        assert (first / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize("words", ["true", "false"])
def test_controls_move_what_a_video_shows(trained, toy, words):
    out, seen = trained("vectors=2", f"words={words}"), {}
    query = Query("d", 1, "en", "video", "a dog on a beach")
    for control in ("none", "videos_permuted", "frames_shuffled"):
        baseline = prepared(toy, "two_tower", f"checkpoint={out}", f"control={control}")
        seen[control] = baseline.scores(query)
        assert baseline.answer([query])[0].videos is not None
    assert len({scores.tobytes() for scores in seen.values()}) == 3
    with pytest.raises(WrongUsageError, match="one of running"):
        trained("control=videos_permuted", out="other")


def test_another_text_model_may_be_read(trained, toy, tmp_path):
    text = tiny.bert(tmp_path / "bert")
    out = trained(f"text={text}", "moments=false", "negatives=0")
    baseline = prepared(toy, "two_tower", f"checkpoint={out}")
    assert baseline.provenance().details["text"].startswith("sha256:")
    assert json.decode((out / "checkpoint.json").read_bytes())["facts"]["pairs"] == 3


def test_features_of_another_encoder_are_refused(trained, toy, tmp_path, features):
    out = trained()
    rows = random_rows(FRAMES, 5)
    other = feature_folder(tmp_path / "other", rows, toy.folder)
    with pytest.raises(WrongUsageError, match="was trained on features of unknown"):
        prepared(toy, "two_tower", f"checkpoint={out}", f"features={other}")
    with pytest.raises(WrongUsageError, match="trained with vectors=4"):
        prepared(toy, "two_tower", f"checkpoint={out}", "vectors=2")
    with pytest.raises(WrongUsageError, match="trained with words=True"):
        prepared(toy, "two_tower", f"checkpoint={out}", "words=false")
    with pytest.raises(WrongUsageError, match="found none; --set features"):
        load(find("two_tower"))[0].train(
            View(toy.videos, (), toy.folder, "own", 0, LabelledSplit((), (), {})),
            TrainerConfig(tmp_path / "no"),
        )


def test_videos_without_features_are_not_ranked(trained, toy, tmp_path):
    out = trained()
    rows = {name: of for name, of in random_rows(FRAMES, 6).items() if name != CAT}
    some = feature_folder(tmp_path / "some", rows, toy.folder)
    baseline = prepared(toy, "two_tower", f"checkpoint={out}", f"features={some}")
    (answer,) = baseline.answer([Query("d", 1, "en", "video", "a cat")])
    assert set(answer.videos) == {DOG, FOX, COOK}
    none = feature_folder(tmp_path / "none", {"x": np.ones((2, 6), np.float32)}, toy.folder)
    with pytest.raises(MissingInputError, match="none of the"):
        prepared(toy, "two_tower", f"checkpoint={out}", f"features={none}")
