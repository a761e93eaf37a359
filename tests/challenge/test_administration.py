"""What organizers do by hand is one line of the ledger each, and can be done twice."""

import shutil
import tomllib

import pytest

from harness.challenge import administration
from harness.challenge.administration import (
    admit,
    change_name,
    read_state,
    rename,
    reveal,
    withdraw,
)
from harness.challenge.ledger import append, read_ledger
from harness.challenge.ledger_check import verify
from harness.cli import main
from harness.errors import SubmissionError, WrongUsageError
from tests.challenge.lines import NOON, accepted, event, write_ledger
from tests.challenge.test_challenge_file import CHALLENGE

CARD = (
    'schema = 1\nteam = "a"\nsystem = "s"\nhistory = "own"\ncandidates = "unused"\n'
    'kind = "predictions"\n'
)


@pytest.fixture
def submissions(tmp_path):
    folder = tmp_path / "submissions"
    run = folder / "a" / "1"
    run.mkdir(parents=True)
    (run / "card.toml").write_text(CARD)
    (run / "predictions.jsonl").write_text('{"dialogue_id":"d","turn":1,"response":""}\n')
    (folder / "challenge.toml").write_text(CHALLENGE)
    write_ledger(folder, [accepted("a/1", 1), event("scored", "a/1", 1), accepted("b/2", 2)])
    return folder


def added(submissions):
    lines = read_ledger(submissions).lines[3:]
    assert verify(submissions, read_ledger(submissions).head).problems == ()
    return [(line.event, line.team, line.run, line.why) for line in lines]


def test_withdraw_one_run(submissions):
    assert withdraw(submissions, "a/1", " asked to ", now=NOON).event == "withdrawn"
    assert withdraw(submissions, "a/1", "asked to") is None
    assert added(submissions) == [("withdrawn", "a", "1", "asked to")]


def test_after_withdraw_a_teams_files_can_be_deleted(submissions):
    withdraw(submissions, "a", "asked to")
    shutil.rmtree(submissions / "a")
    assert added(submissions) == [("withdrawn", "a", None, "asked to")]
    assert read_state(submissions).runs["a/1"].status == "withdrawn"


@pytest.mark.parametrize(("name", "why", "message"), [
    ("a/2", "x", 'no such run; did you mean a/1'), ("c", "x", "has no run of this team"),
    ("../a", "x", "expected TEAM or TEAM/RUN"), ("a/1/2", "x", "expected TEAM or TEAM/RUN"),
    ("a/1", " ", "--why: expected one line of 1 to 500"), ("a/1", "x\ny", "--why: expected one"),
    ("a/1", "x" * 501, "--why: expected one line"), ("a/1", "a\u202eb", "--why: expected one line"),
])  # fmt: skip
def test_a_wrong_name_or_reason_writes_nothing(name, why, message, submissions):
    with pytest.raises(WrongUsageError, match=message):
        withdraw(submissions, name, why)
    assert added(submissions) == []


def test_reveal_writes_the_name_to_the_teams_file_alone(submissions):
    file = submissions / "a" / "team.toml"
    file.write_text('name = "Alias"\nanonymous = true\nmembers = ["M"]\n')
    assert reveal(submissions, "a", "Große Namen 北京").event == "revealed"
    assert tomllib.loads(file.read_text()) == {"name": "Große Namen 北京", "members": ["M"]}
    assert reveal(submissions, "a", "Große Namen 北京") is None
    assert added(submissions) == [("revealed", "a", None, None)]
    assert "Namen" not in (submissions / "ledger.jsonl").read_text()


def test_only_an_anonymous_team_is_revealed(submissions):
    with pytest.raises(WrongUsageError, match="is not anonymous"):
        reveal(submissions, "a", "x")
    with pytest.raises(WrongUsageError, match="expected a team's folder"):
        reveal(submissions, "../a", "x")


def test_reveal_goes_on_after_a_kill_behind_the_line(submissions, monkeypatch):
    file = submissions / "a" / "team.toml"
    file.write_text('name = "Alias"\nanonymous = true\n')
    monkeypatch.setattr(administration, "write_table", interrupt)
    with pytest.raises(KeyboardInterrupt):
        reveal(submissions, "a", "Real")
    monkeypatch.undo()
    reveal(submissions, "a", "Real")
    assert tomllib.loads(file.read_text()) == {"name": "Real"}
    assert added(submissions) == [("revealed", "a", None, None)]


def interrupt(*_):
    raise KeyboardInterrupt


def test_rename_a_run_and_a_team(submissions):
    rename(submissions, "a/1", "one", "clearer")
    rename(submissions, "a", "zeta", "asked to")
    assert added(submissions) == [
        ("replaced", "a", "1", "renamed to one; clearer"),
        ("replaced", "a", None, "renamed to zeta; asked to"),
    ]
    assert (submissions / "zeta" / "one" / "card.toml").is_file()
    assert not (submissions / "a").exists()
    assert read_state(submissions).runs["zeta/one"].status == "scored"


