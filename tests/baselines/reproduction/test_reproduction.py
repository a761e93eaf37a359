"""A row made again: by the code at hand and by that of its commit."""

import tomllib
from pathlib import Path

import pytest

from baselines.registry import find
from baselines.reproduction import rerun as rerun_module
from baselines.reproduction.commits import (
    CHANGED,
    CommitFinding,
    check_commits,
    notes,
    require_fit,
)
from baselines.reproduction.reproduction import reproduce
from baselines.reproduction.rerun import toml_config
from baselines.running.config_file import read_config
from harness.checkout import HistoryError, code_state
from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from tests.baselines.conftest import SAMPLES, imported
from tests.conftest import REPOSITORY

SUBMISSIONS = REPOSITORY / "submissions"


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("bm25", {"assignments": ("context=all",), "seed": 3}),
        ("random", {"seed": 7, "history": "reference"}),
        ("hybrid", {}),
        ("pipeline", {"variant": "a name of its own"}),
    ],
)
def test_the_same_code_makes_a_row_again_exactly(toy, row, tmp_path, name, config):
    folder = row(name, **config)
    made = reproduce(folder, toy, tmp_path / "again")
    assert (made.verdict().kind, list(made.differences())) == ("exact", [])
    for file in ("card.toml", "run.json", "predictions.jsonl.zst"):
        assert (folder / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


def test_a_run_computes_with_the_recorded_threads(toy, row, tmp_path):
    folder = row(threads=3)
    assert reproduce(folder, toy, tmp_path / "again").again.record.threads == 3


def test_what_differs_is_named(toy, row, recorded, tmp_path):
    folder = recorded(
        row(), code_sha256="0" * 64, commit="1" * 40, device="cuda", details={"a": [1, {"b": 2}]},
        versions={"python": "3.0", "torch": "1.0"},
    )  # fmt: skip
    lines = list(reproduce(folder, toy, tmp_path / "again").differences())
    assert lines[0].startswith("code: recorded 000000000000, now ")
    assert "which is not in the history at hand" in lines[0]
    assert any(line.startswith("torch: recorded ") and "now nothing" in line for line in lines)
    assert any(line.startswith("device: ") for line in lines)
    assert any(line.startswith("details.a") for line in lines)


def test_a_trained_row_is_made_again_from_its_folder(toy, row, ready, tmp_path):
    settings = ready("dual_encoder")
    folder = row("dual_encoder", assignments=tuple(settings))
    [given] = [text.partition("=")[2] for text in settings if text.startswith("checkpoint=")]
    with pytest.raises(WrongUsageError, match="ivcr baseline train dual_encoder"):
        reproduce(folder, toy, tmp_path / "again")
    made = reproduce(folder, toy, tmp_path / "again", trained=[Path(given)])
    assert (made.verdict().kind, list(made.differences())) == ("exact", [])


def test_another_benchmark_is_refused(toy, row, tmp_path):
    (tmp_path / "other").mkdir()
    other = imported(tmp_path / "other", SAMPLES[:1])
    with pytest.raises(WrongUsageError, match="expected the benchmark that the row was made on"):
        reproduce(row(), other, tmp_path / "again")


def test_settings_of_the_row_cannot_be_given(toy, row, tmp_path):
    for at_commit in (False, True):
        with pytest.raises(WrongUsageError, match="a setting that no answer depends on"):
            reproduce(row(label=str(at_commit)), toy, tmp_path / "again",
                      assignments=("context=all",), at_commit=at_commit)  # fmt: skip


@pytest.mark.parametrize("values", [{"commit": None}, {"changed": True, "commit": "1" * 40}])
def test_without_a_commit_that_holds_the_code_there_is_none_to_run(
    toy, row, recorded, tmp_path, values
):
    with pytest.raises(SubmissionError, match="names no commit that holds the code"):
        reproduce(recorded(row(), **values), toy, tmp_path / "again", at_commit=True)


def test_code_that_is_not_of_our_history_is_never_run(toy, row, recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(rerun_module, "subprocess", None)
    forged = recorded(row(), commit="1" * 40, changed=False)
    with pytest.raises(HistoryError):
        reproduce(forged, toy, tmp_path / "again", at_commit=True)


@pytest.mark.slow
def test_the_code_of_the_commit_makes_a_row_again(toy, row, recorded, tmp_path):
    state = code_state()
    if state.commit is None:
        pytest.skip("no git checkout")
    folder = recorded(row(assignments=("context=all",)), commit=state.commit, changed=False)
    made = reproduce(folder, toy, tmp_path / "again", at_commit=True)
    assert made.verdict().kind == "exact"
    assert made.again.record.commit == state.commit
    assert made.again.record.changed is False
    broken = recorded(folder, settings={"context": "sideways"})
    with pytest.raises(EnvironmentFailure, match=r"the code of commit [0-9a-f]{12} ended with"):
        reproduce(broken, toy, tmp_path / "broken", at_commit=True)


def test_settings_go_through_a_file_as_they_are(tmp_path):
    members = (
        {"baseline": "bm25", "settings": {"context": "all"}, "weight": 2.0},
        {"baseline": "hybrid", "settings": {"member": (
            {"baseline": "bm25", "settings": {}, "weight": 1.0},
        )}, "weight": 1.0},
    )  # fmt: skip
    (tmp_path / "run.toml").write_text(toml_config({"candidates": "used", "member": members}))
    found = read_config(tmp_path / "run.toml", find("hybrid")).settings
    assert found["candidates"] == "used"
    assert [(each.baseline, each.weight) for each in found["member"]] == [
        ("bm25", 2.0), ("hybrid", 1.0),
    ]  # fmt: skip
    assert found["member"][0].settings == {"context": "all"}
    assert found["member"][1].settings["member"][0].baseline == "bm25"
    assert tomllib.loads(toml_config({})) == {}


def test_every_row_that_names_a_commit_has_the_code_of_that_commit():
    findings = check_commits(SUBMISSIONS)
    assert len(findings) == len(list(SUBMISSIONS.glob("ivcr-harness/*/run.json")))
    require_fit(findings, SUBMISSIONS)
    assert not [found for found in findings if CHANGED in found.text]


def test_many_runs_of_which_one_thing_holds_are_one_line():
    rows = [CommitFinding(f"a/{n}", "note", "names none") for n in range(3)]
    rows += [CommitFinding("b/x", "fits", "fits"), CommitFinding("b/y", "wrong", "another")]
    assert list(notes(rows)) == ['"a/0" and 2 more: names none', '"b/y": another']


def test_the_first_row_fits_its_commit():
    [found] = [each for each in check_commits(SUBMISSIONS) if each.run == "ivcr-harness/bm25"]
    if found.kind == "note":
        pytest.skip(found.text)
    assert found.kind == "fits", found.text


def test_a_row_whose_code_is_not_that_of_its_commit_is_wrong(row, recorded, tmp_path):
    state = code_state()
    if state.commit is None:
        pytest.skip("no git checkout")
    folder = recorded(row(), commit=state.commit, changed=False, code_sha256="0" * 64)
    submissions = tmp_path / "submissions"
    [found] = check_commits(submissions)
    assert (found.run, found.kind) == ("house/row", "wrong")
    with pytest.raises(SubmissionError, match="found 1 that do not"):
        require_fit([found], submissions)
    for values, kind in (
        ({"changed": True}, "note"),
        ({"changed": False, "commit": "1" * 40}, "wrong"),
        ({"commit": None}, "note"),
        ({"commit": state.commit, "outside": ["own.py"]}, "note"),
    ):
        recorded(folder, **values)
        assert [each.kind for each in check_commits(submissions)] == [kind]


def test_floors_are_looked_at_and_others_runs_passed_over(toy, row, recorded, tmp_path):
    folder = row()
    card = (folder / "card.toml").read_text("utf-8")
    (folder / "card.toml").write_text(card.replace("baselines/", "elsewhere/"), "utf-8")
    assert check_commits(tmp_path / "submissions") == []
    floor = toy.folder / "floors" / "random" / "own"
    floor.parent.mkdir(parents=True)
    recorded(row("random", label="floor"), commit=None).rename(floor)
    assert [each.run for each in check_commits(tmp_path / "none", toy.folder)] == [
        "floors/random/own"
    ]
