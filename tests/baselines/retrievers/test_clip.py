"""Embeddings equal `transformers`' own on the same pixels; rankings equal sorting cosines."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from baselines.base import Query, View
from baselines.encoders.image_text import load_clip, save_clip
from baselines.registry import find, load
from baselines.video.sampling import Frames, Sampler, sample
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines import tiny
from tests.baselines.conftest import CAT, DOG, FOX

KINDS = ["clip", "chinese_clip", "siglip", "siglip2"]
TEXTS = ["a cat sleeps", "雪里的狐狸", "dog."]
PIXELS = np.random.default_rng(0).integers(0, 256, (5, tiny.SIDE, tiny.SIDE, 3), dtype=np.uint8)
FRAMES = Frames(np.arange(5, dtype=np.int32), PIXELS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoints")
    return {kind: getattr(tiny, kind)(root / kind) for kind in KINDS}


def foreign(folder, pixels, texts):
    """Cosines by `transformers`' own forward: texts by frames."""
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    images = AutoImageProcessor.from_pretrained(folder)(list(pixels), return_tensors="pt")
    rows = []
    for text in texts:
        padding = "max_length" if model.config.model_type.startswith("siglip") else False
        told = tokenizer(text, return_tensors="pt", padding=padding, truncation=True)
        with torch.inference_mode():
            found = model(**told, **images)
        rows.append((found.text_embeds @ found.image_embeds.T)[0].numpy())
    return np.stack(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_cosines_equal_the_librarys_own_forward_on_the_same_pixels(folders, kind):
    clip = load_clip(str(folders[kind]), None)
    found = clip.texts(TEXTS) @ clip.encoder.encode(FRAMES).T
    np.testing.assert_allclose(found, foreign(folders[kind], PIXELS, TEXTS), atol=2e-6)
    assert np.ptp(found) > 0.05
    assert clip.sampler(2, 9) == Sampler(2, tiny.SIDE, 9, crop=kind == "clip")


@pytest.mark.parametrize("kind", KINDS)
def test_an_embedding_does_not_depend_on_its_neighbours(folders, kind):
    clip = load_clip(str(folders[kind]), None)
    alone = np.concatenate([clip.texts([text]) for text in TEXTS])
    assert (clip.texts(TEXTS[::-1])[::-1] == alone).all()
    assert clip.texts(TEXTS).dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(alone, axis=1), 1, rtol=1e-6)
    assert clip.width == tiny.WIDTH


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_is_too_long_keeps_its_end(folders, kind):
    clip = load_clip(str(folders[kind]), None)
    ends = clip.texts(["dog " * 100 + "cat?", "fox " + "dog " * 99 + "cat?", "dog " * 99 + "fox?"])
    assert (ends[0] == ends[1]).all()
    assert (ends[0] != ends[2]).any()


def test_a_frame_larger_than_the_model_sees_is_cut_to_its_middle(folders, tmp_path):
    folder = shutil.copytree(folders["clip"], tmp_path / "clip")
    told = json.loads((folder / "preprocessor_config.json").read_bytes())
    (folder / "preprocessor_config.json").write_text(json.dumps(told | {"size": 40}))
    clip = load_clip(str(folder), None)
    assert clip.sampler(1, None).size == 40
    wide = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)
    found = clip.texts(TEXTS) @ clip.encode(Frames(FRAMES.times[:2], wide)).T
    np.testing.assert_allclose(found, foreign(folder, wide, TEXTS), atol=2e-6)


def test_the_key_names_weights_and_preprocessing(folders, tmp_path):
    key = load_clip(str(folders["clip"]), None).key
    same = shutil.copytree(folders["clip"], tmp_path / "same")
    assert load_clip(str(same), None).key == key
    told = (same / "preprocessor_config.json").read_text().replace("0.5", "0.6")
    (same / "preprocessor_config.json").write_text(told)
    assert load_clip(str(same), None).key != key
    assert load_clip(str(tiny.clip(tmp_path / "other", seed=1)), None).key != key


def test_a_saved_model_is_loaded_again_as_it_was(folders, tmp_path):
    clip = load_clip(str(folders["siglip"]), None)
    save_clip(clip, str(folders["siglip"]), None, tmp_path / "again")
    again = load_clip(str(tmp_path / "again"), None)
    assert (again.texts(TEXTS) == clip.texts(TEXTS)).all()
    assert (again.encode(FRAMES) == clip.encode(FRAMES)).all()


