"""Moment-DETR's matching and loss, beside values by hand and all permutations."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch

from baselines.localisers.moment_detr import MomentDecoder, generalised_iou, span_distance


def loss_of(proposals, scores, gold):
    """The loss of a decoder that proposes these spans, each with a score in (0, 1)."""
    head = MomentDecoder()
    spans = torch.tensor([proposals], dtype=torch.float64)
    head.forward = lambda state, pooled: (spans, torch.tensor([scores]).double().logit())
    return head.loss(None, None, torch.tensor([gold], dtype=torch.float64)).item()


# (intersection, union, hull) of spans a person can draw; generalised IoU = i / u - (h - u) / h.
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0.0, 0.5), (0.0, 0.5), 1.0),
        ((0.0, 0.5), (0.25, 0.75), 0.25 / 0.75),
        ((0.0, 0.25), (0.75, 1.0), -0.5),  # half of the hull is between them
        ((0.0, 0.25), (0.25, 0.5), 0.0),
        ((0.0, 1.0), (0.25, 0.5), 0.25),
    ],
)
def test_generalised_iou_by_hand(one, other, expected):
    for a, b in ((one, other), (other, one)):
        assert generalised_iou(torch.tensor(a), torch.tensor(b)).item() == pytest.approx(expected)


def test_the_distance_of_spans_is_that_of_centres_and_lengths():
    ones, others = torch.tensor([[0.0, 0.5], [0.2, 0.4]]), torch.tensor([[0.5, 1.0], [0.1, 0.5]])
    assert span_distance(ones, others).tolist() == pytest.approx([0.5, 0.2])


# Two proposals with scores 1/4 and 3/4, costs by hand: 10 * L1 + (1 - gIoU) - 4 * score. In each
# row one term of the cost decides: without it the other proposal would be matched.
GOLD = (0.4, 0.6)
EXACT, WIDE, LATE = (0.4, 0.6), (0.3, 0.7), (0.6, 0.8)


@pytest.mark.parametrize(
    ("proposals", "matched", "l1", "unlike"),
    [
        # -1 and 10 * 0.2 + 0.5 - 3 = -0.5: by L1, as 0.5 - 3 is less than -1
        ((EXACT, WIDE), 0, 0.0, 0.0),
        # 10 * 0.2 + 1 - 1 = 2 and 10 * 0.2 + 0.5 - 3 = -0.5: by score
        ((LATE, WIDE), 1, 0.2, 0.5),
    ],
)
def test_the_matched_proposal_is_the_one_of_least_cost(proposals, matched, l1, unlike):
    own, other = ((1 / 4, 3 / 4), (3 / 4, 1 / 4))[matched]
    cross_entropy = (-math.log(own) - 0.1 * math.log(1 - other)) / 2
    expected = 10 * l1 + unlike + 4 * cross_entropy
    assert loss_of(proposals, (1 / 4, 3 / 4), GOLD) == pytest.approx(expected)


def test_generalised_iou_decides_between_proposals_of_one_distance_and_score():
    # Both are 0.3 away: shifted by 0.3, past the gold; or of length 0.5 around it.
    gold, shifted, around = (0.4, 0.6), (0.7, 0.9), (0.25, 0.75)
    unlike = 1 - 0.2 / 0.5
    expected = 10 * 0.3 + unlike + 4 * (1 + 0.1) * math.log(2) / 2
    for proposals in ((shifted, around), (around, shifted)):
        assert loss_of(proposals, (0.5, 0.5), gold) == pytest.approx(expected)


def plain_cost(span, score, gold):
    """The cost of a match, from the formulas of the two papers, in plain Python."""
    l1 = abs(sum(span) - sum(gold)) / 2 + abs((span[1] - span[0]) - (gold[1] - gold[0]))
    shared = max(0.0, min(span[1], gold[1]) - max(span[0], gold[0]))
    covered = (span[1] - span[0]) + (gold[1] - gold[0]) - shared
    hull = max(span[1], gold[1]) - min(span[0], gold[0])
    return 10 * l1, 1 - shared / covered + (hull - covered) / hull, -4 * score


@pytest.mark.parametrize("seed", range(20))
def test_matching_is_the_best_of_all_permutations(seed):
    """The gold moment and four times "no moment", whose cost is 0, over all 120 permutations."""
    random = np.random.default_rng(seed)
    gold = np.sort(random.random(2)).tolist()
    proposals = np.sort(random.random((5, 2)), axis=1).tolist()
    scores = random.uniform(0.05, 0.95, 5).tolist()

    def total(order):  # order[0] is the proposal of the gold moment
        return sum(plain_cost(proposals[order[0]], scores[order[0]], gold))

    best = min(permutations(range(5)), key=total)[0]
    l1, unlike, _ = plain_cost(proposals[best], scores[best], gold)
    parts = [0.1 * -math.log(1 - score) for score in scores]
    parts[best] = -math.log(scores[best])
    expected = l1 + unlike + 4 * sum(parts) / 5
    assert loss_of(proposals, scores, gold) == pytest.approx(expected, rel=1e-6)
