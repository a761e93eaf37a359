"""ivcr leaderboard, from real predictions: what it builds, refuses, prints and verifies."""

import csv
import json
import os
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from harness.benchmark import Benchmark
from harness.metrics import METRICS
from harness.scoring import SplitScorer
from harness.untrusted import open_input
from leaderboard.results.description import MetricInfo, describe_metrics
from tests.baselines.conftest import imported
from tests.leaderboard.conftest import REPORTED
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import tree


@pytest.fixture
def scored(ivcr, tmp_path):
    """The toy benchmark and two scored runs of BM25; builds and verifies on demand."""
    benchmark, submissions = imported(tmp_path).folder, tmp_path / "submissions"
    (submissions / "house").mkdir(parents=True)
    for history in ("none", "own"):
        folder = submissions / "house" / f"bm25-{history}"
        where = ("--benchmark", benchmark)
        run = ("baseline", "run", "bm25", *where, "--history", history, "--out", folder)
        assert ivcr(*run)[0] == 0
        assert ivcr("score", folder, *where)[0] == 0
    out = tmp_path / "site"
    return SimpleNamespace(
        submissions=submissions,
        benchmark=benchmark,
        site=out,
        build=lambda *more: ivcr(
            "leaderboard", "build", submissions, "--benchmark", benchmark, "--out", out, *more
        ),
        verify=lambda: ivcr("leaderboard", "verify", submissions, "--benchmark", benchmark),
    )


def test_the_board_of_real_scores_says_what_they_say(scored):
    code, out, err = scored.build("--organizers", "house")
    assert (code, err) == (0, "")
    assert out.endswith("2 runs, 0 floors, 0 refused\n")
    rows = json.loads((scored.site / "leaderboard.json").read_text())["rows"]
    for row, history in zip(rows, ("none", "own"), strict=True):
        file = scored.submissions / "house" / f"bm25-{history}" / "scores.json"
        document = json.loads(file.read_text())
        assert row.pop("metrics") == document["metrics"]["all"]
        assert row == {"team": "IVCR harness", "system": "bm25", "history": history,
                       "candidates": "unused"}  # fmt: skip
    assert (scored.site / "tracks/video.html").read_text().count("run by the organizers") > 1


def test_a_scores_file_that_says_something_else_is_named_and_never_shown(scored):
    file = scored.submissions / "house" / "bm25-own" / "scores.json"
    document = json.loads(file.read_text())
    honest = document["metrics"]["all"]["R@1"]["value"]
    document["metrics"]["all"]["R@1"]["value"] = 0.9
    document["signature"] = "\x1b[31m" + document["signature"]
    file.write_text(json.dumps(document))
    code, out, err = scored.build()
    assert (code, "2 runs, 0 floors, 0 refused" in out) == (0, True)
    assert 'its scores.json differs and does not count: "house/bm25-own": ' in err
    assert "value is 0.9, scored again" in err
    assert "\x1b" not in err
    rows = json.loads((scored.site / "leaderboard.json").read_text())["rows"]
    assert rows[1]["metrics"]["R@1"]["value"] == honest
    for page in ("index.html", "systems/house--bm25-own.html"):
        assert "value is 0.9, scored again" in (scored.site / page).read_text()


def test_an_invalid_run_is_refused_by_name_and_the_rest_is_built(scored):
    (path,) = (scored.submissions / "house" / "bm25-own").glob("predictions.*")
    path.unlink()
    path.with_name("predictions.jsonl").write_text('{"dialogue_id": "\x1b[31m"}\n')
    code, out, err = scored.build()
    assert code == 0
    assert "1 runs, 0 floors, 1 refused" in out
    assert 'refused: "house/bm25-own": ' in err
    assert "\x1b" not in err


def test_a_build_without_any_scores_file_computes_them_all(scored):
    for path in scored.submissions.glob("*/*/scores*"):
        path.unlink()
    assert scored.build("--processes", "2")[0] == 0
    first = tree(scored.site)
    results = scored.site.with_name("site.results")
    assert results.stat().st_mode & 0o777 == 0o700
    for place in (results, scored.site, scored.site.with_name(".site.ledger.json")):
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        assert scored.build()[0] == 0
        assert tree(scored.site) == first
    assert not list(scored.submissions.glob("*/*/scores*")), "nothing is written to a submission"


def test_a_fault_of_ours_is_told_as_one_and_the_rest_is_built(scored, monkeypatch):
    whole = SplitScorer.score_checked

    def score_or_fail(self, folder, checked, **settings):
        if folder.name == "bm25-own":
            raise RuntimeError("a fault")
        return whole(self, folder, checked, **settings)

    monkeypatch.setattr(SplitScorer, "score_checked", score_or_fail)
    code, out, err = scored.build("--processes", "1")
    assert code == 3
    assert "1 runs, 0 floors, 1 refused" in out
    assert 'not scored: "house/bm25-own": "RuntimeError: a fault' in err
    assert "through no fault of theirs" in err
    page = (scored.site / "index.html").read_text()
    assert "through no fault of its own" in page
    assert "RuntimeError" not in page, "an error's words may hold labels"


