"""`ivcr validate SUB...` and `ivcr score SUB...`: one list in, one report and one exit code out."""

import json
import os
import shutil

import numpy as np
import pytest

from harness.records import Card
from harness.results.bulk import own_places
from harness.submission import write
from harness.validation.bulk import submissions_among
from tests.answers import same_videos
from tests.baselines.conftest import CAT, DOG, SAMPLES, imported


@pytest.fixture
def toy(tmp_path):
    # The official scorer cannot read entries of chat dialogues in between, so they stay out.
    return imported(tmp_path, [sample for sample in SAMPLES if sample["type"] != [0]])


@pytest.fixture
def runs(tmp_path, toy):
    """Three runs of two teams; the second lacks an answer."""
    root = tmp_path / "submissions"
    for number, (team, run) in enumerate((("a", "one"), ("a", "two"), ("b", "one"))):
        given = same_videos(toy.split().turns, (CAT, DOG))
        (root / team).mkdir(parents=True, exist_ok=True)
        card = Card(1, team, f"system {number}", "none", "unused")
        write(root / team / run, card, given[number == 1 :])
    return [root / "a" / "one", root / "a" / "two", root / "b" / "one"]


@pytest.mark.parametrize("processes", [1, 2])
def test_validate_reports_each_in_order_and_ends_with_totals(ivcr, toy, runs, processes):
    options = ["--benchmark", toy.folder, "--processes", processes]
    code, out, _ = ivcr("validate", *runs, *options)
    alone = [ivcr("validate", run, "--benchmark", toy.folder)[1] for run in runs]
    blocks = [f"{run}:\n{text}\n" for run, text in zip(runs, alone, strict=True)]
    assert code == 1
    assert out == "".join(blocks) + "3 submissions: 2 valid, 1 not; 1 errors, 0 warnings\n"
    assert ivcr("validate", runs[0], runs[2], *options)[0] == 0


def test_validate_gives_a_list_of_the_documents_of_one(ivcr, toy, runs):
    options = ["--benchmark", toy.folder, "--format", "json"]
    code, out, _ = ivcr("validate", *runs, *options)
    alone = [json.loads(ivcr("validate", run, *options)[1]) for run in runs]
    assert code == 1
    assert json.loads(out) == [
        {"submission": str(run), **document} for run, document in zip(runs, alone, strict=True)
    ]
    assert [document["valid"] for document in alone] == [True, False, True]


def test_a_path_that_is_no_text_stands_in_the_list_all_the_same(ivcr, toy, runs):
    odd = runs[0].rename(os.fsdecode(os.fsencode(runs[0]) + b"\xff"))
    code, out, _ = ivcr("validate", odd, runs[2], "--benchmark", toy.folder, "--format", "json")
    assert (code, json.loads(out)[0]["submission"]) == (0, f"{runs[0]}\\udcff")


def test_a_list_that_a_shell_makes_of_a_star_means_its_submissions(ivcr, toy, runs, tmp_path):
    root = runs[0].parents[1]
    (root / "a" / "team.toml").write_text("name = 'A'\n")
    (root / "a" / ".DS_Store").write_text("")
    (root / "a" / "three.run").mkdir()
    (root / "a" / "three.run" / "1-of-1.jsonl").write_text("")
    link = tmp_path / "link"
    link.symlink_to(runs[0])
    given = [*sorted((root / "a").iterdir()), *(root / "b").iterdir(), runs[2] / ".", link]
    found = submissions_among(given)
    assert found.folders == tuple(runs)
    assert {path.name for path in found.others} == {"team.toml", ".DS_Store", "three.run"}
    assert [path.name for path in found.repeated] == ["one", "link"]
    code, out, err = ivcr("validate", *given, "--benchmark", toy.folder)
    assert (code, out.count("turns answered")) == (1, 3)
    assert err.count("passed over, as it is no submission: ") == 3
    assert err.count("passed over, as it was named before: ") == 2


