"""Responses: tokenisers by language, missing ones, what is undefined, and a late import."""

import subprocess
import sys

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from harness.metrics import METRICS
from harness.metrics.responses import bleu, chrf
from harness.outcomes import outcomes
from harness.records import Prediction
from harness.scoring import design_of, figures
from harness.statistics.design import linearise

from .conftest import SOURCES, make_split
from .generated import conversation

CHINESE = ("请看视频4，女人正在做的饭", "请看视频4，男人正在做饭")


def scored(*turns):
    """Figures of chat turns (language, reference, response), each a dialogue of its own."""
    rows = [(f"d{n}", 1, 0, language, "chat", None, {"answer": reference})
            for n, (language, reference, _) in enumerate(turns)]  # fmt: skip
    given = [Prediction(f"d{n}", 1, None, None, None, turn[2]) for n, turn in enumerate(turns)]
    found = outcomes(*make_split(rows), given, SOURCES)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    return figures(found.frame, columns, design_of(found.frame), hidden=False)


def test_chinese_is_split_into_characters_and_not_by_the_tokeniser_of_english():
    response, reference = CHINESE
    assert BLEU(tokenize="13a").corpus_score([response], [[reference]]).score == 0.0
    cell = scored(("zh", reference, response))["all"]["BLEU-4"]
    assert round(cell["value"], 1) == 59.2


def test_english_keeps_the_tokeniser_13a():
    # What 13a does and zh does not: it reads entities as the characters that they stand for.
    response, reference = "salt &amp; pepper on the table", "salt & pepper on the table"
    cell = scored(("en", reference, response))["all"]["BLEU-4"]
    expected = BLEU(tokenize="13a").corpus_score([response], [[reference]]).score
    assert cell["value"] == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(
        BLEU(tokenize="zh").corpus_score([response], [[reference]]).score
    )


@pytest.mark.parametrize("missing", [None, ""])
def test_a_missing_response_counts_as_the_empty_string(missing):
    text = "a man opens the door of the room"
    cells = scored(("en", text, text), ("en", text, missing))["all"]
    expected = BLEU(tokenize="13a").corpus_score([text, ""], [[text, text]]).score
    assert cells["BLEU-4"]["turns"] == 2
    assert cells["BLEU-4"]["value"] == pytest.approx(expected, rel=1e-9)
    assert cells["chrF"]["value"] == pytest.approx(100 * 5 * 1 * 0.5 / (4 * 1 + 0.5))


def test_without_a_response_there_is_no_figure():
    cells = scored(("en", "yes", None), ("en", "no", ""))["all"]
    assert cells["chrF"]["value"] is None
    assert "no line of the submission has a `response`" in cells["BLEU-4"]["why"]


def test_turns_without_a_reference_answer_do_not_count():
    cells = scored(("en", "the man is here", "the man is here"), ("en", "", "what?"))["all"]
    assert cells["BLEU-4"]["turns"] == 1
    assert cells["BLEU-4"]["value"] == pytest.approx(100)


def test_two_languages_have_a_figure_each_and_none_together():
    document = scored(("en", "a b c d", "a b c d"), ("zh", *reversed(CHINESE)))
    assert document["all"]["BLEU-4"]["value"] is None
    assert "language=en" in document["all"]["BLEU-4"]["why"]
    assert document["language=en"]["chrF"]["value"] == pytest.approx(100)
    assert round(document["language=zh"]["BLEU-4"]["value"], 1) == 59.2


def test_a_perfect_response_has_100_points_and_an_unlike_one_none():
    cells = scored(("en", "one two three four five", "one two three four five"))["all"]
    assert [cells[name]["value"] for name in ("BLEU-4", "chrF")] == pytest.approx([100, 100])
    cells = scored(("en", "one two three four five", "xxxx"))["all"]
    assert [cells[name]["value"] for name in ("BLEU-4", "chrF")] == [0, 0]


@pytest.mark.parametrize("name", ["BLEU-4", "chrF"])
def test_the_figure_of_many_sums_is_the_figures_of_each(name):
    rows = [("d", n, 0, "en", "chat", None, {"answer": "the man is in the room"})
            for n in (1, 2, 3)]  # fmt: skip
    said = ["the man", "in the room is the man", "the man is in the room"]
    given = [Prediction("d", n, None, None, None, text) for n, text in enumerate(said, start=1)]
    table = METRICS[name].column(outcomes(*make_split(rows), given, SOURCES)).table
    figure = {"BLEU-4": bleu, "chrF": chrf}[name]
    assert figure(table).tolist() == pytest.approx([float(figure(sums)) for sums in table.T])


@pytest.mark.parametrize("name", ["BLEU-4", "chrF"])
def test_the_spread_is_that_of_resampled_dialogues(name):
    split, gold, predictions = conversation(3, dialogues=150)
    found = outcomes(split, gold, predictions, SOURCES)
    turns = found.frame.language == found.frame.languages.index("en")
    table, figure = METRICS[name].column(found).table * turns, METRICS[name].figure
    sums = np.array([np.bincount(found.frame.dialogue, weights=row) for row in table])
    picks = np.random.default_rng(1).integers(0, sums.shape[1], (2000, sums.shape[1]))
    drawn = [float(figure(sums[:, pick].sum(axis=1))) for pick in picks]
    _, influence, rows = linearise(figure, table)
    by_dialogue = np.bincount(found.frame.dialogue[rows], weights=influence[:, 0])
    assert np.sqrt(np.square(by_dialogue).sum()) == pytest.approx(np.std(drawn), rel=0.1)


def test_sacrebleu_is_loaded_only_for_a_response():
    script = (
        "import sys\n"
        "from harness.metrics import METRICS\n"
        "from harness.outcomes import outcomes\n"
        "from tests.metrics.conftest import SOURCES, random_case\n"
        "found = outcomes(*random_case(1), SOURCES)\n"
        "assert all(metric.column(found) for metric in METRICS.values())\n"
        "print('sacrebleu' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
