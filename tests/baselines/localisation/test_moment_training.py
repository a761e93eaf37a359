"""Training localisers on gold spans, and their folders."""

import json

import msgspec
import numpy as np
import pytest

from baselines.base import MissingInputError, TrainerConfig
from baselines.localisation.moment_batches import MomentSampler, collate_videos
from baselines.localisation.moment_data import MomentData, moment_videos
from baselines.localisation.video_steps import RowSource
from baselines.registry import find
from baselines.running.run_config import RunContext
from baselines.running.views import training_view
from baselines.training.trainer import TrainJob, train
from harness.errors import WrongUsageError
from tests.baselines import tiny
from tests.baselines.conftest import CAT, COOK, DOG, FOX, SAMPLES, ask, dialogue
from tests.baselines.features.folders import feature_folder, random_rows
from tests.baselines.localisation.test_video_steps import Toy

FILES = ("checkpoint.json", "weights.safetensors")


def trained(benchmark, out, *settings, name="moment_detr", steps=2, resume=False):
    config = TrainerConfig(out, steps=steps, resume=resume)
    train(TrainJob(find(name), settings, config), benchmark)
    return out


def same(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in FILES)


@pytest.fixture
def features(toy, tmp_path):
    """Features of all videos, 5 wide, two rows a second."""
    frames = {
        video_id: 2 * round((video.duration or 12_000) / 1000)
        for video_id, video in toy.videos.items()
    }
    return str(feature_folder(tmp_path / "features", random_rows(frames, 5), toy.folder, rate=2))


def moments(said, benchmark, folder, *given, name="moment_detr"):
    answers = said(name, benchmark, "reference", f"checkpoint={folder}", *given)
    return [each.moments for d in answers for each in d if each.moments]


@pytest.mark.parametrize("reads", ["pixels", "features"])
def test_gold_spans_are_enough_and_give_the_same_bytes_again(toy, said, features, tmp_path, reads):
    chosen = [f"features={features}"] if reads == "features" else []
    assert not (toy.folder / "train" / "events.jsonl").exists()
    one, other = (trained(toy, tmp_path / place, *chosen) for place in "ab")
    assert same(one, other)
    facts = json.loads((one / "checkpoint.json").read_text("utf-8"))["facts"]
    assert facts["inputs"]["feature_width"] == (5 if chosen else 0)
    found = moments(said, toy, one)
    assert len(found) == 2, "the moment turns whose video can be read"
    assert [{moment.video_id for moment in each} for each in found] == [{"A/cat.mp4"}, {FOX}]
    assert toy.videos[FOX].duration is None
    assert found == moments(said, toy, one)


class KilledError(Exception):
    """As a killed process ends, for the test."""


def test_a_resumed_training_ends_as_an_uninterrupted_one(toy, features, tmp_path, monkeypatch):
    chosen = [f"features={features}", "size=small"]
    whole = trained(toy, tmp_path / "whole", *chosen, steps=4)
    monkeypatch.setattr("baselines.training.stages.SAVE_SECONDS", 0)
    monkeypatch.setattr("baselines.training.stages.CHECK_STEPS", 1)
    draw, calls = MomentSampler.__call__, []

    def drawn_until(sampler, step, generator):
        calls.append(step)
        if step == 3 and calls.count(3) == 1:
            raise KilledError
        return draw(sampler, step, generator)

    monkeypatch.setattr(MomentSampler, "__call__", drawn_until)
    with pytest.raises(KilledError):
        trained(toy, tmp_path / "part", *chosen, steps=4)
    trained(toy, tmp_path / "part", *chosen, steps=4, resume=True)
    assert 0 < calls[calls.index(3) + 1] <= 3, "it was resumed, not begun anew"
    assert same(whole, tmp_path / "part")


def test_other_features_than_those_of_the_training_are_refused(toy, said, features, tmp_path):
    folder = trained(toy, tmp_path / "made", f"features={features}")
    rows = random_rows(dict.fromkeys(toy.videos, 20), 5, seed=1)
    others = feature_folder(tmp_path / "others", rows, toy.folder)
    with pytest.raises(WrongUsageError, match=r"was trained on the features imported .* found"):
        moments(said, toy, folder, f"features={others}")


