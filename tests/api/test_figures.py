"""Scores and comparisons are those of the commands, by name."""

import json

import pytest

import harness as ivcr
from tests.comparison.worlds import submit, world

DIALOGUES = [(1, "v0 v1 m1"), (2, "m3 v4"), (1, "v5 c v6"), (7, "v7 v8"), (0, "c"), (3, "v9 v9")]
FIRST = ("111", "11", "1-0", "10", "1", "11")
SECOND = ("101", "01", "1-1", "00", "1", "01")


@pytest.fixture
def two(tmp_path):
    """A benchmark and two submissions to it."""
    benchmark = world(tmp_path, *DIALOGUES)
    folders = [submit(tmp_path / "first", benchmark, *FIRST),
               submit(tmp_path / "second", benchmark, *SECOND)]  # fmt: skip
    return ivcr.open(benchmark.folder), folders


def test_scores_are_those_of_the_command(two, ivcr_command):
    benchmark, (first, _) = two
    scores = ivcr.score(first, benchmark)
    ivcr_command("score", first, "--benchmark", benchmark.folder)
    document = json.loads((first / "scores.json").read_text("utf-8"))
    assert scores.document == document
    for name, cells in document["metrics"].items():
        assert {metric: cell["value"] for metric, cell in cells.items()} == {
            metric: figure.value for metric, figure in scores.slices[name].items()
        }
    figure = scores["R@1"]
    assert figure.value == pytest.approx(7 / 9)
    assert figure.low < figure.value < figure.high
    assert (figure.turns, figure.why, scores.signature) == (9, None, document["signature"])
    assert "R@1              77.78  [" in str(scores)
    scores.write(first / "again.json")
    assert (first / "again.json").read_bytes() == (first / "scores.json").read_bytes()


def test_an_unknown_figure_is_a_key_error_that_names_a_near_one(two):
    benchmark, (first, _) = two
    scores = ivcr.score(first, benchmark)
    assert "R@11" not in scores
    with pytest.raises(KeyError, match=r"no metric 'R@11' .*did you mean R@1") as found:
        scores["R@11"]
    assert isinstance(found.value, ivcr.WrongUsageError)
    with pytest.raises(ivcr.WrongUsageError, match="no slice 'turn=99'"):
        scores.slices["turn=99"]


def test_undefined_figures_say_why(two):
    benchmark, (first, _) = two
    undefined = [each for each in ivcr.score(first, benchmark).values() if each.value is None]
    assert undefined
    assert all(each.why and each.low is None for each in undefined)


def test_tables_of_pandas(two):
    benchmark, folders = two
    scores = ivcr.score(folders[0], benchmark)
    table = scores.to_pandas().set_index(["slice", "metric"])
    assert table.loc[("all", "R@1"), "value"] == scores["R@1"].value
    assert len(table) == sum(map(len, scores.slices.values()))
    compared = ivcr.compare(folders, benchmark)
    rows = compared.to_pandas()
    assert len(rows) == len(compared.differences)
    row = rows[(rows.metric == "R@1") & (rows.slice == "all")].iloc[0]
    assert (row["first"], row["second"]) == ("first", "second")
    assert row["value"] == pytest.approx(2 / 9)


def test_a_comparison_is_that_of_the_command_with_folders_as_names(two, ivcr_command):
    benchmark, folders = two
    compared = ivcr.compare([str(each) for each in folders], benchmark)
    assert compared["R@1"].value == pytest.approx(2 / 9)
    assert (compared["R@1"].first, compared["R@1"].second) == ("first", "second")
    _, out, _ = ivcr_command("compare", *folders, "--benchmark", benchmark.folder)
    assert str(compared).splitlines() == ["A is first", "B is second", *out.splitlines()]
    with pytest.raises(ivcr.WrongUsageError, match="no metric 'R@2'"):
        compared["R@2"]
    with pytest.raises(ivcr.WrongUsageError, match="in a list, found 'first'"):
        ivcr.compare("first", benchmark)


def test_of_three_submissions_differences_are_looked_up_by_pair(two, tmp_path):
    benchmark, folders = two
    third = submit(tmp_path / "deeper" / "first", benchmark._benchmark, *SECOND)
    compared = ivcr.compare([*folders, third], benchmark)
    assert compared.submissions == dict(zip("ABC", map(str, [*folders, third]), strict=True))
    with pytest.raises(ivcr.WrongUsageError, match="expected two submissions, found 3"):
        compared["R@1"]


def test_a_report_is_that_of_the_command(two, ivcr_command):
    benchmark, (first, _) = two
    report = ivcr.validate(str(first), str(benchmark.folder))
    _, out, _ = ivcr_command("validate", first, "--benchmark", benchmark.folder, "--format", "json")
    assert (report.valid, report.answered) == (True, json.loads(out)["answered"])


def test_a_benchmark_tells_its_parts_in_seconds(two):
    benchmark, _ = two
    assert (benchmark.name, benchmark.splits, benchmark.labels()) == ("toy", ("test",), "public")
    assert benchmark.videos["S/1.mp4"].duration == 30.0
    assert len(benchmark.corpus()) == len(benchmark.videos) == 61
    moments = [each.moment for each in benchmark.gold("test") if each.moment is not None]
    assert moments == [(5.0, 15.0)] * 2
    with pytest.raises(ivcr.EnvironmentFailure, match=r"expected a file, found none .no path."):
        benchmark.video_file("S/1.mp4")
    with pytest.raises(ivcr.EnvironmentFailure, match=r"has no video 'S/x.mp4'"):
        benchmark.video_file("S/x.mp4")
    with pytest.raises(ivcr.WrongUsageError, match="expected what `open` returns"):
        ivcr.validate("first", 5)
    with pytest.raises(ivcr.EnvironmentFailure, match="expected a benchmark folder"):
        ivcr.open("nowhere")
