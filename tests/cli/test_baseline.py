"""ivcr baseline: what it writes, prints and refuses."""

import json
import shutil
import sys
import tomllib

import pytest

from baselines.registry import all_baselines
from baselines.running import provenance, runner
from baselines.running.journal import Journal
from baselines.running.views import view
from harness.benchmark import Benchmark
from harness.records import HISTORIES
from harness.scoring import score_to_files
from harness.untrusted import open_input
from harness.validation import check
from leaderboard.site.publish import build_site
from tests.baselines.conftest import SAMPLES, Ready, imported
from tests.baselines.ready import arguments

FILES = ("card.toml", "predictions.jsonl.zst", "run.json")
FLOORS = [entry.name for entry in all_baselines() if entry.kind == "floor"]


@pytest.fixture
def ivcr(ivcr):
    """Run a command of `ivcr baseline`."""
    return lambda *arguments: ivcr("baseline", *arguments)


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """By name the settings with which a baseline runs on the toy benchmark."""
    return Ready(tmp_path_factory)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """No test keeps features in the user's folder; all share one."""
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def toy(tmp_path):
    return imported(tmp_path, filmed=True).folder


def lines(submission):
    with open_input(submission / "predictions.jsonl.zst") as stream:
        return [json.loads(line) for line in stream.read().splitlines()]


def same(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in FILES)


def test_list_shows_every_baseline_and_what_it_needs(ivcr):
    code, out, _ = ivcr("list")
    assert code == 0
    lines = out.splitlines()
    for entry in all_baselines():
        (at,) = (at for at, line in enumerate(lines) if line.split()[0] == entry.name)
        assert lines[at].endswith(entry.summary)
        assert lines[at + 1].strip().startswith("needs ")
    first = next(at for at, line in enumerate(lines) if line.split()[0] == "bm25")
    assert lines[first + 1].strip() == "needs text of the videos"


@pytest.mark.parametrize("name", ["dual_encoder", "interllava"])
def test_what_only_annotated_events_can_train_says_so(ivcr, name):
    code, out, _ = ivcr("list")
    lines = out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.split()[0] == name)
    assert (code, "annotated events" in lines[at + 1].partition("training needs")[2]) == (0, True)
    code, out, _ = ivcr("info", name)
    (training,) = (line for line in out.splitlines() if line.startswith("training     "))
    assert (code, "annotated events" in training) == (0, True)


def test_run_writes_a_submission_that_a_strangers_checks_accept(ivcr, toy, tmp_path):
    sub = tmp_path / "sub"
    what = ["bm25", "--history", "own", "--set", "context=decayed"]
    code, out, _ = ivcr("run", *what, "--benchmark", toy, "--out", sub)
    assert (code, out) == (0, f"{sub}\n")
    checked = check(sub, Benchmark(toy))
    assert (checked.report.valid, checked.report.warnings) == (True, 0)
    card = tomllib.loads((sub / "card.toml").read_text("utf-8"))
    assert (card["system"], card["history"], card["code"]) == (
        "bm25", "own", "baselines/retrievers/bm25.py",
    )  # fmt: skip
    assert (card["variant"], card["settings"]) == ("context=decayed", {"context": "decayed"})
    assert lines(sub)[0]["videos"] == ["A/cat.mp4"]
    record = json.loads((sub / "run.json").read_text("utf-8"))
    assert (record["schema"], record["baseline"], record["settings"]["context"]) == (
        1, "bm25", "decayed",
    )  # fmt: skip
    assert [path.name for path in tmp_path.glob("sub*")] == ["sub"]