@pytest.mark.parametrize("place", ["submissions/results", "site/results", "site"])
def test_results_do_not_lie_where_others_read_or_write(scored, place):
    code, _, err = scored.build("--results", scored.submissions.parent / place)
    assert (code, "name another --results" in err) == (2, True)


def test_typed_figures_are_shown_for_the_organizers_alone(scored):
    shutil.copytree(REPORTED, scored.submissions / "authors")
    _, out, err = scored.build()
    assert "1 refused" in out
    assert "typed figures are shown for teams of the organizers alone" in err
    assert scored.build("--organizers", "authors")[1].endswith("0 refused\n")


def test_verify_agrees_with_honest_figures_and_names_an_altered_one(scored):
    code, out, _ = scored.verify()
    assert (code, out.splitlines()[-1]) == (0, "2 scores.json agree with their predictions")
    file = scored.submissions / "house" / "bm25-own" / "scores.json"
    document = json.loads(file.read_text())
    cell = document["metrics"]["all"]["R@10"]
    cell["value"] = (cell["value"] + 0.01) % 1
    cell["low"], cell["high"] = 0.0, 1.0
    file.write_text(json.dumps(document))
    code, _, err = scored.verify()
    assert code == 1
    assert '"house/bm25-own": "R@10" on "all": value is ' in err


def test_ranges_dialogues_and_differences_come_from_real_predictions(ivcr, scored):
    folder, where = scored.submissions / "house" / "bm25-all", ("--benchmark", scored.benchmark)
    run = ("baseline", "run", "bm25", *where, "--history", "own", "--set", "context=all")
    assert ivcr(*run, "--out", folder)[0] == 0
    assert ivcr("score", folder, *where)[0] == 0
    assert scored.build()[0] == 0
    lines = csv.DictReader(
        (scored.site / "tables" / "video-own-unused.csv").read_text("utf-8").splitlines()
    )
    shown = ("system", "variant", "best_rank", "worst_rank")
    # Four turns in three dialogues: no difference can be significant.
    assert {tuple(line[name] for name in shown) for line in lines} == {
        ("bm25", "", "1", "2"),
        ("bm25", "context=all", "1", "2"),
    }
    assert (scored.site / "compare" / "video-own-unused.html").is_file()
    page = (scored.site / "dialogues" / "1.html").read_text()
    assert all(turn.dialogue_id in page for turn in Benchmark(scored.benchmark).split().turns)
    system = (scored.site / "systems" / "house--bm25-own.html").read_text()
    assert "../dialogues/1.html#d1" in system