def broken(folder, what):
    """A copy's files put out of order."""
    if what == "no weights":
        (folder / "model.safetensors").unlink()
    elif what == "a pickle":
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    elif what == "half the weights":
        (folder / "model.safetensors").write_bytes(
            (folder / "model.safetensors").read_bytes()[:999]
        )
    elif what == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    elif what == "other pictures":
        told = json.loads((folder / "preprocessor_config.json").read_bytes())
        told |= {"size": 24, "crop_size": 24}
        (folder / "preprocessor_config.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("what", "expected", "kind"),
    [
        ("no weights", "cannot be loaded", EnvironmentFailure),
        ("a pickle", "makes safetensors of it", EnvironmentFailure),
        ("half the weights", "cannot be loaded", EnvironmentFailure),
        ("no tokenizer", "has no tokenizer; expected", EnvironmentFailure),
        ("other pictures", "pictures of 24 pixels a side", WrongUsageError),
    ],
)
def test_a_damaged_checkpoint_is_refused_in_one_line(folders, tmp_path, what, expected, kind):
    folder = shutil.copytree(folders["clip"], tmp_path / "clip")
    broken(folder, what)
    with pytest.raises(kind, match=expected) as refusal:
        load_clip(str(folder), None)
    assert str(refusal.value).isprintable()


def test_a_model_of_another_kind_is_refused(tmp_path):
    with pytest.raises(WrongUsageError, match='a model of type "bert"'):
        load_clip(str(tiny.bert(tmp_path / "bert")), None)


def test_a_name_that_was_not_fetched_is_answered_with_a_command_that_hf_understands():
    with pytest.raises(EnvironmentFailure) as refusal:
        load_clip("nobody/no-such-model", "0f1e")
    command = str(refusal.value).split("`")[1]
    assert command.startswith("hf download nobody/no-such-model --revision 0f1e --include")
    tool, *arguments = shlex.split(command)
    run = subprocess.run(
        [Path(sys.executable).with_name(tool), *arguments], capture_output=True, text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    # It comes to asking for the list of files at that revision, not for files of those names.
    assert "Ignoring" not in run.stderr
    assert "nobody/no-such-model/revision/0f1e" in run.stderr


def test_a_folder_has_no_revision(folders):
    with pytest.raises(WrongUsageError, match="has no revision"):
        load_clip(str(folders["clip"]), "main")


@pytest.mark.parametrize("context", ["last", "all", "decayed"])
def test_rankings_equal_sorting_the_cosines_of_mean_frames(folders, films, filmed, context):
    checkpoint = f"checkpoint={folders['siglip']}"
    baseline, _ = load(find("clip"), [checkpoint, f"context={context}", "rate=4", "most=6"])
    split = filmed.split("test")
    view = View(filmed.videos, split.corpus, filmed.folder, "own", 0)
    baseline.prepare(view)
    clip = load_clip(str(folders["siglip"]), None)
    means = {
        video_id: clip.encode(sample(films[video_id], clip.sampler(4, 6))).mean(axis=0)
        for video_id in split.corpus
    }
    text = clip.texts(["a sleeping cat"])[0]
    cosine = {video: text @ mean / np.linalg.norm(mean) for video, mean in means.items()}
    (answer,) = baseline.answer([Query("d", 1, "en", "video", "a sleeping cat")])
    assert list(answer.videos) == sorted(split.corpus, key=lambda video: -cosine[video])


def test_a_run_answers_every_turn_chinese_ones_too_and_twice_the_same(folders, filmed, said):
    given = (f"checkpoint={folders['chinese_clip']}", "context=decayed", "candidates=used")
    first, again = said("clip", filmed, "own", *given), said("clip", filmed, "own", *given)
    assert first == again
    turns = [prediction for dialogue in first for prediction in dialogue]
    assert sum(len(turn.videos or ()) == 4 for turn in turns) == 5
    assert {len(turn.choice) for turn in turns if turn.choice} == {2, 3, 4}


def test_videos_that_cannot_be_read_are_not_ranked_and_come_last_of_the_candidates(
    folders, filmed, said
):
    (filmed.folder / filmed.videos[DOG].path).write_bytes(b"no film")
    given = (f"checkpoint={folders['clip']}", "candidates=used")
    turns = [turn for dialogue in said("clip", filmed, "none", *given) for turn in dialogue]
    ranked = [turn for turn in turns if turn.videos]
    assert len(ranked) == 5
    assert all(DOG not in turn.videos and len(turn.videos) == 3 for turn in ranked)
    assert all(turn.choice[-1] == DOG for turn in ranked if DOG in turn.choice)


def test_provenance_tells_the_weights_the_frames_and_what_was_skipped(folders, filmed):
    (filmed.folder / filmed.videos[FOX].path).unlink()
    baseline, _ = load(find("clip"), [f"checkpoint={folders['clip']}"])
    notes = []
    split = filmed.split("test")
    baseline.prepare(View(filmed.videos, split.corpus, filmed.folder, "own", 0, note=notes.append))
    told = baseline.provenance()
    assert told.details["clip"] == load_clip(str(folders["clip"]), None).key
    assert list(told.details["skipped"]) == [FOX]
    assert told.parameters == 22_321
    weights, frames, durations = notes
    assert "22,321 weights" in weights
    assert frames.startswith("features: 3 videos")
    assert "10.0 s by META, 3.0 s by its frames" in durations
    assert CAT not in told.details["skipped"]