@pytest.mark.parametrize("command", ["validate", "score"])
def test_what_is_no_submission_ends_the_command_before_it_begins(ivcr, toy, runs, command):
    absent = runs[0].parent / "absent"
    code, out, err = ivcr(command, runs[0], absent, "--benchmark", toy.folder)
    assert (code, out) == (3, "")
    assert f"{absent}: expected a submission's folder" in err
    assert not (runs[0] / "scores.json").exists()
    team = runs[0].parent / "team.toml"
    team.write_text("")
    code, _, err = ivcr(command, team, team, "--benchmark", toy.folder)
    assert (code, "expected submissions as SUB, found none" in err) == (2, True)
    assert ivcr(command, "--benchmark", toy.folder)[0] == 2


@pytest.mark.parametrize("processes", [1, 2])
def test_score_scores_the_others_beside_one_that_is_not_valid(ivcr, toy, runs, processes):
    options = ["--benchmark", toy.folder]
    code, out, err = ivcr("score", *runs, *options, "--processes", processes)
    assert code == 1
    assert [line for line in out.splitlines() if line.endswith(":")] == [f"{run}:" for run in runs]
    assert out.endswith("2 of 3 submissions scored\n")
    assert err.count(f"{runs[1]}: not valid, so not scored (1 problems") == 1
    assert err.endswith(f"ivcr: not scored, for the reasons above: {runs[1]}\n")
    assert not (runs[1] / "scores.json").exists()
    for run in (runs[0], runs[2]):
        several = (run / "scores.json").read_bytes()
        with np.load(run / "scores.outcomes.npz") as kept:
            assert str(kept["sha256"]) == json.loads(several)["submission"]["sha256"]
        _, alone, _ = ivcr("score", run, *options)
        assert (run / "scores.json").read_bytes() == several
        assert f"{run}:\n{alone}" in out


def test_several_scores_go_to_a_folder_in_folders_of_their_own(ivcr, toy, runs, tmp_path):
    out = tmp_path / "deep" / "scores"
    code, text, _ = ivcr("score", *runs, "--benchmark", toy.folder, "--out", out, "--partial")
    assert (code, text.endswith("3 of 3 submissions scored\n")) == (0, True)
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    names = ("scores.json", "scores.outcomes.npz")
    assert written == [f"{run}/{name}" for run in ("a/one", "a/two", "b/one") for name in names]
    assert not any((run / "scores.json").exists() for run in runs)
    signature = json.loads((out / "a" / "two" / "scores.json").read_text())["signature"]
    assert signature.endswith("|partial:1")


def test_places_differ_wherever_submissions_lie(tmp_path):
    paths = [tmp_path / "x", tmp_path / "y" / "x", tmp_path / "y" / "z" / "x"]
    assert list(map(str, own_places(paths))) == ["x", "y/x", "y/z/x"]


def test_the_published_scorer_takes_several_too(ivcr, toy, runs, tmp_path):
    options = ["--benchmark", toy.folder, "--protocol", "official"]
    result = tmp_path / "result.json"
    result.write_text(json.dumps([{"user_q": "a sleeping cat", "output": "It is video 1."}]))
    code, out, err = ivcr("score", *runs, *options)
    assert (code, out.count("official|"), err.count("not valid")) == (1, 2, 1)
    assert (runs[0] / "scores.official.json").exists()
    code, out, _ = ivcr("score", runs[0], result, *options, "--out", tmp_path / "out")
    assert (code, out.count("all figures: ")) == (0, 2)
    assert (tmp_path / "out" / "result.json" / "scores.official.json").is_file()
    # Without --out a result file has no place for its scores; that is wrong usage, as for one.
    assert ivcr("score", runs[0], result, *options)[0] == 2


def test_outcomes_are_named_for_one_submission_alone(ivcr, toy, runs, tmp_path):
    what = ["score", *runs, "--benchmark", toy.folder, "--outcomes", tmp_path / "o.npz"]
    code, _, err = ivcr(*what)
    assert (code, "--outcomes names the file of one SUB" in err) == (2, True)


def test_a_benchmark_without_gold_ends_the_command(ivcr, toy, runs, tmp_path):
    hidden = shutil.copytree(toy.folder, tmp_path / "hidden")
    (hidden / "test" / "gold.jsonl").unlink()
    code, _, err = ivcr("score", *runs, "--benchmark", hidden, "--processes", 2)
    assert (code, "gold" in err, "Traceback" in err) == (3, True, False)
