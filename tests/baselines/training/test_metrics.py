"""Figures in the training loop are the harness's figures of the same answers."""

import random

import pytest
import torch

from baselines.training.metrics import MomentMetrics, RetrievalMetrics, gold_ranks
from harness.records import Card, Moment, Prediction, Span
from harness.scoring import score_to_files
from harness.submission import write
from tests.baselines.conftest import ask, dialogue, imported

VIDEOS = {f"{n:03}.mp4": (60.0, {"title": str(n)}) for n in range(130)}
NAMES = list(VIDEOS)
TURNS = 60


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """Dialogues of a video turn and a moment turn, over 130 videos; spans in tenths of seconds."""
    draw = random.Random(5)
    samples = []
    for number in range(TURNS):
        gold = draw.choice(NAMES)
        start = draw.randrange(400) / 10
        span = (start, round(start + draw.randrange(1, 190) / 10, 1))
        samples.append(dialogue(
            ask(f"find {number}", gold, NAMES), ask(f"when {number}", gold, NAMES, span=span),
        ))  # fmt: skip
    return imported(tmp_path_factory.mktemp("metrics"), samples, videos=VIDEOS)


def harness(benchmark, folder, predictions):
    """The harness's figures of these predictions, by name."""
    write(folder, Card(1, "t", "s", history="own", candidates="unused"), predictions)
    document, _ = score_to_files(folder, benchmark, "test")
    return {name: cell["value"] for name, cell in document["metrics"]["all"].items()}


def spans(draw, gold):
    """Up to 7 spans near the gold: some meet a threshold exactly, some not at all."""
    length = gold.end - gold.start
    exact = [Span(gold.start, gold.start + length * tenths // 10) for tenths in (3, 5, 7)]
    near = [Span(*sorted(draw.sample(range(0, 60_000, 100), 2))) for _ in range(4)]
    return [*draw.sample([*exact, gold, *near], draw.randint(0, 7))]


def systems(benchmark, seed):
    """Random scores with ties, random spans, and the predictions that they make."""
    draw = random.Random(seed)
    split, gold = benchmark.split(), benchmark.gold()
    position = {name: at for at, name in enumerate(split.corpus)}
    rows = {"scores": [], "videos": [], "spans": [], "gold": []}
    predictions = []
    for turn, answer in zip(split.turns, gold, strict=True):
        if turn.task == "video":
            row = [draw.randrange(30) / 10 for _ in split.corpus]
            row[position[answer.video_id]] += draw.choice([0, 0, 1, 2, 5])
            order = sorted(range(len(row)), key=lambda at, row=row: -row[at])[:100]
            videos = tuple(split.corpus[at] for at in order)
            predictions.append(Prediction(*turn.key, videos=videos))
            rows["scores"].append(row)
            rows["videos"].append(position[answer.video_id])
        else:
            found = spans(draw, answer.moment)
            moments = tuple(dict.fromkeys(Moment(answer.video_id, s.start, s.end) for s in found))
            predictions.append(Prediction(*turn.key, moments=moments))
            filled = [(m.start, m.end) for m in moments] + [(0, 0)] * 7
            rows["spans"].append(filled[:7])
            rows["gold"].append((answer.moment.start, answer.moment.end))
    return {name: torch.tensor(row) for name, row in rows.items()}, predictions


@pytest.mark.parametrize("batch", [1, 7, TURNS])
@pytest.mark.parametrize("seed", [1, 2])
def test_figures_equal_the_harness(benchmark, tmp_path, seed, batch):
    rows, predictions = systems(benchmark, seed)
    expected = harness(benchmark, tmp_path / "sub", predictions)
    retrieval, moments = RetrievalMetrics(), MomentMetrics()
    for start in range(0, TURNS, batch):
        part = slice(start, start + batch)
        retrieval.update(rows["scores"][part], rows["videos"][part])
        moments.update(rows["spans"][part], rows["gold"][part])
    found = {**retrieval.compute(), **moments.compute()}
    assert set(found) == {
        "R@1", "R@5", "R@10", "MRR", "mIoU",
        *(f"R@{k},IoU>=0.{tenths}" for k in (1, 5) for tenths in (3, 5, 7)),
    }  # fmt: skip
    assert 0 < expected["R@1"] < expected["R@10"] < 1
    for name, value in found.items():
        assert float(value) == pytest.approx(expected[name], abs=2**-22), name


def test_ranks_equal_a_stable_sort(benchmark):
    rows, _ = systems(benchmark, 3)
    for rank, row, gold in zip(
        gold_ranks(rows["scores"], rows["videos"]), rows["scores"].tolist(), rows["videos"],
        strict=True,
    ):  # fmt: skip
        order = sorted(range(len(row)), key=lambda at, row=row: -row[at])
        assert int(rank) == 1 + order.index(int(gold))


def test_a_gold_video_past_100_or_nowhere_counts_as_absent():
    scores = -torch.arange(130.0).expand(4, -1)
    retrieval = RetrievalMetrics()
    retrieval.update(scores, torch.tensor([99, 100, -1, 1]))
    figures = {name: float(value) for name, value in retrieval.compute().items()}
    assert figures["MRR"] == pytest.approx((1 / 100 + 1 / 2) / 4)
    assert (figures["R@1"], figures["R@5"]) == (0, 1 / 4)


def test_scores_that_are_no_numbers_are_not_right():
    retrieval = RetrievalMetrics()
    retrieval.update(torch.full((2, 5), torch.nan), torch.tensor([0, 3]))
    assert float(retrieval.compute()["MRR"]) == 0


def test_a_threshold_that_is_met_exactly_is_met():
    moments = MomentMetrics()
    moments.update(torch.tensor([[[0, 700]]]), torch.tensor([[0, 1000]]))
    figures = moments.compute()
    assert float(figures["R@1,IoU>=0.7"]) == 1
    assert float(figures["mIoU"]) == pytest.approx(0.7)


def test_reset_removes_all_turns():
    retrieval, moments = RetrievalMetrics(), MomentMetrics()
    for _ in range(2):
        retrieval.update(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
        moments.update(torch.tensor([[[0, 10]]]), torch.tensor([[0, 10]]))
        assert float(retrieval.compute()["R@1"]) == float(moments.compute()["mIoU"]) == 1
        retrieval.reset()
        moments.reset()
    retrieval.update(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    assert float(retrieval.compute()["R@1"]) == 0
