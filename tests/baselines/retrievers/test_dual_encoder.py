"""The dual encoder's score, spelt out, and what it is trained on."""

from itertools import product

import numpy as np
import pytest
import torch

from baselines.base import Exchange, MissingInputError, Query, TrainerConfig
from baselines.event_models.controls import controlled, permuted
from baselines.event_models.event_annotations import Annotations, Attribute, Script
from baselines.event_models.event_segments import FLOOR
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import ALONE, Matcher, Track, laid_out, texts
from baselines.event_models.matching_data import Lesson, Pair
from baselines.event_models.matching_sampler import Draw, collate
from baselines.event_models.matching_training import Training
from baselines.event_models.query_encoder import batch, text
from baselines.registry import find, load
from baselines.running.run_config import RunContext, training_view
from baselines.training import trainer
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
    training = training_view(toy, "dual_encoder", 0, RunContext()).training
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
            training_view(toy, "dual_encoder", 0, RunContext()), TrainerConfig(tmp_path / "out")
        )


def test_a_control_of_running_is_none_of_training(toy, tmp_path):
    annotate(toy)
    baseline, _ = load(find("dual_encoder"), ["control=text_alone"])
    with pytest.raises(WrongUsageError, match="text_alone is one of running"):
        baseline.train(
            training_view(toy, "dual_encoder", 0, RunContext()), TrainerConfig(tmp_path / "out")
        )


@pytest.mark.parametrize("control", ["videos_permuted", "frames_shuffled", "events_shuffled",
                                     "text_alone"])  # fmt: skip
def test_under_a_control_every_turn_is_still_answered(toy, said, ready, control):
    given = ready("dual_encoder")
    plain, controlled_ = (said("dual_encoder", toy, "own", *given, *more)
                          for more in ((), (f"control={control}",)))  # fmt: skip
    assert [len(each) for each in plain] == [len(each) for each in controlled_]


def test_a_control_breaks_one_thing_and_keeps_the_rest(toy):
    view = training_view(toy, "dual_encoder", 3, RunContext())
    tracks = dict(zip((CAT, DOG, COOK), TRACKS, strict=True))
    dealt = controlled(tracks, "videos_permuted", view, KNOWN)
    assert dealt.keys() == tracks.keys()
    assert sorted(map(id, dealt.values())) == sorted(map(id, TRACKS))
    assert any(dealt[name] is not tracks[name] for name in tracks)
    mixed = controlled(tracks, "events_shuffled", view, KNOWN)[COOK]
    assert mixed.lengths.tolist() != TRACKS[2].lengths.tolist()
    order = [TRACKS[2].lengths.tolist().index(length) for length in mixed.lengths]
    assert np.array_equal(mixed.values, TRACKS[2].values[order])
    assert sorted(order) == [0, 1, 2, 3]
    assert controlled(tracks, "none", view, KNOWN) is tracks


def test_text_alone_is_what_the_videos_text_names(toy):
    view = training_view(toy, "dual_encoder", 0, RunContext())
    known = Lexicon({"en": {"cat": 0, "beach": 1, "runs": 2}}, {}, [0, 0, 1])
    found = controlled(dict.fromkeys((CAT, DOG)), "text_alone", view, known)
    assert found[CAT].values.tolist() == [[1, 0, 0]]
    assert found[DOG].values.tolist() == [[0, 1, 1]]


def lesson(foiled=True, ordered=False):
    """One query whose gold and foil differ in the lengths of two events, and another video."""
    shows = np.eye(3, dtype=np.float32)
    events = {
        "gold": Track(shows, np.array([1.0, 2.0, 3.0])),
        "foil": Track(shows, np.array([2.0, 1.0, 3.0])),
        "third": Track(np.full((1, 3), 0.5, np.float32), np.array([9.0])),
    }
    said = text(KNOWN, [("red", "en", 0)])
    pair = Pair(said, said, "gold", "foil" if foiled else None, ordered)
    attributes = (Attribute("all", True, ("a", "b", "c"), 0),)
    return Lesson(KNOWN, [pair], [], events, events, attributes, np.zeros(1))


@pytest.mark.parametrize("ordered", [False, True])
def test_gold_and_foil_are_changed_in_the_same_way(ordered):
    draw, orders, longer = Draw(lesson(ordered=ordered), "last"), set(), set()
    for seed in range(40):
        row = draw(0, np.random.default_rng(seed))[0]
        assert np.array_equal(row.shows.values, row.foil_shows.values)
        ratio = row.shows.lengths / row.foil_shows.lengths
        firsts = row.shows.values.argmax(1)
        longer.add(len(ratio))
        # events 0 and 1 have exchanged lengths; all others have the same in both
        changed = [(int(firsts[i]), round(float(r), 6)) for i, r in enumerate(ratio) if r != 1]
        assert sorted(changed) == [(0, 0.5), (1, 2.0)]
        orders.add(changed[0][0])
    assert longer == {3, 4}, "now and then an event of another video joins both"
    assert (len(orders) > 1) is not ordered


def test_without_foils_all_queries_are_plain():
    rows = Draw(lesson(foiled=False), "last")(0, np.random.default_rng(0))
    assert len(rows) == 48
    assert all(row.foil is None for row in rows)


def test_another_showing_of_the_gold_is_no_rival():
    rows = Draw(lesson(), "last")(0, np.random.default_rng(0))
    torch.manual_seed(0)
    module = Training(Matcher(KNOWN.size, 3), lesson(), "last").eval()
    batch_ = collate(rows)
    with torch.no_grad():
        scores = module.matcher.scores(module.matcher.wanted(batch_.texts), batch_.videos)
        loss = module.training_step(batch_, 0)
    # Every query's gold is the one video: its rivals are the foils alone.
    own, foils = scores.diagonal(), scores[:, 48:]
    assert len(batch_.foiled) == foils.shape[1] == 24
    across = torch.logsumexp(torch.cat([own[:, None], foils], dim=1), dim=1) - own
    ahead = own[:24] - foils.diagonal()
    expected = across.mean() + torch.nn.functional.softplus(-ahead).mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_weights_of_permuted_labels_do_not_pass_for_others(toy, said, ready):
    with pytest.raises(WrongUsageError, match="trained with control=none"):
        said("dual_encoder", toy, "own", *ready("dual_encoder"), "control=labels_permuted")


def test_it_runs_without_a_folder_only_to_say_how_to_make_one(toy, said):
    with pytest.raises(WrongUsageError, match="baseline train dual_encoder"):
        said("dual_encoder", toy)


def test_one_seed_gives_the_same_weights_whether_it_was_cut_off_or_not(toy, tmp_path, monkeypatch):
    annotate(toy)

    def trained(name, *, resume=False, seed=0):
        config = TrainerConfig(tmp_path / name, steps=3, seed=seed, resume=resume)
        trainer.train(trainer.TrainJob(find("dual_encoder"), ("size=small",), config), toy)
        return (tmp_path / name / "weights.safetensors").read_bytes()

    whole = trained("whole")
    with monkeypatch.context() as patched:
        patched.setattr(
            "baselines.event_models.lexicon.of", _interrupted
        )  # after the recogniser's stages
        with pytest.raises(KeyboardInterrupt):
            trained("cut")
    assert not (tmp_path / "cut" / "checkpoint.json").exists()
    assert trained("cut", resume=True) == whole
    assert trained("other", seed=1) != whole


def _interrupted(*_):
    raise KeyboardInterrupt
