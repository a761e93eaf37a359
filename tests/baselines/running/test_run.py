"""Running a baseline as a function: what the command does, without the command line."""

import tomllib

import numpy as np
import pytest

from baselines.registry import all_baselines, find
from baselines.running.run import run_baseline, run_floors, run_shard
from baselines.running.runner import RunConfig, RunContext, Shard
from harness.errors import WrongUsageError
from harness.validation import check

FILES = ("card.toml", "predictions.jsonl.zst", "run.json")


def same(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in FILES)


def test_a_run_writes_a_valid_submission_and_reports_its_progress(toy, tmp_path):
    config, seen = RunConfig(find("bm25"), "own", settings={"context": "all"}), []
    run_baseline(config, toy, tmp_path / "sub", pair="other",
                 progress=lambda done, total: seen.append((done, total)))  # fmt: skip
    turns = len(toy.split().turns)
    assert seen[-1] == (turns, turns)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    card = tomllib.loads((tmp_path / "sub" / "card.toml").read_text("utf-8"))
    assert (card["system"], card["pair"]) == ("bm25", "other")
    assert check(tmp_path / "sub", toy).report.errors == 0
    assert [path.name for path in tmp_path.glob("sub*")] == ["sub"]


def test_shards_that_were_answered_before_are_merged(toy, tmp_path, monkeypatch):
    config = RunConfig(find("random"), "own", seed=3)
    run_baseline(config, toy, tmp_path / "whole")
    for number in (1, 0):
        folder = run_shard(config, toy, tmp_path / "sub", Shard(number, 2))
        assert folder == tmp_path / "sub.run"
    run_baseline(config, toy, tmp_path / "sub", processes=2)
    assert same(tmp_path / "sub", tmp_path / "whole")


def test_a_folder_that_holds_something_else_is_left_alone(toy, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "notes").write_text("")
    for run in (run_baseline, run_shard):
        more = (Shard(),) if run is run_shard else ()
        with pytest.raises(WrongUsageError, match="is not an empty folder"):
            run(RunConfig(find("bm25"), "own"), toy, tmp_path / "sub", *more)


def test_notes_of_a_run_go_to_its_context(toy, tmp_path, ready):
    notes = []
    from tests.baselines.ready import configured

    config = configured("endpoint", "own", ready("endpoint"))
    run_baseline(config, toy, tmp_path / "sub", context=RunContext(tmp_path / "c", notes.append))
    assert any(line.startswith("endpoint: ") and "requests" in line for line in notes)


def test_floors_of_one_history_are_scored_and_handed_over_one_by_one(toy):
    scored, made, notes = [], [], []

    def score(folder):
        scored.append(check(folder, toy).report.errors)
        (folder / "scores.json").write_text("{}")

    run_floors(toy, score, done=made.append, history="none", note=notes.append)
    floors = [entry.name for entry in all_baselines() if entry.kind == "floor"]
    assert made == [toy.folder / "floors" / name / "none" for name in floors]
    assert all((folder / "scores.json").read_text() == "{}" for folder in made)
    assert (scored, notes) == ([0] * len(floors), [])


def test_a_floor_stays_until_the_new_one_is_scored(toy):
    floor = toy.folder / "floors" / "random" / "none"
    floor.mkdir(parents=True)
    (floor / "scores.json").write_text("of an earlier run")

    def score(folder):
        assert (floor / "scores.json").read_text() == "of an earlier run"
        if folder.name == floor.name and "random" in folder.parts:
            raise KeyError("a scorer with a bug")

    with pytest.raises(KeyError):
        run_floors(toy, score, history="none", note=print)
    assert [path.name for path in floor.iterdir()] == ["scores.json"]
    assert [path.name for path in floor.parent.iterdir()] == ["none"]
    run_floors(toy, lambda folder: None, history="none", note=print)
    assert sorted(path.name for path in floor.iterdir()) == sorted((*FILES, "environment.json"))
    assert [path.name for path in floor.parent.iterdir()] == ["none"]


@pytest.mark.parametrize("place", ["floors", "floors/random", "floors/random/none"])
def test_floors_are_not_written_through_links(toy, tmp_path, place):
    other = tmp_path / "other"
    other.mkdir()
    (toy.folder / place).parent.mkdir(parents=True, exist_ok=True)
    (toy.folder / place).symlink_to(other)
    with pytest.raises(WrongUsageError, match="found a link or a file; remove it"):
        run_floors(toy, lambda folder: None, history="none", note=print)
    assert list(other.iterdir()) == []


def test_a_seed_may_be_a_whole_number_of_numpy(toy, tmp_path):
    for name, seed in (("ours", 3), ("numpys", np.int64(3))):
        run_baseline(RunConfig(find("random"), "own", seed=seed), toy, tmp_path / name)
    assert same(tmp_path / "ours", tmp_path / "numpys")
    with pytest.raises(TypeError, match="seed: expected a whole number"):
        RunConfig(find("random"), "own", seed=0.5)
