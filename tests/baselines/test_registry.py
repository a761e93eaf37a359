"""Baselines are found by their files and refuse settings that they do not have."""

import subprocess
import sys
from pathlib import Path

import pytest

from baselines.registry import KINDS, all_baselines, find, load
from baselines.settings import changed_settings
from harness.errors import WrongUsageError

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_of_a_baseline_folder_is_listed():
    files = {
        path.relative_to(ROOT).as_posix()
        for kind in KINDS
        for path in (ROOT / "baselines" / f"{kind}s").glob("*.py")
        if path.name != "__init__.py"
    }
    assert {entry.file for entry in all_baselines()} == files


def test_what_is_listed_is_what_the_file_declares_when_imported():
    for entry in all_baselines():
        baseline, _ = load(entry)
        module = sys.modules[type(baseline).__module__]
        assert entry.about == module.ABOUT
        assert module.__doc__.splitlines()[0] == entry.summary


def test_names_are_unique_and_summaries_are_sentences_of_one_line():
    names = [entry.name for entry in all_baselines()]
    assert len(names) == len(set(names))
    assert all(20 < len(entry.summary) <= 100 for entry in all_baselines())


def test_listing_imports_no_baseline_and_no_numpy():
    script = (
        "import sys; from baselines.registry import all_baselines; all_baselines()\n"
        "print(sorted(n for n in sys.modules if n.startswith(('baselines.', 'numpy', 'bm25s'))))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.strip() == "['baselines.base', 'baselines.registry', 'baselines.settings']"


def test_changed_settings_are_those_that_differ_from_the_default():
    _, settings = load(find("bm25"), ["context=all", "candidates=unused"])
    assert changed_settings(settings) == {"context": "all"}


@pytest.mark.parametrize(
    ("name", "assignment", "expected"),
    [
        ("bm25", "contxt=all", "did you mean context"),
        ("bm25", "context=everything", "context is one of last, all, decayed"),
        ("bm25", "context=\x1b[31m", "context is one of last, all, decayed"),
        ("bm25", "context", "expected key=value"),
        ("random", "context=all", "nothing can be set in random"),
        ("bm25", "\x1b[31m=1", r"\x1b[31m"),
        ("hybrid", "members=bm25;clip", "which --config names"),
        ("hybrid", "member=bm25", "which --config names"),
        ("pipeline", "retriever=bm25", "which --config names"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line_without_controls(name, assignment, expected):
    with pytest.raises(WrongUsageError) as refusal:
        load(find(name), [assignment])
    assert expected in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_a_setting_is_given_once():
    with pytest.raises(WrongUsageError, match="each key once"):
        load(find("bm25"), ["context=all", "context=last"])


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(WrongUsageError, match="did you mean copy_previous"):
        find("copy_previos")
