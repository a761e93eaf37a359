"""What training changes, that it can be repeated and resumed, and that the library reads it."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer

from baselines.base import LabelledSplit, MissingInputError, Query, TrainerConfig, View
from baselines.registry import find, load
from baselines.retrieval_training.sentence_training import SentenceModule, TextPair, distinct
from baselines.retrievers.dense_text import text_pairs
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines import tiny
from tests.baselines.conftest import CAT, DOG

MODEL = "sentences/model.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.sentences(tmp_path_factory.mktemp("checkpoints") / "sentences")


@pytest.fixture
def trained(toy, folder, tmp_path):
    def run(*assignments, out="out", videos=None, **config):
        baseline, _ = load(find("dense_text"), [f"checkpoint={folder}", *assignments])
        split = toy.split("train")
        labels = LabelledSplit(split.turns, toy.gold("train"), split.candidates)
        found = toy.videos if videos is None else videos
        view = View(found, split.corpus, toy.folder, "own", 0, labels, labels)
        baseline.train(view, TrainerConfig(tmp_path / out, **{"steps": 2} | config))
        return tmp_path / out

    return run


@pytest.mark.parametrize("loss", ["ranking", "cached"])
def test_what_was_trained_differs_runs_and_is_read_by_the_library(trained, folder, toy, said, loss):
    out = trained(f"loss={loss}", "context=all")
    before, after = load_file(folder / "model.safetensors"), load_file(out / MODEL)
    assert sum((before[name] != after[name]).any() for name in before) > len(before) / 2
    given = (f"checkpoint={out}", "candidates=used")
    first, again = said("dense_text", toy, "own", *given), said("dense_text", toy, "own", *given)
    assert first == again
    baseline, _ = load(find("dense_text"), [f"checkpoint={out}"])
    corpus = toy.split("test").corpus
    baseline.prepare(View(toy.videos, corpus, toy.folder, "own", 0))
    told = baseline.provenance()
    assert told.details["context"] == "all"
    assert told.training_data == ("pre-training of sentences", "toy train")
    (answer,) = baseline.answer([Query("d", 1, "en", "video", "a dog on a beach")])
    model = SentenceTransformer(str(out / "sentences"), device="cpu")
    texts = ["\n".join(toy.videos[video_id].text.values()) for video_id in corpus]
    cosines = model.similarity(model.encode(["a dog on a beach"]), model.encode(texts))[0].numpy()
    assert answer.videos == tuple(np.array(corpus)[np.argsort(-cosines)])


def test_one_seed_gives_the_same_bytes_and_another_one_others(trained):
    first, again, other = trained(out="a"), trained(out="b"), trained(out="c", seed=1)
    for name in (MODEL, "checkpoint.json"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
    assert (first / MODEL).read_bytes() != (other / MODEL).read_bytes()


def module(folder, loss, seed=0):
    model = SentenceTransformer(str(folder), device="cpu")
    torch.manual_seed(seed)
    return SentenceModule(model, [], [], loss).eval()


def test_the_cached_loss_is_the_plain_one(folder):
    batch = [["a dog", "snow?"], ["a dog runs", "a fox digs"], ["a cat", "rice"]]
    losses = [module(folder, loss).training_step(batch, 0) for loss in ("ranking", "cached")]
    assert float(losses[0].detach()) == pytest.approx(float(losses[1].detach()), abs=1e-6)
    model = SentenceTransformer(str(folder), device="cpu")
    queries, *columns = (torch.from_numpy(model.encode(texts)) for texts in batch)
    logits = 20 * queries @ torch.cat(columns).T
    hand = torch.nn.functional.cross_entropy(logits, torch.arange(2))
    assert float(losses[0].detach()) == pytest.approx(float(hand), abs=1e-5)


def test_no_pair_of_a_batch_has_anothers_document():
    pairs = [TextPair(str(at), f"text {at % 4}") for at in range(20)]
    draws = np.random.default_rng(0)
    for _ in range(10):
        found = distinct(pairs, 3, draws)
        assert len({pair.document for pair in found}) == len(found) == 3


def test_pairs_hold_texts_of_other_candidates_but_none_of_the_same_words(toy):
    from msgspec.structs import replace

    split = toy.split("train")
    labels = LabelledSplit(split.turns, toy.gold("train"), split.candidates)
    videos = toy.videos | {DOG: replace(toy.videos[DOG], text=toy.videos[CAT].text)}
    view = View(videos, split.corpus, toy.folder, "own", 0, labels)
    pairs = text_pairs(labels, "last", view)
    cat = "\n".join(toy.videos[CAT].text.values())
    assert [pair.query for pair in pairs] == ["train cat", "train dog", "train cook"]
    assert [pair.document for pair in pairs[:2]] == [cat, cat]
    assert [len(pair.rivals) for pair in pairs] == [2, 2, 2]
    assert all(pair.document not in pair.rivals for pair in pairs)


def test_what_cannot_be_trained_is_said(trained, toy):
    from msgspec.structs import replace

    with pytest.raises(WrongUsageError, match="train with context=last"):
        trained("context=decayed")
    with pytest.raises(WrongUsageError, match="expected 0 or more"):
        trained("negatives=-1")
    blank = {name: replace(video, text={}) for name, video in toy.videos.items()}
    with pytest.raises(MissingInputError, match="different texts"):
        trained(videos=blank)


def test_a_model_that_was_exchanged_is_refused(trained, toy, folder):
    out = trained()
    (out / MODEL).write_bytes((folder / "model.safetensors").read_bytes())
    baseline, _ = load(find("dense_text"), [f"checkpoint={out}"])
    with pytest.raises(EnvironmentFailure, match="not the model that was trained"):
        baseline.prepare(View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0))