def test_another_text_encoder_than_that_of_the_training_is_refused(toy, said, features, tmp_path):
    encoder, other = (tiny.sentences(tmp_path / place) for place in ("encoder", "other"))
    weights = other / "modules.json"
    assert weights.exists()
    chosen = [f"features={features}", f"text={encoder}"]
    folder = trained(toy, tmp_path / "made", *chosen)
    facts = json.loads((folder / "checkpoint.json").read_text("utf-8"))["facts"]
    assert facts["inputs"]["pieces"] == []
    assert moments(said, toy, folder)
    with pytest.raises(WrongUsageError, match=r"was trained on the text encoder .* its own words"):
        moments(said, toy, folder, "text=")


@pytest.mark.parametrize("control", ["videos_permuted", "frames_shuffled"])
def test_a_control_of_running_changes_what_is_found(toy, said, features, tmp_path, control):
    folder = trained(toy, tmp_path / "made", f"features={features}")
    plain, broken = (moments(said, toy, folder, f"control={c}") for c in ("none", control))
    assert len(plain) == len(broken) == 2
    assert plain != broken
    with pytest.raises(WrongUsageError, match="labels_permuted"):
        moments(said, toy, folder, "control=labels_permuted")
    with pytest.raises(WrongUsageError, match="one of running"):
        trained(toy, tmp_path / "other", f"control={control}")


def test_permuted_labels_keep_spans_and_exchange_texts(make):
    turns = [(CAT, "when?"), (DOG, "at what time?"), (COOK, "show the part")]
    data = moment_data(
        make([dialogue(ask(text, name, span=(1, 6)), split="train") for name, text in turns])
    )
    shuffled = data.shuffle_labels(0)
    assert [each[1:] for each in shuffled.train] == [each[1:] for each in data.train]
    assert sorted(each.text for each in shuffled.train) == sorted(each.text for each in data.train)
    assert [each.text for each in shuffled.train] != [each.text for each in data.train]


def moment_data(benchmark):
    view = training_view(benchmark, "tan2d", 0, RunContext())
    names = moment_videos(view.training, view.validation)
    rows = Toy({name: np.zeros((30, 5), np.float32) for name in names})
    return MomentData.of_splits(
        view.training, None, RowSource(rows), lambda text: np.array([[len(text)]])
    )


def test_without_gold_spans_the_error_names_what_is_missing(make, tmp_path):
    samples = [dialogue(ask("train cook", COOK), split="train"), *SAMPLES[:1]]
    benchmark = make(samples, "spanless")
    with pytest.raises(MissingInputError, match="moment turns of the train split"):
        trained(benchmark, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_settings_of_the_other_reader_are_refused(toy, tmp_path):
    with pytest.raises(WrongUsageError, match="recogniser is a setting of reader=events"):
        trained(toy, tmp_path / "one", "recogniser=somewhere")
    with pytest.raises(WrongUsageError, match="text is a setting of reader=frames"):
        trained(toy, tmp_path / "other", "reader=events", "text=somewhere")


def test_tags_and_foils_are_not_read(make):
    plain = moment_data(make(name="plain"))
    view = training_view(make(name="again"), "tan2d", 0, RunContext())
    gold = [
        msgspec.structs.replace(each, tags=("relation",), foil=COOK) for each in view.training.gold
    ]
    marked = MomentData.of_splits(
        view.training._replace(gold=tuple(gold)), None, plain.videos, plain.encode
    )
    assert marked[:2] == plain[:2]


def test_a_batch_holds_videos_with_their_questions(toy):
    data = moment_data(toy)
    sampler = MomentSampler(data, 4)
    samples = sampler(0, np.random.default_rng(0))
    batch = collate_videos(samples)
    questions = sum(len(each.questions) for each in samples)
    assert batch.shown.shape == (4, 48, 5)
    assert batch.gold.shape == (questions, 2)
    assert len(batch.tokens) == len(batch.owner) == questions
    assert batch.owner.tolist() == [0, 1, 2, 3]
    spans = {(q.video_id, q.start / data.videos.end(q.video_id)) for q in data.train}
    assert {round(start, 5) for _, start in spans} == {
        round(start, 5) for start in batch.gold[:, 0].tolist()
    }
