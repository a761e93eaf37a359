"""Every rule in an otherwise valid submission: its code, its line, and nothing else."""

import json
import os
from pathlib import Path

import pytest

from harness.files import readable
from harness.validation import RULES, check
from harness.validation.reading import predictions, source
from tests.validation.bad import BAD
from tests.validation.samples import write_submission

REPORTS = Path(__file__).with_name("reports.json")


def test_every_rule_has_a_bad_example():
    assert sorted(BAD) == sorted(RULES)


def during(event):
    """Reads chunks, and lets something happen after each."""

    def read_chunks(*arguments):
        for chunk in source.read_chunks(*arguments):
            event()
            yield chunk

    return read_chunks


def report_of(code, folder, benchmark, monkeypatch):
    write_submission(folder)
    bad = BAD[code]
    bad.do(folder)
    if bad.meanwhile is not None:
        monkeypatch.setattr(predictions, "read_chunks", during(lambda: bad.meanwhile(folder)))
    report = check(folder, benchmark, keep=False).report
    monkeypatch.undo()
    return report


@pytest.mark.parametrize("code", sorted(BAD))
def test_bad_example_is_found_where_it_is_and_nothing_else(code, tmp_path, small, monkeypatch):
    report = report_of(code, tmp_path / "sub", small, monkeypatch)
    bad = BAD[code]
    expected = {code: bad.missing if code == "T100" else 1, **bad.also}
    if bad.missing:
        expected["T100"] = bad.missing
    assert report.totals == expected
    assert [problem.line for problem in report.problems if problem.code == code] == [bad.line]
    assert all(problem.line is None for problem in report.problems if problem.code == "T100")
    errors = sum(n for c, n in report.totals.items() if RULES[c].severity == "error")
    assert (report.valid, report.errors) == (errors == 0, errors)
    assert report.warnings == sum(report.totals.values()) - errors


@pytest.mark.parametrize("code", sorted(BAD))
def test_whole_report_of_the_bad_example(code, tmp_path, small, monkeypatch):
    report = report_of(code, tmp_path / "sub", small, monkeypatch)
    assert json.loads(readable(report)) == json.loads(REPORTS.read_bytes())[code]


def rewrite():
    """Write the reports anew: `python -m tests.validation.test_rules`; read the difference."""
    import tempfile

    from harness.benchmark import Benchmark
    from tests.validation.samples import write_benchmark

    with tempfile.TemporaryDirectory() as scratch:
        small = Benchmark(write_benchmark(Path(scratch) / "benchmark"))
        reports = {
            code: json.loads(
                readable(report_of(code, Path(scratch) / code, small, pytest.MonkeyPatch()))
            )
            for code in BAD
        }
    REPORTS.write_bytes(readable(reports))


if __name__ == "__main__":
    os.umask(0o022)
    rewrite()