def test_the_folder_that_one_stands_in_can_take_the_submission(ivcr, toy, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    what = ["run", "random", "--benchmark", toy, "--history", "own", "--out"]
    assert ivcr(*what, ".")[0] == 0
    found = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert found == sorted((*FILES, "environment.json"))
    assert [path.name for path in tmp_path.glob("here*")] == ["here"]
    code, _, err = ivcr(*what, "/")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "name a folder inside it" in err


def test_same_run_same_bytes(ivcr, toy, tmp_path):
    for name in ("one", "two"):
        ivcr("run", "random", "--benchmark", toy, "--history", "own", "--out", tmp_path / name)
    assert same(tmp_path / "one", tmp_path / "two")


def test_floors_fill_the_benchmark_and_can_be_run_again(ivcr, toy):
    stale = toy / "floors" / "random" / "own" / "scores.json"
    for _ in range(2):
        code, _, err = ivcr("run", "--floors", "--benchmark", toy)
        assert (code, "skipped" in err) == (0, False)
        made = {path.parent for path in (toy / "floors").rglob("card.toml")}
        assert made == {toy / "floors" / name / h for name in FLOORS for h in HISTORIES}
        assert json.loads(stale.read_text())["protocol"] == "ivcr"
        stale.write_text("{}")
    assert Benchmark(toy).checked().header.name == "toy"


def test_floors_that_the_benchmark_cannot_give_are_skipped_with_a_note(ivcr, tmp_path):
    test_alone = [sample for sample in SAMPLES if sample["split"] == "test"]
    folder = imported(tmp_path, test_alone, labels="hidden").folder
    code, _, err = ivcr("run", "--floors", "--benchmark", folder)
    assert code == 0
    assert "train_prior, history own: skipped: " in err
    assert "random, history reference: skipped: " in err
    made = {path.parent for path in (folder / "floors").rglob("card.toml")}
    rest = [name for name in FLOORS if name != "train_prior"]
    assert made == {folder / "floors" / name / h for name in rest for h in ("none", "own")}


def test_an_answer_that_cannot_be_read_leaves_no_submission(ivcr, toy, tmp_path):
    shutil.rmtree(toy / "train")
    code, _, err = ivcr(
        "run", "train_prior", "--benchmark", toy, "--history", "own", "--out", tmp_path / "sub"
    )
    assert (code, len(err.splitlines())) == (3, 1)
    assert not (tmp_path / "sub").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["run", "bm52", "--history", "own", "--out", "SUB"], 2, "did you mean bm25"),
        (["run", "bm25", "--history", "own"], 2, "found no --out"),
        (["run", "--history", "own", "--out", "SUB"], 2, "found no NAME"),
        (["run", "random", "--floors"], 2, "--floors runs all floors"),
        (["run", "bm25", "--history", "own", "--out", "TOY"], 2, "not an empty folder"),
        (["run", "bm25", "--history", "own", "--out", "SUB", "--set", "contex=all"], 2, "context"),
        (["run", "bm25", "--history", "own", "--out", "SUB", "--split", "dev"], 3, "no split"),
        (["run", "bm25", "--history", "none", "--out", "SUB", "--set", "context=all"], 2, "none"),
        (["run", "clip", "--history", "own", "--out", "SUB", "--set", "checkpoint=/no"], 3, "/no"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_one_line(
    ivcr, toy, tmp_path, arguments, code, expected
):
    places = {"SUB": tmp_path / "sub", "TOY": toy}
    found, out, err = ivcr(*(places.get(a, a) for a in arguments), "--benchmark", toy)
    assert (found, out) == (code, "")
    assert expected in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "sub").exists()


def test_hidden_labels_refuse_reference_history(ivcr, tmp_path):
    folder = imported(tmp_path, labels="hidden").folder
    code, _, err = ivcr(
        "run", "bm25", "--benchmark", folder, "--history", "reference", "--out", tmp_path / "sub"
    )
    assert (code, len(err.splitlines())) == (3, 1)
    assert "take own or none" in err


def test_a_run_names_its_pair_in_the_card(ivcr, toy, tmp_path):
    sub = tmp_path / "own"
    what = ["bm25", "--history", "own", "--pair", "team/reference"]
    assert ivcr("run", *what, "--benchmark", toy, "--out", sub)[0] == 0
    assert tomllib.loads((sub / "card.toml").read_text("utf-8"))["pair"] == "team/reference"


@pytest.mark.parametrize(("history", "entry"), [
    pytest.param(
        history, entry, id=f"{history}-{entry.name}",
        # The slowest has one history here and all in `make test-long`.
        marks=[pytest.mark.long] if entry.name == "interllava" and history != "own" else [],
    )
    for history in HISTORIES for entry in all_baselines()
])  # fmt: skip
def test_every_baseline_is_valid_and_says_the_same_without_the_test_gold(
    ivcr, toy, tmp_path, ready, entry, history
):
    what = ["run", entry.name, *arguments(ready(entry.name)), "--benchmark", toy]
    what += ["--history", history, "--out"]
    code, _, err = ivcr(*what, tmp_path / "with")
    assert code == 0, err
    assert check(tmp_path / "with", Benchmark(toy)).report.errors == 0
    (toy / "test" / "gold.jsonl").unlink()
    shutil.rmtree(toy / "source")
    if history != "reference":  # which is made of these
        (toy / "test" / "reference.jsonl").unlink()
    assert ivcr(*what, tmp_path / "without")[0] == 0
    assert same(tmp_path / "with", tmp_path / "without")


