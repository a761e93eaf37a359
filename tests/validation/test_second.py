"""A second core changes the time, never the report."""

import os
import random

import pytest

from harness.benchmark import Benchmark
from harness.validation import check
from harness.validation.reading import second_core
from tests.bench.validation import made

LINES = 400


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    benchmark, submission = made(tmp_path_factory.mktemp("second"), LINES)
    return Benchmark(benchmark), submission, (submission / "predictions.jsonl").read_bytes()


@pytest.fixture
def cores(monkeypatch):
    """A switch between one core and two, which gives what a second core vouched for."""
    vouched = []
    plain = second_core.Second.result
    monkeypatch.setattr(second_core, "SMALLEST", 1)
    monkeypatch.setattr(
        second_core.Second, "result", lambda self: vouched.append(plain(self)) or vouched[-1]
    )

    def use(number):
        monkeypatch.setattr(second_core, "_may_fork", lambda: number > 1)
        return vouched

    return use


def changed(data, number, edit):
    rows = data.splitlines(keepends=True)
    rows[number] = edit(rows[number])
    return b"".join(rows)


def shuffled(data):
    rows = data.splitlines(keepends=True)
    random.Random(3).shuffle(rows)
    return b"".join(rows)


CASES = {
    "valid": (lambda data: data, True),
    "shuffled": (shuffled, True),
    "without the last newline": (lambda data: data[:-1], True),
    "problem in the first half": (lambda d: changed(d, 3, lambda r: b"{}\n"), True),
    "turns missing in the second half": (lambda d: d[: len(d) * 3 // 4].rpartition(b"\n")[0], True),
    "problem in the second half": (lambda d: changed(d, 390, lambda r: b"{}\n"), False),
    "CR LF at the end": (lambda d: changed(d, 399, lambda r: r[:-1] + b"\r\n"), False),
    "blank line in the second half": (lambda d: changed(d, 399, lambda r: r + b"\n"), False),
    "turn answered in both halves": (lambda d: changed(d, 399, lambda r: d.splitlines()[0]), True),
    "turn answered twice in the second half": (lambda d: changed(d, 399, lambda r: r + r), False),
    "all in one line": (lambda d: d.replace(b"\n", b" "), None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_report_is_the_same_with_one_core_and_with_two(case, places, cores):
    benchmark, submission, data = places
    edit, vouches = CASES[case]
    (submission / "predictions.jsonl").write_bytes(edit(data))
    cores(1)
    alone = check(submission, benchmark, keep=False).report
    found = cores(2)
    assert check(submission, benchmark, keep=False).report == alone
    assert [given is not None for given in found] == ([] if vouches is None else [vouches])


def test_second_core_that_dies_changes_nothing(places, cores, monkeypatch):
    benchmark, submission, data = places
    (submission / "predictions.jsonl").write_bytes(data)
    found = cores(2)
    monkeypatch.setattr(second_core, "_vouched", lambda *a: os.kill(os.getpid(), 9))
    report = check(submission, benchmark, keep=False).report
    assert (report.valid, report.answered, found) == (True, LINES, [None])


def test_small_files_are_left_to_one_core(places, monkeypatch):
    benchmark, submission, data = places
    (submission / "predictions.jsonl").write_bytes(data)
    monkeypatch.setattr(second_core, "Second", None)  # calling it would fail
    assert check(submission, benchmark, keep=False).report.valid
