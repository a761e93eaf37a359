"""Rankings equal sorting cosines of sentence-transformers' own embeddings."""

from functools import partial

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from baselines.base import MissingInputError, Query, View
from baselines.encoders.sentence_model import load_sentence_model
from baselines.registry import find, load
from baselines.retrievers.dense_text import embed_query
from harness.errors import EnvironmentFailure
from tests.baselines import tiny
from tests.baselines.conftest import CAT, COOK, DOG, FOX

QUERIES = ["a dog on a beach", "找一只在沙滩上奔跑的狗", "snow?"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.sentences(tmp_path_factory.mktemp("checkpoints") / "sentences")


@pytest.fixture
def ready(folder, toy):
    """The baseline, prepared for the toy benchmark's test split."""

    def prepare(*assignments, videos=None):
        baseline, _ = load(find("dense_text"), [f"checkpoint={folder}", *assignments])
        found = videos or toy.videos
        baseline.prepare(View(found, toy.split("test").corpus, toy.folder, "own", 0))
        return baseline

    return prepare


@pytest.mark.parametrize("text", QUERIES)
def test_rankings_equal_sorting_the_librarys_own_cosines(folder, toy, ready, text):
    (answer,) = ready().answer([Query("d", 1, "en", "video", text)])
    model, corpus = SentenceTransformer(str(folder), device="cpu"), toy.split("test").corpus
    texts = ["\n".join(toy.videos[video_id].text.values()) for video_id in corpus]
    cosines = model.similarity(model.encode([text]), model.encode(texts))[0].numpy()
    assert answer.videos == tuple(np.array(corpus)[np.argsort(-cosines)])


def test_answers_do_not_depend_on_the_batch(ready):
    baseline = ready("context=decayed")
    queries = [Query("d", 1, "en", "video", text) for text in QUERIES]
    alone = [baseline.answer([query])[0] for query in queries]
    assert ready("context=decayed").answer(queries[::-1])[::-1] == alone


def test_a_run_answers_every_turn_and_twice_the_same(folder, toy, said):
    given = (f"checkpoint={folder}", "context=all", "candidates=used")
    first, again = said("dense_text", toy, "own", *given), said("dense_text", toy, "own", *given)
    assert first == again
    turns = [prediction for dialogue in first for prediction in dialogue]
    assert sum(set(turn.videos or ()) == {CAT, DOG, FOX, COOK} for turn in turns) == 5


def test_videos_without_text_are_not_ranked(toy, ready):
    from msgspec.structs import replace

    videos = {name: replace(video, text={}) if name == CAT else video
              for name, video in toy.videos.items()}  # fmt: skip
    (answer,) = ready(videos=videos).answer([Query("d", 1, "en", "video", "a sleeping cat")])
    assert set(answer.videos) == {DOG, FOX, COOK}
    with pytest.raises(MissingInputError, match="no video of the corpus has a text"):
        ready(videos={name: replace(video, text={}) for name, video in toy.videos.items()})


def test_a_text_that_is_too_long_keeps_its_end(folder):
    embed = partial(embed_query, load_sentence_model(str(folder), None)[0])
    end = "a b c d e " * 20
    assert (embed("z " * 40 + end) == embed("q " * 40 + end)).all()
    assert (embed("z " * 40 + end) != embed("z " * 40 + end + "q")).any()


def test_a_pickle_of_weights_is_not_read(tmp_path, toy):
    folder = tiny.sentences(tmp_path / "sentences")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    baseline, _ = load(find("dense_text"), [f"checkpoint={folder}"])
    with pytest.raises(EnvironmentFailure, match="makes safetensors of it") as refusal:
        baseline.prepare(View(toy.videos, toy.split("test").corpus, toy.folder, "own", 0))
    assert str(refusal.value).isprintable()


def test_provenance_tells_the_checkpoint(ready):
    told = ready().provenance()
    assert told.details["checkpoint"].startswith("sha256:")
    assert told.frames_per_video == 0
    assert told.training_data == ("pre-training of sentences",)
