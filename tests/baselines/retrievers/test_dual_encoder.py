"""The dual encoder from end to end: training, its refusals, and runs under controls."""

import numpy as np
import pytest

from baselines.base import MissingInputError, TrainerConfig
from baselines.event_models.recogniser import SAMPLER
from baselines.event_models.recogniser_checkpoints import load_checkpoint
from baselines.registry import find, load
from baselines.running.run_config import RunContext
from baselines.running.views import training_view
from baselines.training import trainer
from baselines.video.features import PIXELS, extract_features
from harness.errors import WrongUsageError
from tests.baselines.conftest import CAT
from tests.baselines.ready import annotate


def test_without_annotated_events_training_names_what_is_missing(toy, tmp_path):
    baseline, _ = load(find("dual_encoder"), [])
    with pytest.raises(MissingInputError, match=r"events\.jsonl.*dual_encoder"):
        baseline.train(
            training_view(toy, "dual_encoder", 0, RunContext()), TrainerConfig(tmp_path / "out")
        )


def test_training_under_a_control_of_running_is_refused(toy, tmp_path):
    annotate(toy)
    baseline, _ = load(find("dual_encoder"), ["control=text_alone"])
    with pytest.raises(WrongUsageError, match="text_alone is one of running"):
        baseline.train(
            training_view(toy, "dual_encoder", 0, RunContext()), TrainerConfig(tmp_path / "out")
        )


def rankings(predictions):
    return [list(turn.videos) for dialogue in predictions for turn in dialogue if turn.videos]


def test_under_permuted_videos_each_answers_for_another(toy, said, ready):
    folder, names = ready("dual_encoder"), toy.split("test").corpus
    plain = rankings(said("dual_encoder", toy, "none", *folder))
    permuted = rankings(said("dual_encoder", toy, "none", *folder, "control=videos_permuted"))
    # numpy.random.default_rng(0).permutation(4) is [2, 0, 1, 3]
    shows = dict(zip(names, [names[at] for at in (2, 0, 1, 3)], strict=True))
    assert permuted != plain
    assert [[shows[name] for name in ranking] for ranking in permuted] == plain


def test_under_text_alone_a_lexicon_without_phrases_cannot_tell_videos_apart(toy, said, ready):
    folder, names = ready("dual_encoder"), toy.split("test").corpus
    found = rankings(said("dual_encoder", toy, "none", *folder, "control=text_alone"))
    assert found == [list(names)] * len(found)
    assert found != rankings(said("dual_encoder", toy, "none", *folder))


def test_under_shuffled_frames_the_rows_are_those_of_shuffled_frames(toy, ready):
    [folder] = ready("dual_encoder")
    view = training_view(toy, "dual_encoder", 0, RunContext())
    plain, shuffled = (
        load_checkpoint("dual_encoder", load(find("dual_encoder"), [folder, control])[1], view)
        for control in ("control=none", "control=frames_shuffled")
    )
    pixels = extract_features(
        [view.videos[CAT]], view.folder, SAMPLER, PIXELS, cache=None, note=view.note
    )
    order = np.random.default_rng(len(pixels[CAT])).permutation(len(pixels[CAT]))
    expected = plain.recogniser.recognise(np.asarray(pixels[CAT])[order])
    assert np.array_equal(shuffled.features[CAT], expected)
    assert not np.allclose(plain.features[CAT], expected)


def test_weights_of_permuted_labels_run_only_by_that_name(toy, said, ready):
    with pytest.raises(WrongUsageError, match="trained with control=none"):
        said("dual_encoder", toy, "own", *ready("dual_encoder"), "control=labels_permuted")


def test_without_a_folder_it_names_the_command_that_makes_one(toy, said):
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
        # after the recogniser's stages
        patched.setattr("baselines.event_models.matching_data.split_lexicon", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            trained("cut")
    assert not (tmp_path / "cut" / "checkpoint.json").exists()
    assert trained("cut", resume=True) == whole
    assert trained("other", seed=1) != whole


def _interrupted(*_):
    raise KeyboardInterrupt
