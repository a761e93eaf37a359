"""The dual encoder's score, spelt out, and what it is trained on."""

from itertools import product

import numpy as np
import pytest
import torch

from baselines.asking import batch, text
from baselines.catalogue import find, load
from baselines.lexicon import Lexicon
from baselines.plans import Surroundings, training_view
from baselines.protocol import Course, Exchange, MissingInputError, Query
from baselines.retrievers.dual_encoder import (
    ALONE,
    FLOOR,
    Matcher,
    Track,
    laid_out,
    permuted,
    texts,
)
from baselines.scripts import Annotations, Script
from baselines.trainer import Lesson, train
from harness.errors import WrongUsageError
from tests.baselines.conftest import CAT, COOK, DOG
from tests.baselines.ready import annotate

KNOWN = Lexicon({"en": {"red": 0, "green": 1, "ball": 2}}, {"before": 3}, [0, 0, 1])
DRAWN = np.random.default_rng(0)
TRACKS = [Track(DRAWN.random((n, 3), np.float32), DRAWN.uniform(1, 7, n)) for n in (1, 2, 4)]


@pytest.fixture(scope="module")
def matcher():
    torch.manual_seed(0)
    made = Matcher(KNOWN.size, 3).eval()
    for weights in made.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return made


def spelt_out(wanted, track):
    """The score of one text and one video, pair by pair."""
    shows = (np.log(track.values + FLOOR) - np.log(FLOOR)) / np.log1p(1 / FLOOR)
    lengths, count = track.lengths, len(track.lengths)
    roles, relations, own, whole = (part[0].numpy() for part in wanted)
    facts = [
        [np.log(lengths[i]) - 1, lengths[i] == max(lengths), lengths[i] == min(lengths), i == 0,
         i == count - 1]
        for i in range(count)
    ]  # fmt: skip
    fits = [[roles[r] @ shows[i] + own[r] @ facts[i] for i in range(count)] for r in range(4)]

    def pair(i, j):
        ratio = np.log(lengths[i] / lengths[j])
        told = [np.sign(j - i), 1.5 * np.tanh(ratio), np.tanh(4 * ratio)]
        return fits[0][i] + fits[1][j] + relations @ told + (ALONE if i == j else 0)

    counts = [float(min(count, 7) == n) for n in range(1, 8)]
    told = [*counts, np.log(lengths).mean() - 1, *track.values.mean(0), *track.values.min(0)]
    best = max(pair(i, j) for i, j in product(range(count), repeat=2))
    return best + max(fits[2]) + max(fits[3]) + whole @ told


def test_scores_are_those_of_the_best_pair_and_the_best_single_ones(matcher):
    said = batch([text(KNOWN, [("red ball before green", "en", 0)])])
    with torch.inference_mode():
        wanted = matcher.wanted(said)
        found = matcher.scores(wanted, laid_out(TRACKS))[0] / (matcher.scale.exp() / 4)
    assert found.tolist() == pytest.approx([spelt_out(wanted, each) for each in TRACKS], rel=1e-4)


def test_a_video_scores_the_same_whatever_stands_beside_it(matcher):
    said = batch([text(KNOWN, [("green ball", "en", 0)])])
    with torch.inference_mode():
        together = matcher.scores(matcher.wanted(said), laid_out(TRACKS))[0]
        alone = [matcher.scores(matcher.wanted(said), laid_out([each]))[0, 0] for each in TRACKS]
    assert together.tolist() == pytest.approx([float(each) for each in alone], rel=1e-5)


def query(*said, shown=None):
    history = tuple(Exchange("video", each, "", shown, ()) for each in said[:-1])
    return Query("d", len(said), "en", "video", said[-1], history=history)


def test_context_is_read_as_it_is_set():
    asked = query("red", "green ball", shown="v")
    [(last, one)] = texts(KNOWN, asked, "last", {"v": (2,)})
    assert (last.values, one) == ((1, 2), 1.0)
    [(every, _)] = texts(KNOWN, asked, "all", {"v": (2,)})
    assert every.values == (2, 0, 1, 2)  # what is seen in the video shown, then the turns
    decayed = texts(KNOWN, asked, "decayed", {})
    assert [(each.values, weight) for each, weight in decayed] == [((0,), 0.5), ((1, 2), 1.0)]


def test_permuted_labels_are_the_same_ones_elsewhere(toy):
    training = training_view(toy, "dual_encoder", 0, Surroundings()).training
    scripts = {name: Script((), (at,)) for at, name in enumerate((CAT, DOG, COOK))}
    found, dealt = permuted(Annotations((), scripts), training, 1)
    assert found.scripts.keys() == scripts.keys()
    assert sorted(found.scripts.values()) == sorted(scripts.values())
    assert sorted(gold.video_id for gold in dealt.gold) == sorted(
        gold.video_id for gold in training.gold
    )
    assert dealt.gold != training.gold


def test_without_annotated_events_training_says_what_is_missing(toy, tmp_path):
    baseline, _ = load(find("dual_encoder"), [])
    with pytest.raises(MissingInputError, match=r"events\.jsonl.*dual_encoder"):
        baseline.train(
            training_view(toy, "dual_encoder", 0, Surroundings()), Course(tmp_path / "out")
        )


def test_a_control_of_running_is_none_of_training(toy, tmp_path):
    annotate(toy)
    baseline, _ = load(find("dual_encoder"), ["control=text_alone"])
    with pytest.raises(WrongUsageError, match="text_alone is one of running"):
        baseline.train(
            training_view(toy, "dual_encoder", 0, Surroundings()), Course(tmp_path / "out")
        )


@pytest.mark.parametrize("control", ["videos_permuted", "frames_shuffled", "events_shuffled",
                                     "text_alone"])  # fmt: skip
def test_a_control_answers_as_many_turns_otherwise(toy, said, ready, control):
    given = ready("dual_encoder")
    plain, controlled = (said("dual_encoder", toy, "own", *given, *more)
                         for more in ((), (f"control={control}",)))  # fmt: skip
    assert [len(each) for each in plain] == [len(each) for each in controlled]


def test_it_runs_without_a_folder_only_to_say_how_to_make_one(toy, said):
    with pytest.raises(WrongUsageError, match="baseline train dual_encoder"):
        said("dual_encoder", toy)


def test_one_seed_gives_the_same_weights_whether_it_was_cut_off_or_not(toy, tmp_path, monkeypatch):
    annotate(toy)

    def trained(name, *, resume=False, seed=0):
        course = Course(tmp_path / name, steps=3, seed=seed, resume=resume)
        train(Lesson(find("dual_encoder"), ("size=small",), course), toy)
        return (tmp_path / name / "weights.safetensors").read_bytes()

    whole = trained("whole")
    with monkeypatch.context() as patched:
        patched.setattr("baselines.lexicon.of", _interrupted)  # after the recogniser's stages
        with pytest.raises(KeyboardInterrupt):
            trained("cut")
    assert not (tmp_path / "cut" / "checkpoint.json").exists()
    assert trained("cut", resume=True) == whole
    assert trained("other", seed=1) != whole


def _interrupted(*_):
    raise KeyboardInterrupt
