"""ivcr attest, as it is typed."""

import shutil

import pytest

from harness.formats.conversion import abstention
from harness.submission import STARTER, write
from tests.baselines.conftest import imported


@pytest.fixture
def made(ivcr, tmp_path):
    """A benchmark, a submission, keys, and a statement about it."""
    benchmark = imported(tmp_path)
    write(tmp_path / "sub", STARTER, map(abstention, benchmark.split().turns))
    assert ivcr("attest", "keygen", "--key", tmp_path / "key.pem")[0] == 0
    return tmp_path


def make(ivcr, made, *more):
    return ivcr("attest", "make", made / "sub", "--benchmark", made / "toy", "--key",
                made / "key.pem", "--out", made / "statement.json", *more)  # fmt: skip


def verify(ivcr, made, *more):
    return ivcr("attest", "verify", made / "statement.json", "--key", made / "key.pub.pem", *more)


def test_a_statement_is_made_and_verified(ivcr, made):
    assert make(ivcr, made) == (0, f"{made / 'statement.json'}\n", "")
    code, out, err = verify(ivcr, made)
    assert (code, out.splitlines()[0]) == (0, 'signed: "Your team", "Your system"')
    assert "compared with nothing at hand" in err
    folders = "--submission", made / "sub", "--benchmark", made / "toy"
    code, out, err = verify(ivcr, made, *folders)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "fits scores: computed again, the same bytes"


def test_nothing_but_the_statement_is_written(ivcr, made):
    make(ivcr, made)
    assert sorted(path.name for path in (made / "sub").iterdir()) == [
        "card.toml",
        "predictions.jsonl.zst",
    ]


def test_what_does_not_fit_ends_with_one(ivcr, made):
    make(ivcr, made)
    shutil.rmtree(made / "sub")
    write(made / "sub", STARTER, [])
    code, out, err = verify(ivcr, made, "--submission", made / "sub")
    assert (code, out) == (1, "")
    assert "it is about another one" in err


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        (("--expires", "soon"), 2, "--expires: expected a date such as 2027-06-30"),
        (("--split", "tset"), 3, "has no split"),
    ],
)
def test_wrong_usage_is_one_line(ivcr, made, more, code, why):
    found = make(ivcr, made, *more)
    assert (found[0], len(found[2].splitlines())) == (code, 1)
    assert why in found[2]
    assert not (made / "statement.json").exists()


def test_no_file_that_was_read_is_written_over(ivcr, made):
    before = (made / "key.pem").read_bytes()
    command = ["attest", "make", made / "sub", "--benchmark", made / "toy"]
    code, _, err = ivcr(*command, "--key", made / "key.pem", "--out", made / "key.pem")
    assert (code, (made / "key.pem").read_bytes()) == (2, before)
    assert "expected a place of its own" in err


def test_an_expired_statement_ends_with_one(ivcr, made):
    make(ivcr, made, "--expires", "2001-01-01")
    code, _, err = verify(ivcr, made)
    assert code == 1
    assert "expired at 2001-01-01" in err
