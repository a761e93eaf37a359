"""docs/glossary.md has the words of the files; docs/paper.md the figures of the authors' card."""

import re
import tomllib

from harness.metrics import METRICS
from tests.conftest import REPOSITORY

GLOSSARY = (REPOSITORY / "docs" / "glossary.md").read_text("utf-8")
PAPER = (REPOSITORY / "docs" / "paper.md").read_text("utf-8")
TERMS = re.findall(r"^- \*\*(.+?)\*\*", GLOSSARY, re.MULTILINE)
# The nouns of the field that files, commands and pages use.
NOUNS = """
benchmark split corpus dialogue turn task utterance moment gold candidates foil prediction choice
abstention submission card history control pair variant annotations protocol outcome metric slice
interval scores signature floor track challenge phase quota feedback intake receipt ledger
fingerprint
"""


def test_every_term_is_explained_once_and_shortly():
    assert len(TERMS) >= 45
    assert len({term.lower() for term in TERMS}) == len(TERMS)
    items = re.findall(r"^- (\*\*.+?)(?=^- |^#|\Z)", GLOSSARY, re.MULTILINE | re.DOTALL)
    assert [
        item for item in items if len(re.findall(r"[a-z)`]\. ", item.replace("\n", " "))) > 3
    ] == []


def test_every_noun_of_the_project_is_explained():
    words = {term.lower() for term in TERMS}
    assert [noun for noun in NOUNS.split() if noun not in words] == []
    assert "rank range" in words


def test_the_published_figures_are_those_of_the_card():
    [card] = (REPOSITORY / "submissions" / "ivcr200k-authors").glob("*/card.toml")
    figures = tomllib.loads(card.read_text("utf-8"))["figures"]
    published = PAPER.split("## The published figures")[1].split("## ")[0]
    assert len(figures) == 5
    assert [name for name, value in figures.items() if str(value) not in published] == []


def test_every_metric_and_defect_that_the_page_names_is_there():
    official = (REPOSITORY / "docs" / "official.md").read_text("utf-8")
    defects = set(re.findall(r"\bD\d+\b", PAPER))
    assert defects <= set(re.findall(r"\bD\d+\b", official))
    names = set(METRICS)
    assert "BLEU-4" in names
    assert any(name.startswith("cascade:") for name in names)


def test_every_baseline_that_the_page_names_is_there():
    from baselines.registry import find

    named = re.findall(r"ivcr baseline (?:run|train) (\w+)", PAPER)
    assert set(named) == {"interllava", "tan2d", "xpool"}
    assert [find(name).name for name in named] == named
