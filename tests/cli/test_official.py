"""ivcr score --protocol official, ivcr audit and submission convert official, as commands."""

import json

import pytest

from harness.benchmark import Benchmark
from harness.validation import check
from tests.baselines.conftest import SAMPLES, imported


@pytest.fixture
def toy(tmp_path):
    # The official scorer cannot read entries of chat dialogues in between, so they stay out.
    return imported(tmp_path, [sample for sample in SAMPLES if sample["type"] != [0]]).folder


@pytest.fixture
def result(tmp_path):
    """A result file for the first prefix of the first dialogue alone: one item of several."""
    path = tmp_path / "result.json"
    path.write_text(json.dumps([{"user_q": "a sleeping cat", "output": "It is video 1."}]))
    return path


def test_a_result_file_needs_a_place_for_its_scores(ivcr, toy, result, tmp_path):
    arguments = ["score", result, "--protocol", "official", "--benchmark", toy]
    code, _, err = ivcr(*arguments)
    assert (code, "--out" in err) == (2, True)
    out = tmp_path / "official.json"
    assert ivcr(*arguments, "--out", out)[0] == 0
    document = json.loads(out.read_text())
    assert document["protocol"] == "official"
    assert document["submission"]["team"] is None
    assert (document["submission"]["history"], document["submission"]["candidates"]) == (
        "reference",
        "used",
    )
    assert set(document["metrics"]["all"]) == {
        "R@1", "R@1,IoU>=0.3", "R@1,IoU>=0.5", "R@1,IoU>=0.7",
    }  # fmt: skip


def test_official_scores_of_a_submission_leave_its_scores_as_they_are(ivcr, toy, result, tmp_path):
    sub = tmp_path / "sub"
    assert (
        ivcr("submission", "convert", "official", result, "--benchmark", toy, "--out", sub)[0] == 0
    )
    assert ivcr("score", sub, "--benchmark", toy)[0] == 0
    before = (sub / "scores.json").read_bytes()
    assert ivcr("score", sub, "--benchmark", toy, "--protocol", "official")[0] == 0
    assert (sub / "scores.json").read_bytes() == before
    assert json.loads((sub / "scores.official.json").read_text())["protocol"] == "official"


@pytest.mark.parametrize("command", [("score", "--protocol", "official"), ("audit",)])
def test_a_result_file_is_never_written_over(ivcr, toy, result, command):
    name, *options = command
    before = result.read_bytes()
    code, _, err = ivcr(name, result, *options, "--benchmark", toy, "--out", result)
    assert (code, "place of its own" in err) == (2, True)
    assert result.read_bytes() == before


def test_options_of_the_other_protocol_are_refused(ivcr, toy, result):
    arguments = ["score", result, "--protocol", "official", "--benchmark", toy]
    assert ivcr(*arguments, "--partial")[0] == 2


def test_golden_files_give_the_official_counts(ivcr, shared, tmp_path):
    data, out = shared / "data", tmp_path / "benchmark"
    meta = data / "charades-ivcr.test.videos.json.gz"
    what = [data / "charades-ivcr.test.json.gz", "--videos", meta, "--out", out]
    assert ivcr("data", "import", *what)[0] == 0
    for name in ("1-plain", "2-messy", "3-prefixed"):
        scores = tmp_path / f"{name}.json"
        result = shared / "golden" / f"{name}.result.json.gz"
        place = ["--benchmark", out, "--out", scores]
        assert ivcr("score", result, "--protocol", "official", *place)[0] == 0
        expected = json.loads((shared / "golden" / f"{name}.expected.json").read_text())
        figures = json.loads(scores.read_text())["metrics"]
        for metric in ("R@1", "R@1,IoU>=0.3", "R@1,IoU>=0.5", "R@1,IoU>=0.7"):
            assert 100 * figures["all"][metric]["value"] == pytest.approx(
                expected[metric], rel=1e-9
            )
        for turn, counts in expected["turns"].items():
            cell = figures[f"turn={turn}"]["R@1"]
            assert cell["turns"] == counts["vr_all"]
            assert round(cell["value"] * cell["turns"]) == counts["vr_right"]


def test_a_converted_result_file_is_a_valid_submission(ivcr, toy, result, tmp_path):
    sub = tmp_path / "sub"
    code, _, err = ivcr(
        "submission", "convert", "official", result, "--benchmark", toy, "--out", sub
    )
    assert code == 0, err
    checked = check(sub, Benchmark(toy))
    assert checked.report.errors == 0, checked.report.problems
    assert checked.report.abstentions > 0


def test_audit_prints_both_figures(ivcr, toy, result):
    code, out, _ = ivcr("audit", result, "--benchmark", toy)
    assert code == 0
    assert "official" in out
    assert "sound over all turns" in out
