"""The map of 2D-TAN: its cells and its loss."""

import math
from itertools import product

import pytest
import torch

from baselines.event_models.query_encoder import WIDTH
from baselines.localisation.heads import STEPS
from baselines.localisers.tan2d import SpanMap, max_pool_spans, mean_pool_spans


def test_cells_hold_the_maximum_and_the_mean_of_their_steps():
    torch.manual_seed(0)
    state = torch.randn(2, 7, 3)
    greatest, average = max_pool_spans(state), mean_pool_spans(state)
    for i, j in product(range(7), repeat=2):
        if i <= j:
            assert torch.equal(greatest[:, i, j], state[:, i : j + 1].amax(1))
            assert torch.allclose(average[:, i, j], state[:, i : j + 1].mean(1), atol=1e-5)


def test_the_map_proposes_every_span_once():
    torch.manual_seed(0)
    cells, scores = SpanMap().eval().spans(torch.randn(2, STEPS, WIDTH), torch.randn(2, WIDTH))
    assert cells.shape == (2, STEPS * (STEPS + 1) // 2, 2)
    assert scores.shape == cells.shape[:2]
    assert {tuple(cell) for cell in (cells[0] * STEPS).round().int().tolist()} == {
        (i, j) for i in range(STEPS) for j in range(i + 1, STEPS + 1)
    }


# The IoU of each span of a video with its gold, which is the second half; worked out by hand. An
# IoU of 0.5 or less is the target 0, 0.75 the target 0.5, 1 the target 1.
TARGETS = {(0.5, 1.0): 1.0, (0.0, 1.0): 0.0, (0.0, 0.5): 0.0, (0.625, 1.0): 0.5, (0.25, 1.0): 1 / 3}


@pytest.mark.parametrize("logit", [0.0, 2.0, -1.5])
@pytest.mark.parametrize("span", TARGETS)
def test_the_loss_is_cross_entropy_with_the_scaled_iou(monkeypatch, span, logit):
    head = SpanMap()
    cells, scores = torch.tensor([[span]]), torch.tensor([[logit]])
    monkeypatch.setattr(head, "spans", lambda state, pooled: (cells, scores))
    sure, target = 1 / (1 + math.exp(-logit)), TARGETS[span]
    expected = -target * math.log(sure) - (1 - target) * math.log(1 - sure)
    assert head.loss(None, None, torch.tensor([[0.5, 1.0]])).item() == pytest.approx(
        STEPS / 2 * expected, rel=1e-5
    )
