"""What a localiser is trained on: questions over their own and over spliced videos."""

import numpy as np
import pytest

from baselines.event_models.event_annotations import (
    AnnotatedEvent,
    Attribute,
    EventAnnotations,
    VideoAnnotation,
)
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import TokenizedText
from baselines.localisation.events.grounding_data import GroundingData, GroundingQuestion
from baselines.localisation.events.grounding_sampler import GroundingSampler, collate_samples
from baselines.localisation.events.step_features import video_features
from baselines.localisation.heads import STEPS

COLOUR = (Attribute("colour", True, ("blue", "red"), 0),)
FILM = np.array(
    [[0, 0, 0]] * 10 + [[1, 0, 1]] * 30 + [[0, 0, 0]] * 10 + [[0, 1, 1]] * 30 + [[0, 0, 0]] * 16,
    np.float32,
)
TIMES = np.arange(96, dtype=np.int32) * 125 + 62
EMPTY = TokenizedText((), (), ())


def sampler_of(related):
    """A question about the blue event, 1.25 to 5 s, of a video whose other event is red."""
    events = (AnnotatedEvent(1250, 5000, (0,)), AnnotatedEvent(6250, 10000, (1,)))
    annotations = EventAnnotations(COLOUR, {"v": VideoAnnotation(events, ())})
    videos = video_features({"v": FILM}, {"v": TIMES}, COLOUR)
    questions = [
        GroundingQuestion(EMPTY, "v", 1250, 5000, related, 0),
        GroundingQuestion(EMPTY, "v", 1250, 5000, True, 1),  # so that relations are tagged
    ]
    data = GroundingData(questions, [], Lexicon({}, {}, []), videos, {"v": TIMES}, annotations)
    sampler = GroundingSampler(data)
    sampler.error_rates = np.zeros(1)
    return sampler, questions[0], videos


@pytest.mark.parametrize("related", [False, True])
def test_in_a_spliced_video_the_gold_is_still_the_event_that_is_described(related):
    sampler, question, videos = sampler_of(related)
    spliced, orders = 0, set()
    for seed in range(60):
        _, steps, gold, length = sampler.sample(question, np.random.default_rng(seed))
        assert 6_000 < length < 24_000
        spliced += steps is not videos["v"].steps
        centre = (np.arange(STEPS) + 0.5) / STEPS
        inside = (centre > gold[0] + 1 / STEPS) & (centre < gold[1] - 1 / STEPS)
        assert inside.any()
        assert (steps.shows[inside, 0] > 0.9).all(), "blue throughout"
        assert (steps.shows[inside, 1] < 0.1).all()
        blue = [at for at, each in enumerate(steps.segments[:-1]) if each[0] > 0.9]
        orders.add((blue[0], len(steps.segments) - 1))
    assert 15 < spliced < 45
    assert (len(orders) > 1) is not related, "order and number change only without a relation"


def test_over_its_own_video_the_gold_is_the_annotated_span():
    sampler, question, videos = sampler_of(related=True)
    samples = (sampler.sample(question, np.random.default_rng(seed)) for seed in range(9))
    own = next(each for each in samples if each.steps is videos["v"].steps)
    assert own.length == 11_999  # 95 * 125 + 62 + 62 ms
    assert own.gold.tolist() == pytest.approx([1250 / 11_999, 5000 / 11_999])


def test_shuffled_labels_are_the_same_texts_over_the_same_moments():
    texts = [TokenizedText((at,), (-1,), (0,)) for at in range(6)]
    questions = [GroundingQuestion(t, "v", at, at + 1, False, at) for at, t in enumerate(texts)]
    data = GroundingData(questions, [], Lexicon({}, {}, []), {}, {}, EventAnnotations((), {}))
    shuffled = data.shuffle_labels(0).train
    assert [each.text for each in shuffled] != texts
    assert sorted(each.text for each in shuffled) == texts
    assert [each._replace(text=EMPTY) for each in shuffled] == [
        each._replace(text=EMPTY) for each in questions
    ]


def test_a_batch_holds_each_samples_text_steps_and_gold():
    sampler, _, _ = sampler_of(related=True)
    samples = sampler(0, np.random.default_rng(0))
    batch = collate_samples(samples)
    assert len(samples) == 32
    assert batch.steps.shows.shape == (32, STEPS, 2)
    assert batch.gold.tolist() == [each.gold.tolist() for each in samples]
