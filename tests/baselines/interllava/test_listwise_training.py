"""The small InterLLaVA on features: trained, interrupted, run, controlled, refused."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from msgspec.structs import replace
from safetensors.torch import load_file, save_file

from baselines.base import LabelledSplit, Query, TrainerConfig, View
from baselines.interllava.listwise import listwise_training
from baselines.interllava.listwise.listwise_data import choice_example
from baselines.interllava.listwise.listwise_pretraining import RankedLanguageModule
from baselines.registry import find, load
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines.conftest import CAT, COOK, DOG, FOX, imported
from tests.baselines.features.folders import feature_folder, random_rows

WIDTH = 6
FRAMES = {CAT: 10, DOG: 20, FOX: 12, COOK: 40}


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Train on the toy's train split; the checkpoint folder."""
    folder = tmp_path_factory.mktemp("listwise")
    toy = imported(folder)
    features = feature_folder(folder / "features", random_rows(FRAMES, WIDTH), toy.folder)

    def run(*assignments, out, resume=False, foil=None, validated=False):
        given = ["config=tiny", f"features={features}", "size=small", *assignments]
        baseline, _ = load(find("interllava"), given)
        split = toy.split("train")
        gold = tuple(replace(each, foil=foil) for each in toy.gold("train"))
        labels = LabelledSplit(split.turns, gold, split.candidates)
        val = labels if validated else None
        view = View(toy.videos, split.corpus, toy.folder, "own", 0, labels, val, None, str)
        baseline.train(view, TrainerConfig(folder / out, steps=2, resume=resume))
        return folder / out

    return run


@pytest.fixture(scope="module")
def trained(train):
    """A trained folder that all tests share."""
    return train(out="out", validated=True)


def prepared(toy, *assignments, seed=0):
    baseline, _ = load(find("interllava"), ["config=tiny", *assignments])
    baseline.prepare(View(toy.videos, toy.split("test").corpus, toy.folder, "own", seed))
    return baseline


def weights(folder):
    return (folder / "weights.safetensors").read_bytes()


def test_an_interrupted_training_goes_on_to_the_same_bytes_and_reads_no_foil(train, monkeypatch):
    whole = train(out="whole")
    assert weights(train(out="foils", foil=FOX)) == weights(whole)
    plain = RankedLanguageModule.training_step

    def interrupted(self, batch, step):
        if step:
            raise KeyboardInterrupt
        return plain(self, batch, step)

    with monkeypatch.context() as context:
        context.setattr(listwise_training.RankedLanguageModule, "training_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(out="cut")
    assert weights(train(out="cut", resume=True)) == weights(whole)


def test_a_trained_folder_answers_all_tasks_and_says_what_it_learned_from(trained, toy):
    baseline = prepared(toy, f"checkpoint={trained}")
    ask = [
        Query("d", 1, "en", "video", "the dog", (CAT, DOG, FOX, COOK)),
        Query("d", 2, "en", "moment", "when?", (CAT, DOG), COOK),
        Query("d", 3, "en", "chat", "hello"),
    ]
    answers = baseline.answer(ask)
    assert [baseline.answer([each])[0].response for each in ask] == [a.response for a in answers]
    assert all(each.video_id == COOK for each in answers[1].moments)
    told = baseline.provenance()
    assert told.annotations == "gold spans"
    assert told.training_data == ("toy train", "features toy")
    assert str(toy.folder.parent) not in str(told.details)


def test_controls_change_what_is_shown(train, trained, toy):
    shown = []
    ask = Query("d", 1, "en", "video", "the dog", (CAT, DOG, FOX, COOK))
    for control in ("none", "videos_permuted", "frames_shuffled"):
        system = prepared(toy, f"checkpoint={trained}", f"control={control}")._system
        example = choice_example(ask, system._features, system._features)
        shown.append(np.stack(example.videos))
    assert not np.allclose(shown[0], shown[1])
    assert not np.allclose(shown[0], shown[2])
    means = [each.mean((1, 2)) for each in (shown[0], shown[2])]
    assert not np.allclose(shown[1].mean((1, 2)), means[0]), "other videos"
    with pytest.raises(WrongUsageError, match="one of running"):
        train("control=videos_permuted", out="other")


def test_what_does_not_fit_the_folder_is_refused(train, trained, toy, tmp_path):
    other = feature_folder(tmp_path / "other", random_rows(FRAMES, WIDTH, seed=1), toy.folder)
    for more, message in (
        (f"features={other}", "was trained on the features imported"),
        ("ranks=false", 'was trained with ranks="True"'),
        ("reader=events", 'was trained with reader="frames"'),
    ):
        with pytest.raises(WrongUsageError, match=message):
            prepared(toy, f"checkpoint={trained}", more)
    for more, message in (
        ("start=x", "start is a setting of reader=events"),
        ("reader=events", "features is a setting of reader=frames"),
    ):
        with pytest.raises(WrongUsageError, match=message):
            train(more, out="new")


def test_weights_that_do_not_fit_are_refused_by_name(trained, toy, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    stored = load_file(out / "weights.safetensors")
    del stored["net.tokens.sought.weight"]
    save_file(stored, out / "weights.safetensors")
    document = json.loads((out / "checkpoint.json").read_text("utf-8"))
    document["weights"] = hashlib.sha256(weights(out)).hexdigest()
    (out / "checkpoint.json").write_text(json.dumps(document), "utf-8")
    with pytest.raises(EnvironmentFailure, match=r"net\.tokens\.sought\.weight"):
        prepared(toy, f"checkpoint={out}")
