"""What tan2d and moment_detr have in common, and their heads."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from baselines.event_models.event_annotations import Annotations, Attribute, Event, Script
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import WIDTH, Text
from baselines.localisation.grounder import spans
from baselines.localisation.grounding_data import Asked, Question
from baselines.localisation.grounding_sampler import Draw
from baselines.localisation.step_features import STEPS, footage, scene, together
from baselines.localisers import moment_detr
from baselines.localisers.tan2d import Map, mean, most
from harness.errors import WrongUsageError

COLOUR = (Attribute("colour", True, ("blue", "red"), 0),)
ROWS = np.tile(np.array([0.2, 0.8, 1.0], np.float32), (96, 1))
VALUES = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)
BOUNDS = np.array([[0.25, 0.5], [0.75, 1.0]])


def test_a_step_knows_its_segment_and_its_neighbours():
    found = scene(ROWS, COLOUR, VALUES, BOUNDS)
    nothing = 2
    assert found.owner[0].tolist() == [nothing, nothing, 0]
    assert found.owner[STEPS // 4].tolist() == [0, nothing, 1]
    assert found.owner[STEPS // 2].tolist() == [nothing, 0, 1]
    assert found.owner[-1].tolist() == [1, 0, nothing]
    assert found.known[STEPS // 4, 1:9].tolist() == pytest.approx(
        [1, np.log(0.25) + 2, 1, 1, 1, 0, 0.25, 0.5]
    )
    assert found.known[0, :2].tolist() == [1, 0]


def test_a_video_of_fewer_frames_than_steps_is_spread_over_them():
    found = scene(ROWS[:5], COLOUR, VALUES, BOUNDS)
    assert found.shows.shape == (STEPS, 2)
    assert np.isfinite(found.shows).all()


def test_nothing_stays_nothing_beside_a_longer_video():
    short = scene(ROWS, COLOUR, VALUES[:1], BOUNDS[:1])
    both = together([short, scene(ROWS, COLOUR, VALUES, BOUNDS)])
    assert not both.segments[0, both.owner[0, 0, 0]].any()
    assert torch.equal(both.segments[0, 0], both.segments[1, 0])


def test_spans_are_whole_milliseconds_within_the_video():
    found = spans(np.array([[0.1, 0.5], [0.5, 0.1], [0.7, 0.7], [-1, 2], [1, 1]]), 1000)
    assert found.tolist() == [[100, 500], [100, 500], [700, 701], [0, 1000], [999, 1000]]


def test_cells_hold_the_greatest_and_the_mean_of_their_steps():
    torch.manual_seed(0)
    state = torch.randn(2, 7, 3)
    greatest, average = most(state), mean(state)
    for i, j in product(range(7), repeat=2):
        if i <= j:
            assert torch.equal(greatest[:, i, j], state[:, i : j + 1].amax(1))
            assert torch.allclose(average[:, i, j], state[:, i : j + 1].mean(1), atol=1e-5)


def test_the_map_proposes_every_span_once():
    torch.manual_seed(0)
    cells, scores = Map().eval().spans(torch.randn(2, STEPS, WIDTH), torch.randn(2, WIDTH))
    assert cells.shape == (2, STEPS * (STEPS + 1) // 2, 2)
    assert scores.shape == cells.shape[:2]
    found = {tuple(cell) for cell in (cells[0] * STEPS).round().int().tolist()}
    assert found == {(i, j) for i in range(STEPS) for j in range(i + 1, STEPS + 1)}


def test_the_maps_loss_is_least_where_scores_follow_iou(monkeypatch):
    head, gold = Map(), torch.tensor([[0.25, 0.5]])
    cells, _ = head.spans(torch.zeros(1, STEPS, WIDTH), torch.zeros(1, WIDTH))
    meet = (cells[0, :, 1].clamp(max=0.5) - cells[0, :, 0].clamp(min=0.25)).clamp(min=0)
    iou = meet / ((cells[0, :, 1] - cells[0, :, 0]) + 0.25 - meet)
    best = torch.logit(((iou - 0.5) * 2).clamp(1e-4, 1 - 1e-4))[None]

    def loss(scores):
        monkeypatch.setattr(head, "spans", lambda state, gist: (cells, scores))
        return head.loss(None, None, gold).item()

    assert loss(best) < loss(best * 0.5)
    assert loss(best) < loss(best + 0.3)
    assert loss(best) < loss(best.flip(1))


def iou(one, other):
    meet = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    union = (one[1] - one[0]) + (other[1] - other[0]) - meet
    return meet / union, (max(one[1], other[1]) - min(one[0], other[0]) - union)


def test_generalised_iou_is_iou_less_what_lies_between():
    drawn = np.random.default_rng(1)
    ones, others = (np.sort(drawn.random((50, 2)), axis=1) for _ in range(2))
    found = moment_detr.generalised_iou(torch.tensor(ones), torch.tensor(others)).tolist()
    for got, one, other in zip(found, ones, others, strict=True):
        share, gap = iou(one, other)
        hull = max(one[1], other[1]) - min(one[0], other[0])
        assert got == pytest.approx(share - gap / hull)


def test_the_gold_is_matched_as_the_hungarian_method_does():
    torch.manual_seed(3)
    head = moment_detr.Decoder().eval()
    state, gist = torch.randn(1, STEPS, WIDTH), torch.randn(1, WIDTH)
    gold = torch.tensor([[0.3, 0.6]])
    with torch.no_grad():
        proposed, logits = head(state, gist)
        far = moment_detr.apart(proposed, gold[:, None])[0]
        unlike = 1 - moment_detr.generalised_iou(proposed, gold[:, None])[0]
        cost = 10 * far + unlike - 4 * logits[0].sigmoid()
        [best], _ = linear_sum_assignment(cost[:, None].numpy())
        wanted = torch.zeros(10).index_fill(0, torch.tensor(best), 1.0)
        weight = torch.full((10,), 0.1).index_fill(0, torch.tensor(best), 1.0)
        sure = torch.nn.functional.binary_cross_entropy_with_logits(logits[0], wanted, weight)
        assert head.loss(state, gist, gold).item() == pytest.approx(
            (10 * far[best] + unlike[best] + 4 * sure).item(), rel=1e-5
        )


FILM = np.array(
    [[0, 0, 0]] * 10 + [[1, 0, 1]] * 30 + [[0, 0, 0]] * 10 + [[0, 1, 1]] * 30 + [[0, 0, 0]] * 16,
    np.float32,
)
WHEN = np.arange(96, dtype=np.int32) * 125 + 62


def draw(related):
    """A question about the blue event, 1.25 to 5 s, of a video whose other event is red."""
    script = Script((Event(1250, 5000, (0,)), Event(6250, 10000, (1,))), ())
    films = footage({"v": FILM}, {"v": WHEN}, COLOUR)
    asked = [
        Question(Text((), (), ()), "v", 1250, 5000, related, 0),
        Question(Text((), (), ()), "v", 1250, 5000, True, 1),  # so that relations are tagged
    ]
    found = Annotations(COLOUR, {"v": script})
    told = Asked(asked, [], Lexicon({}, {}, []), films, {"v": WHEN}, found)
    return Draw(told), asked[0], films


@pytest.mark.parametrize("related", [False, True])
def test_in_a_video_put_together_anew_the_gold_is_still_the_event_asked_for(related):
    made, asked, films = draw(related)
    made._doubt = np.zeros(1)
    anew, orders = 0, set()
    for seed in range(60):
        _, found, gold, length = made._one(asked, np.random.default_rng(seed))
        assert 6_000 < length < 24_000
        anew += found is not films["v"].scene
        centre = (np.arange(STEPS) + 0.5) / STEPS
        inside = (centre > gold[0] + 1 / STEPS) & (centre < gold[1] - 1 / STEPS)
        assert inside.any()
        assert (found.shows[inside, 0] > 0.9).all(), "blue throughout"
        assert (found.shows[inside, 1] < 0.1).all()
        blue = [at for at, each in enumerate(found.segments[:-1]) if each[0] > 0.9]
        orders.add((blue[0], len(found.segments) - 1))
    assert 15 < anew < 45
    assert (len(orders) > 1) is not related, "order and number change only without a relation"


@pytest.mark.parametrize("name", ["tan2d", "moment_detr"])
def test_it_answers_moments_of_the_video_at_hand_and_nothing_else(toy, said, ready, name):
    for dialogue in said(name, toy, "reference", *ready(name)):
        for answer in dialogue:
            assert not answer.videos
            if answer.moments:
                assert len({moment.video_id for moment in answer.moments}) == 1
    assert any(answer.moments for each in said(name, toy, "reference", *ready(name))
               for answer in each)  # fmt: skip


@pytest.mark.parametrize("name", ["tan2d", "moment_detr"])
def test_it_runs_without_a_folder_only_to_say_how_to_make_one(toy, said, name):
    with pytest.raises(WrongUsageError, match=f"baseline train {name}"):
        said(name, toy)
