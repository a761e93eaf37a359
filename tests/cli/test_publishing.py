"""ivcr data publish, info, open-labels, verify-labels."""

import json
import shutil

import pytest

from harness.challenge.ledger import read_ledger
from harness.challenge.state import replay
from tests.public_copy.conftest import make_full


@pytest.fixture
def full(tmp_path):
    return make_full(tmp_path / "in").folder


@pytest.fixture
def submissions(tmp_path):
    (tmp_path / "subs").mkdir()
    return tmp_path / "subs"


def events(submissions):
    lines = (submissions / "ledger.jsonl").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]


def test_a_phase_from_its_copy_to_its_open_labels(ivcr, full, submissions, tmp_path):
    copy, salts = tmp_path / "copy", tmp_path / "salts.json"
    ledger = ["--submissions", submissions]
    publish = ["data", "publish", full, "--salts", salts, *ledger]
    code, out, err = ivcr(*publish, "--out", copy)
    assert (code, err) == (0, "")
    assert "labels of val, test hidden; no gold of them was found" in out
    assert out.count("HMAC-SHA256") == 2
    assert events(submissions) == ["labels-committed"] * 2
    assert ivcr(*publish, "--out", tmp_path / "again")[0] == 0  # the same commitment, once
    assert events(submissions) == ["labels-committed"] * 2
    code, out, _ = ivcr("data", "verify-labels", copy, *ledger)
    assert (code, out.count(": closed")) == (0, 2)
    code, out, _ = ivcr("data", "open-labels", full, "--salts", salts, *ledger, "--split", "val")
    assert (code, "1 events" in out) == (0, True)
    ledger_now = read_ledger(submissions)
    opened_at = {known.why.split()[2]: known.opened_at
                 for known in replay(ledger_now.lines, ledger_now.head).labels}  # fmt: skip
    assert opened_at["test:"] is None
    assert opened_at["val:"] is not None
    assert ivcr("data", "publish", full, "--out", tmp_path / "half", "--hide", "test")[0] == 0
    code, out, _ = ivcr("data", "verify-labels", tmp_path / "half", *ledger)
    assert (code, out.count(": holds"), out.count(": closed")) == (0, 1, 1)
    assert ivcr("data", "open-labels", full, "--salts", salts, *ledger)[0] == 0
    assert events(submissions) == ["labels-committed"] * 2 + ["labels-opened"] * 2
    ivcr("data", "publish", full, "--out", tmp_path / "all", "--hide", "none")
    code, out, _ = ivcr("data", "verify-labels", tmp_path / "all", *ledger)
    assert (code, out.count(": holds")) == (0, 2)
    code, _, _ = ivcr("ledger", "verify", submissions)
    assert code == 0
    text = (submissions / "ledger.jsonl").read_text()
    assert str(tmp_path) not in text


def test_before_a_phase_ends_the_ledger_names_no_hash_without_salt(
    ivcr, full, submissions, tmp_path
):
    ivcr("data", "publish", full, "--out", tmp_path / "copy", "--salts", tmp_path / "salts",
         "--submissions", submissions)  # fmt: skip
    text = (submissions / "ledger.jsonl").read_text()
    header = json.loads((full / "benchmark.json").read_text())
    salts = json.loads((tmp_path / "salts").read_text())
    for secret in (*header["gold_sha256"].values(),
                   *(each["salt"] for each in salts["labels"].values())):  # fmt: skip
        assert secret not in text


def test_a_ledger_without_the_commitment_is_named(ivcr, full, submissions, tmp_path):
    ivcr("data", "publish", full, "--out", tmp_path / "copy", "--salts", tmp_path / "salts")
    code, _, err = ivcr("data", "open-labels", full, "--salts", tmp_path / "salts",
                        "--submissions", submissions)  # fmt: skip
    assert (code, "the ledger has no commitment" in err) == (2, True)
    code, _, err = ivcr("data", "verify-labels", full, "--submissions", submissions)
    assert (code, "no commitment to labels" in err) == (1, True)


def test_wrong_usage_is_refused_before_anything_is_written(ivcr, full, submissions, tmp_path):
    out = ["--out", tmp_path / "copy"]
    for words in (
        ["--submissions", submissions],
        ["--salts", tmp_path / "copy" / "salts"],
        ["--salts", submissions / "salts", "--submissions", submissions],
        ["--salts", full / "salts"],
        ["--hide", "none", "--salts", tmp_path / "salts"],
        ["--hide", "train"],
    ):
        assert ivcr("data", "publish", full, *out, *words)[0] == 2
    assert not (tmp_path / "copy").exists()
    assert not (tmp_path / "salts").exists()
    assert not list(submissions.iterdir())


def test_the_copy_serves_all_but_scoring(ivcr, full, tmp_path):
    copy, sub = tmp_path / "copy", tmp_path / "sub"
    ivcr("data", "publish", full, "--out", copy)
    where = ["--benchmark", copy]
    for words in (
        ["submission", "init", tmp_path / "started", *where],
        ["baseline", "run", "bm25", *where, "--history", "own", "--out", sub],
        ["validate", sub, *where],
    ):
        code, _, err = ivcr(*words)
        assert code == 0, err
    code, _, err = ivcr("score", sub, *where)
    assert (code, "(labels of this split: hidden); ask the organizers" in err) == (3, True)
    assert ivcr("score", sub, "--benchmark", full)[0] == 0


def test_info_says_whether_a_folder_may_be_handed_out(ivcr, full, tmp_path):
    copy = tmp_path / "copy"
    ivcr("data", "publish", full, "--out", copy)
    out = ivcr("data", "info", copy)[1]
    assert "holds labels of train; none of val, test" in out
    assert "may be handed out" in out
    out = ivcr("data", "info", full)[1]
    assert "holds labels of train, val, test" in out
    assert "may not be handed out" in out
    assert "test/gold.jsonl: the labels of a hidden split" in out
    shutil.copy(full / "test" / "gold.jsonl", copy / "test")
    out = ivcr("data", "info", copy)[1]
    assert "holds labels of train, test; none of val" in out
    assert "may not be handed out" in out
