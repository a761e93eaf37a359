"""Both examples of README.md run as they stand, beside a benchmark called `mini`."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import harness as ivcr
from tests.comparison.worlds import world

PAGE = Path(__file__).resolve().parents[1] / "README.md"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIALOGUES = [(1, "v0 v1 m1"), (2, "m3 v4"), (1, "v5 c v6"), (7, "v7 v8"), (0, "c"), (3, "v9 v9")]


def examples(page):
    """The texts of the fenced examples of a page, in its order."""
    return FENCE.findall(page)


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """A folder that holds a benchmark called `mini`; it is the current one."""
    world(tmp_path, *DIALOGUES, name="mini", words="find video 4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def carry_out(text, number):
    exec(compile(text, f"{PAGE.name}, example {number}", "exec"), {"__name__": "example"})


def test_both_examples_run_and_make_valid_submissions(mini, capsys):
    texts = examples(PAGE.read_text("utf-8"))
    assert len(texts) == 2
    assert all(15 <= len(text.splitlines()) <= 25 for text in texts)
    for number, text in enumerate(texts, start=1):
        carry_out(text, number)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("MetricFigure(value=0.11")  # video 4 is right in 1 of 9 turns
    assert printed[1] == "True"
    assert len(printed[2].split()) == 3
    for name in ("titles", "shortest", "bm25"):
        assert ivcr.validate(name, "mini").valid
    card = tomllib.loads((mini / "titles" / "card.toml").read_text("utf-8"))
    assert (card["team"], card["history"]) == ("My lab", "own")
    assert json.loads((mini / "bm25" / "run.json").read_text("utf-8"))["baseline"] == "bm25"


def test_all_fences_of_the_readme_are_examples():
    text = PAGE.read_text("utf-8")
    assert text.count("```") == 2 * len(examples(text))
