"""A small split, answered at random: what the metric tests stand on."""

import random

import pytest

from harness.benchmark import Split
from harness.outcomes import outcomes
from harness.records import Gold, Moment, Prediction, Span, Turn

VIDEOS = [f"S{number % 3}/{number}.mp4" for number in range(150)]
SOURCES = {name: name.split("/")[0] for name in VIDEOS}


def make_split(rows):
    """A split and its gold of rows (dialogue, turn, type, language, task, gold, more)."""
    turns, gold, candidates = [], [], {}
    for dialogue, number, code, language, task, answer, more in rows:
        turn = Turn(dialogue, number, code, language, task, "")
        turns.append(turn)
        moment = more.get("moment")
        gold.append(
            Gold(dialogue, number, answer, moment and Span(*moment), more.get("answer", ""), None,
                 more.get("tags", ()), more.get("foil"))
        )  # fmt: skip
        if more.get("candidates"):
            candidates[turn.key] = tuple(more["candidates"])
    return Split("test", tuple(turns), candidates, tuple(VIDEOS)), gold


def random_case(seed):
    """A split of 60 dialogues with gold and random predictions, some of them missing."""
    draw = random.Random(seed)
    rows, predictions = [], []
    for dialogue in range(60):
        for number in range(1, draw.randint(2, 7)):
            task = draw.choice(["video", "video", "moment", "chat"])
            gold, foil = draw.sample(VIDEOS, 2)
            start = draw.randrange(20_000)
            more = {"moment": (start, start + draw.randrange(1, 9_000))} if task == "moment" else {}
            if task == "video":
                more = {"candidates": draw.sample(VIDEOS, 10), "tags": ("pixel",)}
                more["foil"] = draw.choice([None, foil])
                if draw.random() < 0.8:
                    more["candidates"][draw.randrange(10)] = gold
                    more["candidates"] = list(dict.fromkeys(more["candidates"]))
            answer = None if task == "chat" else gold
            rows.append((f"d{dialogue}", number, dialogue % 4, draw.choice(["en", "zh"]), task,
                         answer, more))  # fmt: skip
            predictions.append(_prediction(draw, f"d{dialogue}", number, gold, more))
    split, gold_records = make_split(rows)
    return split, gold_records, predictions


def _prediction(draw, dialogue, number, gold, more):
    if draw.random() < 0.05:
        return None
    videos = draw.sample(VIDEOS, draw.choice([0, 1, 10, 100]))
    spans = [sorted(draw.sample(range(30_000), 2)) for _ in range(draw.randint(0, 7))]
    moments = [Moment(draw.choice([gold, gold, VIDEOS[0]]), *span) for span in spans]
    choice = (
        draw.sample(more.get("candidates", []), draw.choice([0, 1])) if more.get("foil") else None
    )
    return Prediction(dialogue, number, tuple(videos), tuple(moments),
                      None if choice is None else tuple(choice), "")  # fmt: skip


@pytest.fixture(scope="session")
def case():
    """A random split, its gold, predictions and outcomes."""
    split, gold, predictions = random_case(20251201)
    return split, gold, predictions, outcomes(split, gold, predictions, SOURCES)
