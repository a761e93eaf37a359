"""Statements: what they say, what they are compared with, and which kinds are refused."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness import scoring
from harness.attestation import check_statement, read_statement, statement_bytes
from harness.attestation.making import statement_of
from harness.errors import SubmissionError
from harness.submission import STARTER, write
from harness.validation.inspection import summarise
from tests.baselines.conftest import SAMPLES, imported

PLACE = Path("statement.json")


def test_a_statement_names_the_bytes_of_the_scores_and_of_the_submission(attested, tmp_path):
    copy = shutil.copytree(attested.submission, tmp_path / "sub")
    scoring.score_to_files(copy, attested.benchmark)
    document = json.loads((copy / "scores.json").read_text("utf-8"))
    found = attested.statement
    assert found.scores_sha256 == hashlib.sha256((copy / "scores.json").read_bytes()).hexdigest()
    assert found.submission_sha256 == document["submission"]["sha256"]
    assert found.submission_sha256 == summarise(attested.submission).sha256
    assert found.signature == document["signature"]
    header = attested.benchmark.header
    assert found.benchmark.fingerprint == header.fingerprint
    assert found.benchmark.gold_sha256 == header.gold_sha256["test"]


def test_a_scores_file_beside_the_submission_counts_for_nothing(attested, tmp_path):
    copy = shutil.copytree(attested.submission, tmp_path / "sub")
    (copy / "scores.json").write_text('{"metrics": {"all": {"R@1": {"value": 0.9}}}}')
    assert statement_of(copy, attested.benchmark) == attested.statement


def test_it_is_an_in_toto_statement(attested):
    document = json.loads(statement_bytes(attested.statement))
    assert set(document) == {"_type", "subject", "predicateType", "predicate"}
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert [subject["name"] for subject in document["subject"]] == ["submission", "scores.json"]
    assert all(set(each["digest"]) == {"sha256"} for each in document["subject"])


def test_a_statement_is_read_as_it_was_written(attested):
    for statement in (attested.statement, replace(attested.statement, expires="2030-01-01")):
        assert read_statement(statement_bytes(statement), PLACE) == statement


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d | {"_type": "https://in-toto.io/Statement/v0.1"}, "_type: expected"),
        (lambda d: d | {"_type": "https://in-toto.io/Link/v1"}, "_type: expected"),
        (lambda d: d | {"predicateType": "https://slsa.dev/provenance/v1"}, "predicateType: exp"),
        (lambda d: d | {"predicateType": "urn:ivcr:attestation:2:scores"}, "predicateType: exp"),
        (lambda d: {k: v for k, v in d.items() if k != "subject"}, "expected a statement about"),
        (lambda d: d | {"subject": []}, "expected the subjects"),
        (lambda d: d | {"subject": d["subject"][:1]}, "expected the subjects"),
        (lambda d: d | {"subject": [{"name": "submission", "digest": {}}] * 2}, "the subjects"),
        (lambda d: d | {"subject": [{"name": "x", "digest": {"md5": "0"}}]}, "about scores"),
        (lambda d: d | {"predicate": {}}, "expected a statement about scores"),
        (lambda d: [d], "expected a statement"),
    ],
)
def test_other_kinds_of_statements_are_refused(attested, change, why):
    document = change(json.loads(statement_bytes(attested.statement)))
    with pytest.raises(SubmissionError, match=why):
        read_statement(json.dumps(document).encode(), PLACE)


def test_what_is_at_hand_is_compared(attested):
    sub, folder = attested.submission, attested.benchmark.folder
    assert check_statement(attested.statement) == []
    assert len(check_statement(attested.statement, submission=sub)) == 1
    assert len(check_statement(attested.statement, benchmark=folder)) == 1
    assert len(check_statement(attested.statement, submission=sub, benchmark=folder)) == 3


def test_another_submission_is_refused(attested, tmp_path):
    copy = shutil.copytree(attested.submission, tmp_path / "sub")
    (copy / "card.toml").write_text((copy / "card.toml").read_text() + "\n")
    with pytest.raises(SubmissionError, match=r"SHA-256: expected .* it is about another one"):
        check_statement(attested.statement, submission=copy)


def test_another_benchmark_and_other_gold_are_refused(attested, tmp_path):
    other = imported(tmp_path, SAMPLES[:1])
    with pytest.raises(SubmissionError, match="fingerprint: expected"):
        check_statement(attested.statement, benchmark=other.folder)
    copy = shutil.copytree(attested.benchmark.folder, tmp_path / "copy")
    gold = copy / "test" / "gold.jsonl"
    gold.write_text(gold.read_text("utf-8").replace("2.5", "2.6"), "utf-8")
    header = json.loads((copy / "benchmark.json").read_text("utf-8"))
    header["gold_sha256"]["test"] = hashlib.sha256(gold.read_bytes()).hexdigest()
    (copy / "benchmark.json").write_text(json.dumps(header))
    with pytest.raises(SubmissionError, match="hash of the gold of test: expected"):
        check_statement(attested.statement, benchmark=copy)


def test_scores_that_are_not_what_comes_out_are_refused(attested):
    forged = replace(attested.statement, scores_sha256="0" * 64)
    with pytest.raises(SubmissionError, match=r"scores \(by version .*: expected"):
        check_statement(forged, submission=attested.submission, benchmark=attested.benchmark.folder)


def test_a_statement_of_a_split_that_is_not_here_is_refused(attested):
    about = replace(attested.statement.benchmark, split="../test")
    with pytest.raises(SubmissionError, match="hash of the gold"):
        check_statement(
            replace(attested.statement, benchmark=about), benchmark=attested.benchmark.folder
        )


def test_a_statement_ends_at_its_time(attested):
    statement = replace(attested.statement, expires="2027-06-30")
    assert check_statement(statement, now=datetime(2027, 6, 29, 23, 59, 59, tzinfo=UTC)) == []
    with pytest.raises(SubmissionError, match="expired at 2027-06-30"):
        check_statement(statement, now=datetime(2027, 6, 30, tzinfo=UTC))
    with pytest.raises(SubmissionError, match="expected a time in RFC 3339"):
        check_statement(replace(statement, expires="tomorrow"))


def test_what_is_not_valid_cannot_be_attested(attested, tmp_path):
    write(tmp_path / "sub", STARTER, [])
    with pytest.raises(SubmissionError, match="not valid, so not scored"):
        statement_of(tmp_path / "sub", attested.benchmark)