@pytest.mark.parametrize(("old", "new"), [("a/1", "one"), ("a", "zeta")])
def test_rename_goes_on_after_a_kill_behind_the_line(old, new, submissions, monkeypatch):
    monkeypatch.setattr(administration, "_move", interrupt)
    with pytest.raises(KeyboardInterrupt):
        rename(submissions, old, new, "x")
    monkeypatch.undo()
    assert (submissions / old).is_dir()
    assert rename(submissions, old, new, "x") is None
    assert (submissions / old).with_name(new).is_dir()
    assert len(added(submissions)) == 1


@pytest.mark.parametrize(("old", "new", "message"), [
    ("a/1", "3", "taken"), ("a", "b", "taken"), ("a/9", "x", "no such run"),
    ("a/1", "../x", "folder"),
])  # fmt: skip
def test_a_name_that_is_taken_or_unfit_is_refused(old, new, message, submissions):
    append(submissions, [accepted("a/3", 3)])
    before = len(added(submissions))
    with pytest.raises(WrongUsageError, match=message):
        rename(submissions, old, new, "x")
    assert len(added(submissions)) == before
    assert (submissions / "a" / "1").is_dir()


def test_a_changed_name_is_told_without_the_name(submissions):
    change_name(submissions, "a", "A new name", "merged")
    assert change_name(submissions, "a", "A new name", "merged") is None
    assert added(submissions) == [("replaced", "a", None, "name changed; merged")]
    assert tomllib.loads((submissions / "a" / "team.toml").read_text()) == {"name": "A new name"}
    assert read_state(submissions).runs["a/1"].status == "scored"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_a_name_that_team_toml_cannot_hold_writes_nothing(name, submissions):
    file = submissions / "a" / "team.toml"
    for text in ('name = "Alias"\n', 'name = "Alias"\nanonymous = true\n'):
        file.write_text(text)
        with pytest.raises(WrongUsageError, match="--name: name: expected one line of 1 to 200"):
            change_name(submissions, "a", name, "merged")
        assert file.read_text() == text
    with pytest.raises(WrongUsageError, match="--name: name: expected one line of 1 to 200"):
        reveal(submissions, "a", name)
    assert file.read_text() == text
    assert added(submissions) == []


def test_admit_accepts_what_lies_there(submissions):
    line = admit(submissions, "a/1", "dev", "their upload failed")
    assert line.submission_sha256 not in (None, "1")
    assert admit(submissions, "a/1", "dev", "their upload failed") is None
    assert added(submissions) == [
        ("accepted", "a", "1", "phase dev; admitted late: their upload failed")
    ]
    version = read_state(submissions).accepted()["a/1"]
    assert (version.late, version.phase) == ("their upload failed", "dev")
    assert read_state(submissions).counted("a", "dev") == 1


def test_admit_needs_a_phase_and_a_submission(submissions):
    with pytest.raises(WrongUsageError, match="no phase"):
        admit(submissions, "a/1", "third", "x")
    with pytest.raises(WrongUsageError, match="expected a run's folder TEAM/RUN"):
        admit(submissions, "a", "dev", "x")
    (submissions / "a" / "1" / "predictions.jsonl").unlink()
    with pytest.raises(SubmissionError, match="cannot be admitted"):
        admit(submissions, "a/1", "dev", "x")


def ivcr(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["ivcr", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def test_the_commands(submissions, monkeypatch, capsys):
    where = ("--submissions", submissions)
    (submissions / "a" / "team.toml").write_text('name = "X"\nanonymous = true\n')
    assert ivcr(monkeypatch, "admit", "a/1", "--phase", "dev", "--why", "appeal", *where) == 0
    assert ivcr(monkeypatch, "rename", "a/1", "one", "--why", "x", *where) == 0
    assert ivcr(monkeypatch, "rename", "a", "--name", "Y", "--why", "x", *where) == 0
    assert ivcr(monkeypatch, "rename", "a", "--why", "x", *where) == 2
    assert ivcr(monkeypatch, "reveal", "a", "--name", "Z", *where) == 0
    assert ivcr(monkeypatch, "withdraw", "a/one", "--why", "asked to", *where) == 0
    assert ivcr(monkeypatch, "withdraw", "a/one", "--why", "asked to", *where) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("ledger line 4: accepted at ")
    assert out[-1] == "nothing to add: the ledger says so already"
    assert ivcr(monkeypatch, "ledger", "show", submissions) == 0
    out = capsys.readouterr().out
    assert "a/one: withdrawn " in out
    assert 'b/2: accepted 2026-03-01T12:02:00Z  "phase dev"' in out


def test_ledger_verify_says_what_is_wrong(submissions, monkeypatch, capsys):
    head = read_ledger(submissions).head
    assert ivcr(monkeypatch, "ledger", "verify", submissions, "--head", head) == 0
    assert capsys.readouterr().out == f"3 lines, head {head}\n"
    assert ivcr(monkeypatch, "ledger", "verify", submissions) == 0
    assert "without --head" in capsys.readouterr().err
    path = submissions / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"run":"1"', b'"run":"2"', 1))
    assert ivcr(monkeypatch, "ledger", "verify", submissions, "--head", head) == 1
    assert "ledger.jsonl:2: does not name the line before" in capsys.readouterr().err
    assert ivcr(monkeypatch, "ledger", "verify", submissions, "--head", "x") == 2
