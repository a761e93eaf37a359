"""Networks of pictures give what their own library gives of the same pixels."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoModel

from baselines.encoders.frame_encoders import load_frame_encoder
from baselines.encoders.image_text import load_clip
from baselines.encoders.vision_backbone import load_backbone
from baselines.video.sampling import Frames, sample
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines import backbones, tiny
from tests.baselines.videos import plain

POOLED = {"vit", "dinov2", "convnext", "resnet", "efficientnet"}


@pytest.fixture(params=backbones.ALL, ids=lambda make: make.__name__)
def folder(request, tmp_path):
    return request.param(tmp_path / request.param.__name__)


def random_frames(encoder, number=5, seed=0):
    side = encoder.sampler(1.0, None).size
    pixels = np.random.default_rng(seed).integers(0, 256, (number, side, side, 3), np.uint8)
    return Frames(np.arange(number, dtype=np.int32), pixels)


def library_rows(folder, pixels):
    """What `transformers` makes of pictures that have the encoder's size already: (n, d)."""
    processor = AutoImageProcessor.from_pretrained(folder)
    cut = {"do_center_crop": True, "crop_size": {"height": 32, "width": 32}}
    inputs = processor(
        [Image.fromarray(each) for each in pixels], do_resize=False, return_tensors="pt", **cut
    )
    network = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        output = network(**inputs)
    if folder.name in POOLED:
        return output.pooler_output.flatten(1).numpy()
    return output.last_hidden_state[:, 1:].mean(dim=1).numpy()


def test_rows_are_those_of_the_library_on_the_same_pixels(folder):
    notes = []
    encoder = load_frame_encoder(str(folder), None, notes.append)
    frames = random_frames(encoder)
    rows = encoder.encode(frames)
    assert rows.shape == (5, encoder.width)
    assert encoder.width == backbones.WIDTHS.get(folder.name, backbones.WIDTH)
    assert np.abs(rows - rows[0]).max() > 1e-3 * np.abs(rows).max(), (
        "rows that do not differ show nothing"
    )
    expected = library_rows(folder, frames.pixels)
    np.testing.assert_allclose(rows, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert notes[0].endswith(
        "its pooled output" if folder.name in POOLED else "the mean of its patches"
    )
    assert encoder.parameters == sum(
        weight.numel() for weight in AutoModel.from_pretrained(folder).parameters()
    )


def test_a_film_is_cut_and_scaled_as_the_librarys_own_steps_do(folder, tmp_path):
    """Both scale by filters of their own: of a smooth picture they make nearly the same."""
    across = np.linspace(20, 230, 160, dtype=np.uint8)[None, :, None].repeat(90, 0).repeat(3, 2)
    picture = across.copy()
    picture[..., 1] = np.linspace(230, 20, 90, dtype=np.uint8)[:, None]
    path = plain(tmp_path / "a.mp4", [0] * 8, size=(160, 90), picture=lambda _: picture)
    encoder = load_backbone(str(folder), None)
    frames = sample(path, encoder.sampler(1.0, 1))
    steps = encoder._preprocessing
    margin = (steps.scaled - steps.size) // 2
    ours = frames.pixels[0, margin : margin + steps.size, margin : margin + steps.size]
    values = (ours * steps.factor - np.array(steps.mean)) / np.array(steps.deviation)
    theirs = AutoImageProcessor.from_pretrained(folder)(
        Image.fromarray(picture), return_tensors="np"
    )["pixel_values"][0].transpose(1, 2, 0)
    assert values.shape == theirs.shape
    spread = theirs.max() - theirs.min()
    assert np.abs(values - theirs).mean() < 0.02 * spread


def test_a_row_depends_on_its_own_video_alone(folder):
    encoder = load_backbone(str(folder), None)
    frames = random_frames(encoder, 70)
    first = Frames(frames.times[:64], frames.pixels[:64])
    assert np.array_equal(encoder.encode(frames)[:64], encoder.encode(first))
    assert np.array_equal(encoder.encode(frames), encoder.encode(frames))


def test_a_checkpoint_of_the_clip_kind_gives_its_image_embeddings(tmp_path):
    path = str(tiny.clip(tmp_path / "clip"))
    encoder = load_frame_encoder(path)
    frames = random_frames(encoder)
    assert np.array_equal(encoder.encode(frames), load_clip(path, None).encode(frames))
    assert encoder.width == tiny.WIDTH


def test_another_network_has_another_key(tmp_path):
    keys = [load_backbone(str(make(tmp_path / make.__name__)), None).key for make in backbones.ALL]
    assert len(set(keys)) == len(keys)


def test_what_encodes_no_frames_is_refused_in_words(tmp_path):
    with pytest.raises(WrongUsageError, match='type "bert", which reads no pictures'):
        load_frame_encoder(str(tiny.bert(tmp_path / "bert")))
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "checkpoint.json").write_text("{}")
    with pytest.raises(WrongUsageError, match="ivcr baseline train"):
        load_frame_encoder(str(tmp_path / "trained"))
    with pytest.raises(EnvironmentFailure, match="hf download"):
        load_frame_encoder(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ({"size": {"longest_edge": 32}}, "no square"),
        ({"size": {"height": 32, "width": 16}}, "no square"),
        ({"do_center_crop": True, "crop_size": {"height": 64, "width": 64}}, "32 pixels"),
    ],
)
def test_steps_that_are_not_done_here_are_refused(tmp_path, steps, expected):
    folder = backbones.vit(tmp_path / "vit")
    file = folder / "preprocessor_config.json"
    kind = {"image_processor_type": "BitImageProcessor"} if "do_center_crop" in steps else {}
    size = {"size": {"shortest_edge": 32}} if kind else {}
    file.write_text(json.dumps(json.loads(file.read_text()) | kind | size | steps))
    with pytest.raises(WrongUsageError, match=expected):
        load_backbone(str(folder), None)


def test_weights_that_are_missing_are_named_and_never_random(tmp_path):
    folder = backbones.dinov2(tmp_path / "dinov2")
    weights = load_file(folder / "model.safetensors")
    del weights["layernorm.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(EnvironmentFailure, match=r"layernorm\.weight"):
        load_backbone(str(folder), None)
