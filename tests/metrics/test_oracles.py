"""Every metric of the table against its oracle, in `all` and on parts of random conversations."""

import pytest
from msgspec.structs import replace

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.scoring import design_of, figures

from .cases import case_of
from .conftest import SOURCES
from .generated import conversation
from .oracles import ORACLES

SEEDS = range(6)


def same(figure, oracle):
    """Whether both are undefined, or agree in the ten digits that scores.json gives."""
    if figure is None or oracle is None:
        return figure is oracle
    return figure == pytest.approx(oracle, rel=1e-9, abs=1e-9)


def test_every_metric_has_an_oracle_and_every_oracle_a_metric():
    assert set(ORACLES) == set(METRICS)


def scored(split, gold, predictions):
    found = outcomes(split, gold, predictions, SOURCES)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    return figures(found.frame, columns, design_of(found.frame), hidden=False)


def part(case, keep):
    """The rows of a case whose dialogue is kept, `keep` being told the turns of it."""
    split, gold, predictions = case
    kept = {name for name, turns in split.dialogues().items() if keep(turns)}
    rows = [row for row, turn in enumerate(split.turns) if turn.dialogue_id in kept]
    turns = tuple(split.turns[row] for row in rows)
    return replace(split, turns=turns), [gold[r] for r in rows], [predictions[r] for r in rows]


PARTS = {
    "all": lambda turns: True,
    "type=1": lambda turns: turns[0].type == 1,
    "length=4": lambda turns: len(turns) == 4,
    "language=zh": lambda turns: {turn.language for turn in turns} == {"zh"},
}


@pytest.fixture(scope="module", params=SEEDS)
def case(request):
    whole = conversation(request.param)
    return whole, scored(*whole)


@pytest.mark.parametrize("name", PARTS)
def test_figures_equal_those_of_the_oracles(case, name):
    whole, document = case
    rows = part(whole, PARTS[name])
    plain, cells = case_of(*rows), document[name]
    if name == "language=zh":  # turns of dialogues in two languages belong to it as well
        cells = {metric: cell for metric, cell in cells.items() if METRICS[metric].scope != "turn"}
    for metric, cell in cells.items():
        assert same(cell["value"], ORACLES[metric](plain)), metric


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("seed", SEEDS)
def test_responses_of_one_language_equal_sacrebleu(seed, language):
    split, gold, predictions = conversation(seed)
    rows = [row for row, turn in enumerate(split.turns) if turn.language == language]
    spoken = replace(split, turns=tuple(split.turns[row] for row in rows))
    plain = case_of(spoken, [gold[row] for row in rows], [predictions[row] for row in rows])
    cells = scored(split, gold, predictions)[f"language={language}"]
    for name in ("BLEU-4", "chrF"):
        assert cells[name]["value"] == pytest.approx(ORACLES[name](plain), abs=1e-8)
        assert 0 < cells[name]["value"] < 100


def test_the_random_conversations_reach_every_metric():
    documents = [scored(*conversation(seed)) for seed in SEEDS]
    defined = {
        name
        for document in documents
        for cells in document.values()
        for name, cell in cells.items()
        if cell["value"] is not None
    }
    assert defined == set(METRICS)