def test_a_library_that_is_not_installed_is_named_in_one_line(ivcr, toy, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bm25s", None)
    monkeypatch.delitem(sys.modules, "baselines.retrievers.bm25", raising=False)
    what = ["bm25", "--benchmark", toy, "--history", "own", "--out", tmp_path / "sub"]
    code, out, err = ivcr("run", *what)
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert "needs bm25s, which is not installed; `pip install 'ivcr-harness[baselines]'`" in err


class CutOff:
    """Ends a run, in batches of two turns, before it keeps its third batch."""

    def __init__(self, monkeypatch, error):
        monkeypatch.setattr(runner, "BATCH", 2)
        self._patch, self._error, self._kept = monkeypatch, error, 0

    def __enter__(self):
        keep = Journal.add

        def cut_off(journal, batch, usage):
            if self._kept == 2:
                raise self._error
            self._kept += 1
            keep(journal, batch, usage)

        self._undo = keep
        self._patch.setattr(Journal, "add", cut_off)

    def __exit__(self, *ended):
        self._patch.setattr(Journal, "add", self._undo)


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [(KeyboardInterrupt(), 130, "interrupted"), (SystemExit(143), 143, "terminated")],
)
def test_a_run_that_is_cut_off_says_how_to_go_on(
    ivcr, toy, tmp_path, monkeypatch, error, code, word
):
    what = ["run", "random", "--benchmark", toy, "--history", "own", "--out"]
    with CutOff(monkeypatch, error):
        found, out, err = ivcr(*what, tmp_path / "cut")
    assert (found, out, len(err.splitlines())) == (code, "", 1)
    assert f"ivcr: {word}; {tmp_path}/cut.run: keeps what was answered" in err
    assert not (tmp_path / "cut").exists()


@pytest.mark.parametrize("entry", all_baselines(), ids=lambda entry: entry.name)
def test_every_baseline_goes_on_after_a_cut_to_the_same_bytes(
    ivcr, toy, tmp_path, monkeypatch, ready, entry
):
    what = ["run", entry.name, *arguments(ready(entry.name)), "--benchmark", toy]
    what += ["--history", "own", "--out"]
    assert ivcr(*what, tmp_path / "whole")[0] == 0
    with CutOff(monkeypatch, SystemExit(143)):
        assert ivcr(*what, tmp_path / "cut")[0] == 143
    [journal] = (tmp_path / "cut.run").iterdir()
    assert len(journal.read_bytes().splitlines()) == 3, "a head and two batches"
    assert ivcr(*what, tmp_path / "cut")[0] == 0
    assert same(tmp_path / "cut", tmp_path / "whole")
    assert not (tmp_path / "cut.run").exists()


def test_what_older_code_has_answered_is_not_gone_on_with(ivcr, toy, tmp_path, monkeypatch):
    code = tmp_path / "baselines"
    shutil.copytree(provenance._CODE, code, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "_CODE", code)
    what = ["run", "bm25", "--benchmark", toy, "--history", "own", "--out", tmp_path / "cut"]
    with CutOff(monkeypatch, SystemExit(143)):
        ivcr(*what)
    (code / "ranking.py").write_text((code / "ranking.py").read_text("utf-8") + "\n")
    found, out, err = ivcr(*what)
    assert (found, out, len(err.splitlines())) == (2, "", 1)
    assert "holds answers of another run" in err
    assert "code" in err
    shutil.rmtree(tmp_path / "cut.run")
    assert ivcr(*what)[0] == 0


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/-2"])
def test_a_shard_is_one_of_so_many(ivcr, toy, tmp_path, shard):
    what = ["bm25", "--history", "own", "--benchmark", toy, "--out", tmp_path / "sub"]
    code, _, err = ivcr("run", *what, "--shard", shard)
    assert code == 2
    assert "expected K/N" in err


def test_features_are_kept_where_the_user_says(ivcr, toy, tmp_path, monkeypatch):
    seen = []

    def noted(*known, **more):
        seen.append(known[-1].cache)
        return view(*known, **more)

    monkeypatch.setattr(runner, "view", noted)
    what = ["run", "bm25", "--benchmark", toy, "--history", "own", "--out"]
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "env"))
    ivcr(*what, tmp_path / "1")
    monkeypatch.delenv("IVCR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    ivcr(*what, tmp_path / "2")
    ivcr(*what, tmp_path / "3", "--cache", tmp_path / "here")
    assert seen == [tmp_path / "env", tmp_path / "user" / "ivcr", tmp_path / "here"]


def test_a_run_with_its_record_is_scored_and_ranked(ivcr, toy, tmp_path):
    sub = tmp_path / "submissions" / "team" / "run"
    what = ["bm25", "--benchmark", toy, "--history", "own", "--out", sub]
    assert ivcr("run", *what)[0] == 0
    score_to_files(sub, Benchmark(toy), "test")
    build_site(tmp_path / "submissions", toy, tmp_path / "site")
    board = json.loads((tmp_path / "site" / "leaderboard.json").read_text("utf-8"))
    assert "bm25" in [row["system"] for row in board["rows"]]
