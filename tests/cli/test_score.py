"""ivcr score: what it writes and prints, what it refuses, and the same bytes every time."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from harness.benchmark import Benchmark
from harness.files import zstd
from harness.metrics import METRICS
from harness.submission import write
from harness.validation import check
from tests.baselines.conftest import imported


@pytest.fixture
def toy(tmp_path):
    return imported(tmp_path).folder


@pytest.fixture
def run(ivcr, toy, tmp_path):
    """A submission of BM25 on the toy benchmark."""
    folder = tmp_path / "run"
    what = ["bm25", "--benchmark", toy, "--history", "none", "--out", folder]
    assert ivcr("baseline", "run", *what)[0] == 0
    return folder


def test_scores_lie_beside_the_predictions_with_all_metrics_on_all_slices(ivcr, toy, run):
    code, out, _ = ivcr("score", run, "--benchmark", toy)
    document = json.loads((run / "scores.json").read_text())
    assert code == 0
    assert document["signature"] in out
    assert document["benchmark"]["fingerprint"] == Benchmark(toy).header.fingerprint
    assert document["submission"]["sha256"] == check(run, Benchmark(toy)).sha256
    assert document["signature"].startswith("ivcr|v:")
    assert "|hist:none|cand:unused|" in document["signature"]
    assert {"all", "turn=1", "turn=4", "type=0", "language=zh", "source=A", "length=4"} | {
        "target=new",
        "target=repeated",
        "cohort4:turn=1",
    } <= set(document["metrics"])
    turns = {name for name, metric in METRICS.items() if metric.scope == "turn"}
    assert set(document["metrics"]["all"]) == set(METRICS)
    assert set(document["metrics"]["turn=1"]) == set(document["metrics"]["source=A"]) == turns
    assert set(document["metrics"]["type=1"]) == set(document["metrics"]["language=en"])
    assert turns < set(document["metrics"]["type=1"])
    # BM25 finds the cat and the dog of turns 1 and 3 by their English words.
    assert document["metrics"]["turn=1"]["R@1"]["value"] == 1


def test_outcomes_hold_tables_whose_sums_give_every_figure_of_the_scores(ivcr, toy, run):
    ivcr("score", run, "--benchmark", toy)
    document = json.loads((run / "scores.json").read_text())
    cells, defined = document["metrics"]["all"], set()
    with np.load(run / "scores.outcomes.npz", allow_pickle=False) as kept:
        assert str(kept["fingerprint"]) == Benchmark(toy).header.fingerprint
        turns = len(Benchmark(toy).split().turns)
        assert kept["table"].shape[1] == kept["counted"].shape[1] == turns
        for at, name in enumerate(kept["metrics"].tolist()):
            table = kept["table"][kept["start"][at] : kept["start"][at] + kept["rows"][at]]
            assert kept["counted"][at].sum() == cells[name]["turns"]
            if cells[name]["value"] is not None and METRICS[name].average != "median":
                figure = float(METRICS[name].figure(table.sum(axis=1)))
                assert figure == pytest.approx(cells[name]["value"], abs=1e-9)
                assert kept["defined"][at]
                defined.add(name)
    assert {"R@1", "mIoU", "success", "S@2"} <= defined


def test_the_same_submission_gives_the_same_bytes_under_every_hash_seed(toy, run):
    found = set()
    for seed in ("0", "1"):
        command = [sys.executable, "-c", "from harness.cli import main; main()", "score", str(run)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run(
            [*command, "--benchmark", str(toy)], env=environment, check=True, capture_output=True
        )
        found.add((run / "scores.json").read_bytes() + (run / "scores.outcomes.npz").read_bytes())
    assert len(found) == 1


def test_the_order_of_lines_moves_no_figure(ivcr, toy, run, tmp_path):
    with zstd.open(run / "predictions.jsonl.zst") as stream:
        lines = stream.readlines()
    other = tmp_path / "other"
    other.mkdir()
    (other / "card.toml").write_bytes((run / "card.toml").read_bytes())
    (other / "predictions.jsonl").write_bytes(b"".join(reversed(lines)))
    for folder in (run, other):
        assert ivcr("score", folder, "--benchmark", toy)[0] == 0
    one, two = (json.loads((folder / "scores.json").read_text()) for folder in (run, other))
    assert lines != lines[::-1]
    assert one["metrics"] == two["metrics"]


def test_missing_turns_are_refused_unless_partial_and_then_are_wrong(ivcr, toy, run, tmp_path):
    checked = check(run, Benchmark(toy))
    part = tmp_path / "part"
    write(part, checked.card, [given for given in checked.predictions if given.turn != 1])
    code, out, err = ivcr("score", part, "--benchmark", toy)
    assert (code, out) == (1, "")
    assert "not valid, so not scored" in err
    assert not (part / "scores.json").exists()
    assert ivcr("score", part, "--benchmark", toy, "--partial")[0] == 0
    document = json.loads((part / "scores.json").read_text())
    assert document["metrics"]["turn=1"]["R@1"]["value"] == 0
    assert document["signature"].endswith("|partial:3")


def test_partial_still_refuses_wrong_lines(ivcr, toy, run):
    predictions = run / "predictions.jsonl.zst"
    predictions.unlink()
    (run / "predictions.jsonl").write_text('{"dialogue_id": "nobody", "turn": 1}\n')
    assert ivcr("score", run, "--benchmark", toy, "--partial")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["score", "{absent}", "--benchmark", "{toy}"], 3, "expected a submission's folder"),
        (["score", "{run}", "--benchmark", "{absent}"], 3, "expected a benchmark folder"),
        (["score", "{run}", "--benchmark", "{toy}", "--split", "tset"], 3, "no split 'tset'"),
        (["score", "{run}"], 2, "Missing option '--benchmark'"),
        (
            ["score", "{run}", "--benchmark", "{toy}", "--out", "{absent}/a/b"],
            3,
            "cannot be written",
        ),
    ],
    ids=["no submission", "no benchmark", "no split", "usage", "no folder for out"],
)
def test_failures_have_their_exit_code_and_say_why(ivcr, toy, run, tmp_path, arguments, code, says):
    names = {"toy": toy, "run": run, "absent": tmp_path / "absent"}
    found, out, err = ivcr(*(argument.format(**names) for argument in arguments))
    assert found == code
    assert says in err
    assert "Traceback" not in err
    assert out == ""


def test_each_figure_stands_beside_the_best_floor_of_its_kind(ivcr, toy, run):
    _, out, err = ivcr("score", run, "--benchmark", toy)
    assert "best floor" not in out
    assert f"`ivcr baseline run --floors --benchmark {toy}` makes them" in err
    assert ivcr("baseline", "run", "--floors", "--benchmark", toy)[0] == 0
    _, out, err = ivcr("score", run, "--benchmark", toy)
    assert err == ""
    figures = {}
    for name in ("random", "whole_video", "train_prior", "candidates_as_given"):
        path = toy / "floors" / name / "none" / "scores.json"
        document = json.loads(path.read_text()) if path.exists() else None
        if document and document["submission"]["candidates"] == "unused":
            figures[name] = document["metrics"]["all"]["R@1,IoU>=0.5"]["value"]
    best = max(value for value in figures.values() if value is not None)
    line = next(line for line in out.splitlines() if line.startswith("R@1,IoU>=0.5"))
    assert f"best floor: {100 * best:.2f} (" in line
    assert "candidates_as_given" not in out


def test_floors_of_another_benchmark_are_no_floors_and_broken_ones_are_named(ivcr, toy, run):
    ivcr("baseline", "run", "--floors", "--benchmark", toy)
    for path in (toy / "floors").glob("*/none/scores.json"):
        document = json.loads(path.read_text())
        document["benchmark"]["gold_sha256"] = "0" * 64
        path.write_text(json.dumps(document))
    code, out, err = ivcr("score", run, "--benchmark", toy)
    assert (code, "best floor" in out) == (0, False)
    assert "no floor to compare these figures with" in err
    assert f"--benchmark {toy}` makes them in place of those that are there" in err
    (toy / "floors" / "random" / "none" / "scores.json").write_text("{")
    code, _, err = ivcr("score", run, "--benchmark", toy)
    assert code == 3
    assert "expected a floor's scores" in err


def test_hidden_labels_say_for_whom_exact_figures_are(ivcr, toy, tmp_path):
    (tmp_path / "secret").mkdir()
    hidden = imported(tmp_path / "secret", labels="hidden").folder
    sub = tmp_path / "sub"
    for benchmark, said in ((hidden, True), (toy, False)):
        what = ["bm25", "--benchmark", benchmark, "--history", "own", "--out", sub]
        assert ivcr("baseline", "run", *what)[0] == 0
        for protocol in ("ivcr", "official"):
            code, _, err = ivcr("score", sub, "--benchmark", benchmark, "--protocol", protocol)
            assert code == 0
            assert ("this is for the organizers alone" in err) == said
        shutil.rmtree(sub)


def test_hidden_labels_keep_outcomes_to_a_named_place(ivcr, tmp_path):
    hidden = imported(tmp_path, labels="hidden").folder
    sub, named = tmp_path / "sub", tmp_path / "private.npz"
    what = ["bm25", "--benchmark", hidden, "--history", "own", "--out", sub]
    assert ivcr("baseline", "run", *what)[0] == 0
    assert ivcr("score", sub, "--benchmark", hidden)[0] == 0
    assert [path.name for path in sub.glob("*.npz")] == []
    assert ivcr("score", sub, "--benchmark", hidden, "--outcomes", named)[0] == 0
    assert named.is_file()
    cells = json.loads((sub / "scores.json").read_text())["metrics"]["all"]
    assert all(cell["value"] is None for cell in cells.values())


@pytest.mark.parametrize(
    ("out", "outcomes"),
    [
        ("run/card.toml", None),
        ("run/predictions.jsonl.zst", None),
        ("run/predictions.jsonl", None),
        ("run/../run/card.toml", None),
        ("toy/test/gold.jsonl", None),
        ("toy/benchmark.json", None),
        ("one", "one"),
        (None, "run/predictions.jsonl.zst"),
        (None, "run/scores.json"),
    ],
)
def test_scores_never_take_the_place_of_what_they_are_made_of(
    ivcr, toy, run, tmp_path, out, outcomes
):
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    places = [("--out", out), ("--outcomes", outcomes)]
    given = [part for name, to in places if to is not None for part in (name, tmp_path / to)]
    code, _, err = ivcr("score", run, "--benchmark", toy, *given)
    assert (code, "place of its own" in err) == (2, True)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("out", ["", ".", "..", "/"])
def test_a_folder_is_no_place_for_scores(ivcr, toy, run, out):
    code, _, err = ivcr("score", run, "--benchmark", toy, "--out", out)
    assert (code, "found a folder" in err) == (3, True)


def test_metrics_are_listed_with_formula_range_and_source(ivcr):
    code, out, _ = ivcr("metrics")
    assert code == 0
    for metric in METRICS.values():
        assert f"{metric.name}: {metric.formula}" in out
        assert metric.source in out
