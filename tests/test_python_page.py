"""Every example of docs/python.md runs, in the order of the page, on a toy benchmark.

Those of the API follow one another, as in one program; each of those below it stands by itself.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.benchmark import Benchmark
from harness.protocols.rendering import entries_of
from harness.protocols.source import read_source
from harness.validation import check
from tests.comparison.worlds import submit, world

PAGE = Path(__file__).resolve().parents[1] / "docs" / "python.md"
BELOW = "\n## Below the API\n"
FENCE = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DIALOGUES = [(1, "v0 v1 m1"), (2, "m3 v4"), (1, "v5 c v6"), (7, "v7 v8"), (0, "c"), (3, "v9 v9")]
FIRST = ("111", "11", "1-0", "10", "1", "11")
SECOND = ("101", "01", "1-1", "00", "1", "01")


def examples(page):
    """Language and text of each fenced example of a page, in its order."""
    return [(found[1], found[2]) for found in FENCE.finditer(page)]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A folder as the page describes it; it is the current one."""
    benchmark = world(tmp_path, *DIALOGUES, name="benchmark")
    (tmp_path / "benchmark.json").rename(tmp_path / "official.json")
    first = submit(tmp_path / "first", benchmark, *FIRST)
    submit(tmp_path / "second", benchmark, *SECOND)
    answers = {each.key: each for each in check(first, benchmark).predictions}
    entries = entries_of(read_source(benchmark, "test"), answers)
    rows = [{"user_q": entry.question, "output": entry.output} for entry in entries]
    (tmp_path / "result.json").write_text(json.dumps(rows), "utf-8")
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def carry_out(language, text, number, names=None):
    """Run one example; python in this process, sh with this interpreter as `python`.

    names: what earlier examples of its program have named.
    """
    if language == "python":
        names = {} if names is None else names
        names["__name__"] = "example"
        exec(compile(text, f"{PAGE.name}, example {number}", "exec"), names)
        return
    folders = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    root = str(PAGE.parents[1])
    subprocess.run(["bash", "-ec", text], env={**os.environ, "PATH": folders, "PYTHONPATH": root},
                   check=True)  # fmt: skip


def test_every_example_of_the_page_runs(toy, capfd):
    text = PAGE.read_text("utf-8")
    found = examples(text)
    of_the_api, names = len(examples(text.partition(BELOW)[0])), {}
    assert len(found) >= 10
    assert 5 <= of_the_api < len(found)
    for number, (language, text) in enumerate(found, start=1):
        carry_out(language, text, number, names if number <= of_the_api else None)
    printed = capfd.readouterr().out
    assert "benchmark 13 turns, 61 videos" in printed
    assert "not valid" not in printed
    assert "True" in printed
    for name in ("longest", "decayed", "by-hand", "empty", "mine"):
        assert check(toy / name, Benchmark(toy / "benchmark")).report.valid
    assert json.loads((toy / "first.scores.json").read_text("utf-8"))["protocol"] == "ivcr"


def test_all_fences_of_the_page_are_examples():
    text = PAGE.read_text("utf-8")
    assert text.count("```") == 2 * len(examples(text))


def test_a_failing_example_is_noticed(toy):
    [(language, text)] = examples("```python\nfrom harness.records import Nothing\n```\n")
    with pytest.raises(ImportError):
        carry_out(language, text, 1)
    [(language, text)] = examples('```sh\npython -c "1 / 0"\n```\n')
    with pytest.raises(subprocess.CalledProcessError):
        carry_out(language, text, 1)
