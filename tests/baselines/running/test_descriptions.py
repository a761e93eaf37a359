"""What `ivcr baseline info` says of each baseline, and whether its example commands hold."""

import shlex

import pytest

from baselines.registry import all_baselines, class_of, find, load
from baselines.running.descriptions import NEEDS, description, examples, overview
from baselines.settings import allowed, descriptions
from harness.cli.baseline import run
from harness.cli.training import train

ENTRIES = all_baselines()
NAMES = [entry.name for entry in ENTRIES]


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_all_that_a_baseline_declares_is_shown(entry):
    text = description(entry)
    kind = class_of(entry)
    module = __import__("sys").modules[kind.__module__]
    assert module.__doc__.strip() in text
    for need in entry.about.needs + entry.about.train_needs:
        assert NEEDS[need] in text
    for name in kind.settings_type.__struct_fields__:
        assert f"  {name} " in text


def test_a_setting_is_shown_with_its_values_default_and_description():
    lines = description(find("hybrid"), {"candidates": "used"}).splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("  candidates"))
    assert lines[at].split(maxsplit=1)[1] == "one of used, unused; default: unused; here: used"
    assert lines[at + 1].strip().startswith("whether the members see")
    (member,) = (line for line in lines if line.startswith("  member "))
    assert member.endswith("default: bm25 (context=last) + bm25 (context=decayed)")


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_every_setting_has_a_description(entry):
    kind = class_of(entry).settings_type
    assert [name for name in kind.__struct_fields__ if not descriptions(kind).get(name)] == []


@pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)
def test_example_commands_can_be_read(entry):
    for line in examples(entry):
        words = shlex.split(line)
        assert words[0] == "ivcr"
        if words[1] == "baseline":
            command = {"run": run, "train": train}[words[2]]
            parsed = command.make_context(words[2], words[3:]).params
            assert find(parsed["name"]) == entry
            load(entry, parsed["assignments"])


def test_an_example_runs_as_it_stands(ivcr, make, tmp_path, monkeypatch):
    make(name="mini")
    monkeypatch.chdir(tmp_path)
    _, line = examples(find("bm25"))
    assert ivcr(*shlex.split(line)[1:])[0] == 0
    assert (tmp_path / "bm25.own" / "card.toml").is_file()


def test_the_overview_names_all():
    lines = list(overview())
    assert [line.split()[0] for line in lines if line[2:3].strip() and line[:2] == "  "] == NAMES


def test_types_are_words():
    assert allowed(str) == "text"
    assert allowed(int | None) == "a whole number or nothing"
