"""ivcr demo: the whole way once, as a newcomer runs it."""

import json
import subprocess
import sys

import pytest

from harness.benchmark import Benchmark
from harness.cli.demo import RUNS, TRAINED, _run, trained
from harness.sources.importing import ImportSettings, import_files
from tests.baselines.conftest import SAMPLES, imported
from tests.baselines.ready import annotate
from tests.conftest import REPOSITORY

IVCR = [sys.executable, "-c", "from harness.cli import main\nif __name__ == '__main__': main()"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder of one demo, and what it printed."""
    out = tmp_path_factory.mktemp("demo") / "demo"
    run = subprocess.run(
        [*IVCR, "demo", "--no-train", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr
    return out, run.stdout


@pytest.mark.slow
def test_the_page_and_its_figures_lie_where_the_demo_says(demo):
    out, printed = demo
    for name in ("site/index.html", "site/leaderboard.json"):
        assert (out / name).is_file()
        assert str(out / name) in printed


def figures(who, metrics, row=None):
    """Who has which figures, as text that can be sorted."""
    names = sorted(row["metrics"] if row else metrics)
    values = {name: metrics[name]["value"] for name in names}
    return json.dumps([who["system"], who["history"], who["candidates"], values])


@pytest.mark.slow
def test_every_run_and_floor_is_on_the_board_with_the_figures_of_its_scores(demo):
    out, _ = demo
    rows = json.loads((out / "site" / "leaderboard.json").read_text())["rows"]
    found = sorted(
        [
            *(out / "submissions").rglob("scores.json"),
            *(out / "benchmark" / "floors").rglob("scores.json"),
        ]
    )
    assert len(found) == len(RUNS) + 18  # six floors, three histories
    assert len(rows) == len(found)
    of_rows = [figures(row, row["metrics"]) for row in rows]
    of_scores = []
    for path in found:
        document = json.loads(path.read_text())
        of_scores.append(figures(document["submission"], document["metrics"]["all"], rows[0]))
    assert sorted(of_rows) == sorted(of_scores)


@pytest.mark.slow
def test_the_board_shows_what_reference_history_gives_away(demo):
    out, _ = demo
    rows = json.loads((out / "site" / "leaderboard.json").read_text())["rows"]
    told = {
        row["history"]: row["metrics"]["R@1"]["value"]
        for row in rows
        if row["system"] == "copy_previous"
    }
    best = max(row["metrics"]["R@1"]["value"] for row in rows if row["system"].startswith("bm25"))
    assert told["none"] is None
    assert told["reference"] > best


@pytest.mark.slow
def test_rendered_videos_are_there_for_every_line_of_the_benchmark(demo):
    out, _ = demo
    benchmark = Benchmark(out / "benchmark").checked()
    assert len(benchmark.videos) >= 520
    assert all((out / "benchmark" / video.path).is_file() for video in benchmark.videos.values())


@pytest.mark.slow
def test_the_shipped_submissions_are_items_and_a_board_of_the_demos_benchmark(demo, ivcr, tmp_path):
    where = ("--benchmark", demo[0] / "benchmark")
    shipped = sorted(map(str, (REPOSITORY / "submissions").glob("*/*")))
    code, out, err = ivcr("items", *shipped, *where)
    assert code == 0, err
    assert out.count(" by ") >= len(shipped) - 1
    assert "a reported card, which has no predictions; passed over" in out
    board = ("leaderboard", "build", REPOSITORY / "submissions", *where, "--out", tmp_path / "site")
    _, out, err = ivcr(*board, "--organizers", "ivcr200k-authors")
    assert not [line for line in err.splitlines() if line.startswith("refused: ")]
    assert out.endswith(" 0 refused\n")


def test_what_the_demo_trains_is_run_and_scored(tmp_path):
    benchmark = imported(tmp_path, filmed=True)
    annotate(benchmark)
    checkpoint = trained(benchmark, tmp_path / "de", steps=2)
    (tmp_path / "de" / "stale").write_text("of an earlier demo")
    assert trained(benchmark, tmp_path / "de", steps=2) == checkpoint
    assert not (checkpoint / "stale").exists()
    _run(benchmark, tmp_path / "runs", *TRAINED, (f"checkpoint={checkpoint}",))
    [scores] = (tmp_path / "runs").rglob("scores.json")
    assert json.loads(scores.read_text())["metrics"]["all"]["R@1"]["value"] is not None


def test_another_benchmark_in_the_place_is_refused(tmp_path):
    file = tmp_path / "toy.json"
    file.write_text(json.dumps(SAMPLES))
    import_files([file], tmp_path / "demo" / "benchmark", ImportSettings("toy"))
    run = subprocess.run(
        [*IVCR, "demo", "--out", str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "expected IVCR-Mini or nothing, found toy" in run.stderr