def test_a_systems_page_says_what_its_predictions_and_outcomes_say(ivcr, scored):
    folder = scored.submissions / "house" / "bm25-own"
    lines = [json.loads(line) for line in read_predictions(folder)]
    empty = next(line for line in lines if "videos" in line)
    empty["videos"] = []
    for old in folder.glob("predictions.*"):
        old.unlink()
    (folder / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert ivcr("score", folder, "--benchmark", scored.benchmark)[0] == 0
    assert scored.build()[0] == 0
    page = Page((scored.site / "systems" / "house--bm25-own.html").read_text())
    text = " ".join(page.text)
    turns = Benchmark(scored.benchmark).split().turns
    needed = {"video": ("videos", "choice"), "moment": ("moments",), "chat": ("response",)}
    given = {(line["dialogue_id"], line["turn"]): line for line in lines}
    empty = sum(
        not any(given[turn.dialogue_id, turn.turn].get(part) for part in needed[turn.task])
        for turn in turns
    )
    assert empty > 0
    assert f"An empty answer was given in {empty} of {len(turns)} turns" in text
    arrays = np.load(folder / "scores.outcomes.npz")
    place = arrays["metrics"].tolist().index("S@10")
    start = arrays["start"][place]
    at_risk = arrays["table"][start : start + 10].sum(axis=1).astype(int)
    assert at_risk[0] > 0
    assert "at t = 1, 2, …: " + " · ".join(map(str, at_risk)) in text
    assert [tag.name for tag in page.tags if tag.attributes.get("class") == "heat"]
    types = {str(turn.type) for turn in turns if turn.task == "video"}
    assert all(any(part.startswith(code) for part in page.text) for code in types)


def read_predictions(folder):
    (path,) = folder.glob("predictions.*")
    with open_input(path) as stream:
        return stream.read().splitlines()


def test_verify_names_outcomes_that_are_others(scored):
    folder = scored.submissions / "house" / "bm25-own"
    path = folder / "scores.outcomes.npz"
    arrays = dict(np.load(path))
    start = arrays["start"][arrays["metrics"].tolist().index("R@1")]
    # The same share right, in other turns.
    arrays["table"][start : start + 2] = arrays["table"][start : start + 2, ::-1]
    np.savez_compressed(path, **arrays)
    code, _, err = scored.verify()
    assert code == 1
    assert '"house/bm25-own": R@1: its outcomes turn by turn differ (table)' in err


def change(array):
    """Another array of its type and shape."""
    if array.dtype.kind == "U":
        return np.strings.replace(array, array.flat[-1], array.flat[-1][::-1])
    return ~array if array.dtype.kind == "b" else array + 1


@pytest.mark.parametrize("name", ["counted", "defined", "rows", "metrics"])
def test_verify_compares_every_array_of_the_outcomes(scored, name):
    path = scored.submissions / "house" / "bm25-own" / "scores.outcomes.npz"
    arrays = dict(np.load(path))
    np.savez_compressed(path, **(arrays | {name: change(arrays[name])}))
    code, _, err = scored.verify()
    assert code == 1
    assert re.search(f'"house/bm25-own": .*{name}', err)
    np.savez_compressed(path, **{key: value for key, value in arrays.items() if key != name})
    assert f'"house/bm25-own": scores.outcomes.npz: {name} is in one' in scored.verify()[2]


def test_verify_compares_run_json_with_card_and_benchmark(scored):
    path = scored.submissions / "house" / "bm25-own" / "run.json"
    record = json.loads(path.read_text())
    for changed, line in (
        (record | {"history": "none"}, 'history is "none", by card and benchmark "own"'),
        (record | {"seed": 7}, "seed is 7, by card and benchmark 0"),
        (record | {"baseline": "x"}, 'baseline is "x", by card and benchmark "bm25"'),
        (record | {"benchmark": record["benchmark"] | {"split": "val"}},
         'benchmark.split is "val", by card and benchmark "test"'),
    ):  # fmt: skip
        path.write_text(json.dumps(changed))
        code, _, err = scored.verify()
        assert code == 1
        assert f'"house/bm25-own": run.json: {line}' in err
    path.write_text("[]")
    assert '"house/bm25-own": "run.json: ' in scored.verify()[2]


def of_scores(err):
    """The lines that are not about the commit of a run's code: the tree may be a changed one."""
    return [line for line in err.splitlines() if not re.search(r'": (commit|run.json names)', line)]


def test_verify_compares_exact_figures_where_labels_are_hidden(ivcr, tmp_path):
    benchmark, submissions = imported(tmp_path, labels="hidden").folder, tmp_path / "submissions"
    folder, where = submissions / "house" / "bm25", ("--benchmark", benchmark)
    folder.parent.mkdir(parents=True)
    assert ivcr("baseline", "run", "bm25", *where, "--history", "own", "--out", folder)[0] == 0
    assert ivcr("score", folder, *where)[0] == 0
    code, out, err = ivcr("leaderboard", "verify", submissions, *where)
    assert (code, out.splitlines()[0], of_scores(err)) == (0, '"house/bm25": 0 differences', [])
    path = folder / "scores.json"
    document = json.loads(path.read_text())
    document["metrics"]["all"]["R@1"] = {"value": 1e-6, "low": 0, "high": 1, "turns": 1,
                                         "dialogues": 1}  # fmt: skip
    path.write_text(json.dumps(document))
    code, _, err = ivcr("leaderboard", "verify", submissions, *where)
    assert code == 1
    assert '"R@1" on "all": value is 1e-06, scored again null' in err


def test_verify_says_at_its_end_what_is_missing(scored):
    house = scored.submissions / "house"
    (house / "bm25-own" / "run.json").unlink()
    (house / "bm25-own" / "scores.outcomes.npz").unlink()
    (house / "bm25-none" / "scores.json").unlink()
    code, _, err = scored.verify()
    assert code == 0
    first, second, third = of_scores(err)
    assert first == '"house/bm25-none": has no scores.json, so nothing was compared'
    assert second.startswith('"house/bm25-own": has no scores.outcomes.npz, so')
    assert third.startswith('"house/bm25-own": has no run.json, although by its card "baselines/')


def test_a_second_build_opens_no_predictions(scored, monkeypatch):
    scored.build()
    before = (scored.site / "index.html").read_bytes()
    open_input, original = [], os.open

    def noted(path, *arguments, **options):
        open_input.append(path)
        return original(path, *arguments, **options)

    monkeypatch.setattr(os, "open", noted)
    assert scored.build()[0] == 0
    assert not [path for path in open_input if "predictions" in str(path)]
    assert (scored.site / "index.html").read_bytes() == before


def test_absent_folders_are_a_failed_environment(ivcr, scored, tmp_path):
    here, absent = tmp_path, tmp_path / "no"
    for submissions, benchmark in ((absent, tmp_path / "toy"), (here, absent)):
        where = ("--benchmark", benchmark, "--out", tmp_path / "out")
        assert ivcr("leaderboard", "build", submissions, *where)[0] == 3
    assert not (tmp_path / "out").exists()


def test_another_level_and_organizers_of_nobody_are_one_line_and_no_site(ivcr, scored):
    where = ("--benchmark", scored.benchmark)
    for command in (("build", "--out", scored.site), ("verify",)):
        code, out, err = ivcr("leaderboard", *command, scored.submissions / "house", *where)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"found a team's folder; name the folder above it: {scored.submissions}" in err
    code, out, err = scored.build("--organizers", "hous")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert 'did you mean "house"?' in err
    assert not scored.site.exists()


def test_every_metric_of_the_harness_is_described():
    described = describe_metrics()
    assert list(described) == list(METRICS)
    assert all(isinstance(metric, MetricInfo) for metric in described.values())
