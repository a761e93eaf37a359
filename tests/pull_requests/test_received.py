"""Reports of an untrusted job: read within bounds, by the published schema, or refused."""

import io
import json
import zipfile

import pytest

from harness.errors import SubmissionError
from harness.files import readable
from harness.pull_requests.change_report import report_json
from harness.pull_requests.comment import comment, figure_lines, shows_figures
from harness.pull_requests.received import agreement, read_report
from tests.baselines.conftest import imported
from tests.pull_requests.test_comment import report_with
from tests.pull_requests.trees import BASE, HONEST, changed


@pytest.fixture
def report(checked):
    return checked(changed(BASE, HONEST), number=7)


def archive(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name.replace("__", "/").replace("_json", ".json"), data)
    return stream.getvalue()


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_is_read_again(packed, report, tmp_path):
    data = readable(report_json(report))
    path = tmp_path / "report"
    path.write_bytes(archive(pr_check_json=data, comment_md=b"x") if packed else data)
    assert read_report(path) == report
    assert comment(read_report(path)) == comment(report)


CHANGES = [
    {"verdict": "fine"}, {"schema": 2}, {"number": "7; rm -rf /"}, {"number": 0}, {"number": 1.5},
    {"head": "HEAD; id"}, {"head": "a" * 41}, {"team": {"folder": "x"}}, {"extra": 1},
    {"runs": [{}] * 51}, {"findings": [{}] * 1001}, {"findings": [{"code": "x"}]},
    {"totals": {"<b>": 1}}, {"files": -1}, {"bytes": 1e300}, {"split": "../x"}, {"runs": None},
    {"totals": {f"c{'x' * n}": 1 for n in range(101)}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=repr)
def test_another_document_is_refused(change, report, tmp_path):
    path = tmp_path / "report.json"
    path.write_bytes(json.dumps(report_json(report) | change).encode())
    with pytest.raises(SubmissionError, match="run the check of the pull request again"):
        read_report(path)


@pytest.mark.parametrize("data", [
    b"", b"null", b"[]", b"{}", b"[" * 100_000, b'{"a":' * 100_000, b"PK\x03\x04", b"PK",
    archive(other_json=b"{}"), archive(**{f"f{n}": b"" for n in range(20)}),
    archive(pr_check_json=b" " * (2 << 20)), b" " * (1 << 20) + b"{}", b"\xff\xfe",
    archive(pr_check_json=b"{}")[:-5], archive(__etc__pr_check_json=b"{}"),
], ids=range(15))  # fmt: skip
def test_broken_and_huge_files_are_refused(data, tmp_path):
    path = tmp_path / "report.zip"
    path.write_bytes(data)
    with pytest.raises(SubmissionError):
        read_report(path)


def test_a_link_out_is_not_followed(report, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "report").write_bytes(readable(report_json(report)))
    (tmp_path / "in" / "link").symlink_to(tmp_path / "report")
    with pytest.raises(SubmissionError, match="link out"):
        read_report(tmp_path / "in" / "link")


def test_a_forged_verdict_is_named(report):
    assert agreement(report, report) == ()
    (sentence,) = agreement(report, report_with("x"))
    assert "reported something else" in sentence


def test_the_number_is_printed_and_the_file_written_anew(report, tmp_path, ivcr):
    source, target = tmp_path / "a.json", tmp_path / "b.json"
    source.write_bytes(json.dumps(report_json(report)).encode())
    assert ivcr("pr", "read", source, "--json", target) == (0, "7\n", "")
    assert target.read_bytes() == readable(report_json(report))
    source.write_bytes(json.dumps(report_json(report) | {"number": None}).encode())
    code, out, err = ivcr("pr", "read", source, "--json", target)
    assert (code, out) == (1, "")
    assert "names no pull request" in err


@pytest.mark.parametrize(("labels", "shown"), [("public", True), ("hidden", False)])
def test_figures_are_shown_where_labels_are_public(labels, shown, tmp_path):
    assert shows_figures(imported(tmp_path, labels=labels).folder) is shown
    assert not shows_figures(None)


def test_figures_come_from_our_own_scores(report, tmp_path, ivcr):
    cells = {"R@1": cell(0.12345, 100), "MRR": cell(0.5, 29), "mIoU": {"value": None, "why": "x"}}
    scores = {
        "schema": 1, "signature": "ivcr", "protocol": "ivcr",
        "benchmark": {"name": "b", "version": "1", "fingerprint": "0" * 64, "gold_sha256": "0" * 64,
                      "split": "test"},
        "submission": {"team": "t", "system": "s", "history": "own", "candidates": "used",
                       "sha256": "0" * 64},
        "metrics": {"all": cells},
    }  # fmt: skip
    path = tmp_path / "scores" / "gamma" / "run1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(scores))
    assert figure_lines(report, tmp_path / "scores") == {"run1": ["figures in per cent: R@1 12.35"]}
    source, out = tmp_path / "r.json", tmp_path / "c.md"
    source.write_bytes(readable(report_json(report)))
    command = ("pr", "comment", source, "--scores", tmp_path / "scores", "--out", out)
    benchmark = imported(tmp_path).folder
    assert ivcr(*command, "--benchmark", benchmark)[0] == 0
    assert "R@1 12.35" in out.read_text()
    assert ivcr(*command)[0] == 0
    assert "R@1" not in out.read_text()
    assert "It was scored" in out.read_text()


def cell(value, turns):
    return {"value": value, "low": value, "high": value, "turns": turns, "dialogues": turns}
