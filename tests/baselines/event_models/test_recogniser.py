"""A recogniser's inputs, outputs, targets and losses."""

import numpy as np
import pytest
import torch

from baselines.event_models.event_annotations import (
    AnnotatedEvent,
    Attribute,
    EventAnnotations,
    VideoAnnotation,
)
from baselines.event_models.recogniser import Recogniser, RecogniserEncoder, frame_inputs
from baselines.event_models.recogniser_training import attribute_loss, frame_targets
from baselines.video.sampling import Frames

COLOUR = Attribute("colour", True, ("blue", "red"), 0)
GROUND = Attribute("ground", False, ("sea", "sky", "soil"), 2)
BOTH = (COLOUR, GROUND)
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 48, 48, 3), np.uint8)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Recogniser(BOTH).eval()


def test_frames_are_read_with_what_changes_around_them():
    now, before, after = (torch.from_numpy(PIXELS[at : at + 1]) for at in (1, 0, 2))
    found = frame_inputs(now, before, after).numpy()
    grey = PIXELS.astype(np.float64).mean(axis=3)
    assert found.shape == (1, 5, 48, 48)
    assert np.allclose(found[0, :3], PIXELS[1].transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)
    assert np.allclose(found[0, 3], (grey[1] - grey[0]) / 127.5, atol=1e-5)
    assert np.allclose(found[0, 4], (grey[2] - grey[1]) / 127.5, atol=1e-5)


def test_rows_are_probabilities(net):
    rows = net.recognise(PIXELS)
    assert rows.shape == (6, 6)
    assert np.allclose(rows[:, :2].sum(1), 1, atol=1e-5)
    assert np.allclose(rows[:, 2:5].sum(1), 1, atol=1e-5)
    assert ((rows >= 0) & (rows <= 1)).all()


def test_a_long_video_is_encoded_in_parts_without_a_seam(net, monkeypatch):
    whole = net.encode_frames(PIXELS)
    monkeypatch.setattr("baselines.event_models.recogniser.FRAMES_AT_ONCE", 4)
    assert torch.allclose(net.encode_frames(PIXELS), whole, atol=1e-5)


def test_a_still_video_does_not_change(net):
    still = net.encode_frames(np.repeat(PIXELS[:1], 4, axis=0))
    assert torch.allclose(still, still[:1].expand_as(still), atol=1e-5)


def test_shuffled_frames_are_the_same_frames_in_random_order_under_another_key(net):
    plain, shuffled = RecogniserEncoder(net), RecogniserEncoder(net, shuffled=True)
    assert plain.key != shuffled.key
    frames = Frames(np.arange(6, dtype=np.int32), PIXELS)
    assert np.array_equal(plain.encode(frames), net.recognise(PIXELS))
    order = [2, 3, 0, 5, 4, 1]  # numpy.random.default_rng(6).permutation(6)
    assert np.array_equal(shuffled.encode(frames), net.recognise(PIXELS[order]))


def test_targets_hold_the_values_of_the_event_that_goes_on():
    video = VideoAnnotation((AnnotatedEvent(100, 300, (1,)),), (4,))
    found = frame_targets(
        EventAnnotations(BOTH, {}), video, np.array([62, 100, 187, 300], np.int32)
    )
    assert found.tolist() == [[-1, 2, 0], [1, 2, 1], [1, 2, 1], [-1, 2, 0]]


def test_losses_are_torchs_own_over_what_is_known():
    torch.manual_seed(1)
    logits, gold = torch.randn(3, 6), torch.tensor([[-1, 2, 0], [1, -1, 1], [0, 0, 1]])
    expected = (
        torch.nn.functional.cross_entropy(logits[1:, :2], torch.tensor([1, 0]))
        + torch.nn.functional.cross_entropy(logits[[0, 2], 2:5], torch.tensor([2, 0]))
        + torch.nn.functional.binary_cross_entropy_with_logits(
            logits[:, 5], torch.tensor([0.0, 1.0, 1.0])
        )
    )
    assert attribute_loss(BOTH, logits, gold).item() == pytest.approx(expected.item(), rel=1e-6)


def test_where_no_value_is_annotated_only_going_on_counts():
    logits = torch.zeros(2, 6)
    loss = attribute_loss(BOTH, logits, torch.tensor([[-1, -1, 0], [-1, -1, 1]]))
    assert loss.item() == pytest.approx(np.log(2))
