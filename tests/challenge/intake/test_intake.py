"""An intake judges by the rules, the clock it is given and nothing else."""

import json
import pkgutil
import random
import shutil
import subprocess
import sys
import time

import pytest

from harness.challenge import administration
from harness.challenge.administration import read_state
from harness.challenge.intake import taking_in
from harness.challenge.ledger import append, read_ledger
from harness.challenge.ledger_lines import LedgerEvent
from harness.cli import main
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import canonical
from harness.results import ScoringFault
from harness.results.key import scorer_line
from harness.scoring import score
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.challenge.intake.conftest import CHALLENGE, Organizers, day
from tests.conftest import WAIT

OPENED = ("phase-opened", None, "phase dev")
EXAM = ("phase-opened", None, "phase exam")
OK = ("accepted", "phase dev")


def test_what_is_new_is_accepted_and_scored(organizers):
    folder = organizers.put("a/1")
    report = organizers.intake(day(2))
    assert organizers.events() == [
        OPENED, EXAM, ("accepted", "a/1", "phase dev"), ("scored", "a/1", None)
    ]  # fmt: skip
    assert [line.at for line in report.lines] == ["2026-01-02T12:00:00Z"] * 4
    line = report.lines[-1]
    scored, header = score(folder, organizers.benchmark, "train"), organizers.benchmark.header
    assert (
        line.scores_sha256 == __import__("hashlib").sha256(canonical(scored.document)).hexdigest()
    )
    assert line.submission_sha256 == scored.document["submission"]["sha256"]
    assert (line.fingerprint, line.scorer) == (header.fingerprint, scorer_line())
    assert line.gold_sha256 == header.gold_sha256["train"]
    assert read_state(organizers.submissions).accepted().keys() == {"a/1"}


def test_a_second_intake_adds_nothing(organizers):
    organizers.put("a/1")
    organizers.put("b/1")
    organizers.spoil("b/1")
    organizers.put("c/1", history="reference")
    organizers.intake(day(2))
    before = organizers.events()
    report = organizers.intake(day(3))
    assert organizers.events() == before
    assert (report.lines, report.receipts) == ((), ())


def test_nothing_is_written_below_the_submissions_but_the_ledger(organizers):
    organizers.put("a/1")
    organizers.put("b/1")
    organizers.spoil("b/1")
    files = set(organizers.submissions.rglob("*"))
    organizers.intake(day(2))
    assert set(organizers.submissions.rglob("*")) - files == {
        organizers.submissions / "ledger.jsonl"
    }
    for option in ("results", "receipts"):
        with pytest.raises(WrongUsageError, match=f"--{option} .*below the submissions"):
            organizers.intake(day(2), **{option: organizers.submissions / "a" / "x"})


def test_a_run_belongs_to_the_phase_whose_split_it_answers(organizers):
    organizers.put("a/1")
    organizers.put("a/2", split="test")
    organizers.intake(day(16))
    assert organizers.events_of("a/1")[0] == ("accepted", "phase dev")
    assert organizers.events_of("a/2")[0] == ("accepted", "phase final")


def test_a_run_out_of_time_is_refused_with_the_times(organizers):
    organizers.put("a/1", split="test")
    organizers.put("a/2", history="reference")
    organizers.intake(day(50))
    why = (
        "phase: no open phase takes files with history own for split test: "
        "final closed 2026-02-15T00:00:00Z"
    )
    assert organizers.events_of("a/1") == [("refused", why)]
    why = "phase: no open phase takes files with history reference: no phase is for it"
    assert organizers.events_of("a/2") == [("refused", why)]


def test_predictions_that_come_before_their_phase_wait_for_it_and_cost_nothing(organizers):
    organizers.put("a/1", split="test")
    organizers.intake(day(2))
    why = (
        "phase: no open phase takes files with history own for split test: "
        "final opens 2026-01-15T00:00:00Z"
    )
    assert organizers.events_of("a/1") == [("refused", why)]
    receipt = (organizers.settings.receipts / "a" / "1.md").read_text("utf-8")
    assert "phase" in receipt
    assert "final opens 2026" in receipt
    assert organizers.intake(day(3)).lines == ()
    organizers.intake(day(16))  # the quota of the phase is one
    assert organizers.events_of("a/1")[1:] == [("accepted", "phase final"), ("scored", None)]


def test_predictions_that_come_after_their_phase_are_late_and_not_invalid(organizers):
    organizers.put("a/1")
    organizers.intake(day(40))
    ((event, why),) = organizers.events_of("a/1")
    assert (event, why.rpartition(": ")[2]) == ("refused", "dev closed 2026-02-01T00:00:00Z")


def test_predictions_for_a_split_of_no_phase_are_invalid(organizers):
    challenge = organizers.submissions / "challenge.toml"
    challenge.write_text(CHALLENGE.replace('split = "test"', 'split = "train"'))
    organizers.put("a/1", split="test")
    organizers.intake(day(2))
    ((event, why),) = organizers.events_of("a/1")
    assert event == "refused"
    assert why.startswith("content: ")
    assert "T104" in why


def test_phases_open_and_close_once_and_in_order(organizers):
    for number in (2, 20, 33, 50, 70, 80):
        organizers.intake(day(number))
    assert [(event.removeprefix("phase-"), why) for event, _, why in organizers.events()] == [
        ("opened", "phase dev"), ("opened", "phase exam"), ("opened", "phase final"),
        ("closed", "phase dev"), ("closed", "phase final"), ("closed", "phase exam"),
    ]  # fmt: skip


def test_the_daily_number_and_the_quota_hold_and_invalid_runs_cost_nothing(organizers):
    for number in range(5):
        organizers.put(f"a/{number}", seed=number)
    organizers.spoil("a/0")
    organizers.intake(day(2))
    assert organizers.events_of("a/0")[0][1].startswith("content: errors: 1 (T")
    assert [organizers.events_of(f"a/{n}")[0] for n in (1, 2)] == [OK, OK]
    spent = ("refused", "quota: all 2 scored submissions of a day of phase dev are used")
    assert [organizers.events_of(f"a/{n}") for n in (3, 4)] == [[spent], [spent]]
    organizers.intake(day(3))
    assert organizers.events_of("a/3") == [spent, OK, ("scored", None)]
    assert organizers.events_of("a/4")[1:] == [
        ("refused", "quota: all 3 scored submissions of phase dev are used")
    ]
    organizers.put("b/1")
    organizers.intake(day(3))
    assert organizers.events_of("b/1")[0] == OK


def test_a_new_version_replaces_the_old_one(organizers):
    organizers.put("a/1")
    organizers.intake(day(2))
    organizers.put("a/1", seed=7)
    organizers.intake(day(3))
    assert organizers.events_of("a/1") == [
        OK, ("scored", None), ("replaced", "new version"), OK, ("scored", None)
    ]  # fmt: skip
    assert read_state(organizers.submissions).counted("a", "dev") == 2


def test_an_invalid_new_version_leaves_the_old_one(organizers):
    organizers.put("a/1")
    organizers.intake(day(2))
    organizers.put("a/1", seed=7)
    organizers.spoil("a/1")
    organizers.intake(day(3))
    run = read_state(organizers.submissions).runs["a/1"]
    assert (run.status, run.refused.why) == ("scored", "content: errors: 1 (T100)")


def test_a_card_names_its_own_team_and_the_terms_are_accepted(organizers):
    organizers.team("a", "Team A")
    organizers.put("a/1", team="Team A")
    organizers.put("a/2", team="Team B")
    organizers.put("b/1")
    organizers.team("b", terms="old")
    organizers.put("c/1")
    (organizers.submissions / "c" / "team.toml").unlink()
    (organizers.submissions / "c" / "team.toml").write_text("name = 1")
    organizers.intake(day(2))
    assert organizers.events_of("a/1")[0] == OK
    assert organizers.events_of("a/2") == [
        (
            "refused",
            "team: its card names another team; write the folder's name, or the name in team.toml, "
            "as team into card.toml",
        )
    ]
    ((event, why),) = organizers.events_of("b/1")
    assert (event, f"write terms = '{organizers.terms}'" in why) == ("refused", True)
    assert organizers.events_of("c/1") == [("refused", "team: team.toml cannot be read")]
    organizers.team("b")
    organizers.intake(day(2))
    assert organizers.events_of("b/1")[1:] == [OK, ("scored", None)]


def test_names_that_deceive_are_refused_and_told_to_the_organizers(organizers):
    organizers.put("paypal/1")
    organizers.intake(day(2))
    organizers.team("x", "раypal")
    organizers.put("x/1", team="раypal")
    organizers.team("y", "Y\u200b")
    organizers.put("y/1", team="Y\u200b")
    organizers.put("paypal/2", seed=2)
    report = organizers.intake(day(3))
    why = "team: the team's name looks like that of paypal; choose another"
    assert organizers.events_of("x/1") == [("refused", why)]
    assert "do not show" in organizers.events_of("y/1")[0][1]
    assert organizers.events_of("paypal/2")[0] == OK
    assert any(note.startswith("team x: its name") for note in report.notes)


def test_a_card_of_the_template_is_refused_until_it_is_the_teams_own(organizers):
    folder = organizers.put("a/1")
    card = folder / "card.toml"
    text = card.read_text("utf-8")
    card.write_text(text.replace('"cat first"', '"Your system"'), "utf-8")
    organizers.intake(day(2))
    why = "team: system of its card still as in the template"
    assert organizers.events_of("a/1") == [("refused", why)]
    card.write_text(text, "utf-8")
    organizers.intake(day(2))
    assert organizers.events_of("a/1")[1] == OK


def test_no_team_is_called_as_the_benchmarks_own_runs(organizers):
    organizers.put("floors/1")
    report = organizers.intake(day(2))
    why = "floors is the name of the benchmark's own runs; name the team otherwise"
    assert organizers.events_of("floors/1") == [("refused", f"team: {why}")]
    assert any(why in note for note in report.notes)


def test_a_copy_and_a_withdrawn_run_are_refused(organizers):
    organizers.put("a/1")
    organizers.intake(day(2))
    shutil.copytree(organizers.submissions / "a" / "1", organizers.submissions / "a" / "2")
    administration.withdraw(organizers.submissions, "a/1", "asked to", now=day(3))
    organizers.intake(day(3))
    assert organizers.events_of("a/1")[2:] == [("withdrawn", "asked to")]
    organizers.put("a/1", seed=3)
    organizers.put("b/1")
    organizers.intake(day(3))
    shutil.copytree(organizers.submissions / "b" / "1", organizers.submissions / "b" / "2")
    organizers.intake(day(3))
    assert "withdrawn" in organizers.events_of("a/1")[3][1]
    assert organizers.events_of("b/2") == [("refused", "team: the same submission as b/1")]


def test_of_two_copies_that_arrive_together_the_first_counts(organizers):
    for key in ("a/1", "b/1"):
        shutil.copytree(organizers.put(key), organizers.submissions / key[0] / "2")
    for number in (1, 2):
        organizers.spoil(f"b/{number}")
    organizers.intake(day(2))
    assert organizers.events_of("a/1") == [OK, ("scored", None)]
    assert organizers.events_of("a/2") == [("refused", "team: the same submission as a/1")]
    assert organizers.events_of("b/2") == [("refused", "team: the same submission as b/1")]
    assert organizers.intake(day(3)).lines == ()
    organizers.put("b/1", seed=2)
    organizers.intake(day(3))
    assert organizers.events_of("b/1")[1:] == [OK, ("scored", None)]
    assert organizers.events_of("b/2")[1:] == [("refused", "content: errors: 1 (T100)")]


def test_an_admitted_run_is_scored_out_of_time_and_beside_the_quota(organizers):
    organizers.put("a/1")
    organizers.intake(day(50))
    administration.admit(organizers.submissions, "a/1", "dev", "their mail", now=day(51))
    organizers.intake(day(52))
    assert [event for event, _ in organizers.events_of("a/1")] == ["refused", "accepted", "scored"]
    assert read_state(organizers.submissions).counted("a", "dev") == 0


def test_an_admitted_run_that_is_invalid_is_refused(organizers):
    organizers.put("a/1")
    organizers.spoil("a/1")
    administration.admit(organizers.submissions, "a/1", "dev", "their mail", now=day(51))
    organizers.intake(day(52))
    assert [event for event, _ in organizers.events_of("a/1")] == ["accepted", "refused"]
    assert organizers.intake(day(53)).lines == ()


def faulty(*keys):
    """A `score_all` in which these runs fail for a reason that is not theirs."""
    real = taking_in_scorer()

    def score_all(folders, *arguments, **more):
        for outcome in real(folders, *arguments, **more):
            key = "/".join(outcome.folder.parts[-2:])
            yield ScoringFault(outcome.folder, "memory") if key in keys else outcome

    return score_all


def taking_in_scorer():
    from harness.challenge.intake import scoring_phases

    return scoring_phases.score_all


def test_a_fault_of_ours_keeps_the_place_and_costs_nothing_twice(organizers, monkeypatch):
    organizers.put("a/1")
    monkeypatch.setattr("harness.challenge.intake.scoring_phases.score_all", faulty("a/1"))
    report = organizers.intake(day(31))
    assert organizers.events_of("a/1") == [OK]
    assert "a/1: could not be scored: memory" in report.notes
    assert report.receipts[0].verdict == "waits"
    assert organizers.intake(day(31)).lines == ()
    monkeypatch.undo()
    organizers.intake(day(40))
    assert organizers.events_of("a/1") == [OK, ("scored", None)]


class Killed(BaseException):
    pass


def busy(organizers):
    """Runs of all kinds, whose intake writes lines of all kinds."""
    organizers.put("b/1")
    organizers.intake(day(2))
    for number in range(4):
        organizers.put(f"a/{number}", seed=number)
    organizers.spoil("a/1")
    organizers.put("b/1", seed=9)
    organizers.put("c/1", history="reference")
    organizers.put("d/1", split="test")
    organizers.put("e/1", videos=(DOG, FOX))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    organizers = Organizers(tmp_path_factory.mktemp("whole"))
    busy(organizers)
    organizers.intake(day(16))
    return (organizers.submissions / "ledger.jsonl").read_bytes()


@pytest.mark.parametrize(
    "lines",
    [n if n in (0, 5, 8, 14) else pytest.param(n, marks=pytest.mark.long) for n in range(15)],
)
def test_an_intake_killed_while_it_writes_is_made_whole_by_the_next(lines, uninterrupted, tmp_path):
    organizers = Organizers(tmp_path)
    busy(organizers)
    whole = uninterrupted.splitlines(True)
    before = (organizers.submissions / "ledger.jsonl").read_bytes()
    assert uninterrupted.startswith(before)
    assert len(whole) - before.count(b"\n") == 15
    kept = b"".join(whole[: before.count(b"\n") + lines]) + b'{"at":"2026'
    (organizers.submissions / "ledger.jsonl").write_bytes(kept)
    organizers.intake(day(16))
    assert (organizers.submissions / "ledger.jsonl").read_bytes() == uninterrupted


@pytest.mark.parametrize("place", ["scoring", "receipts", "ledger"])
def test_an_intake_killed_anywhere_is_made_whole_by_the_next(
    place, uninterrupted, tmp_path, monkeypatch
):
    organizers = Organizers(tmp_path)
    busy(organizers)
    calls = []

    def kill(*_, **__):
        calls.append(1)
        if len(calls) == 3 or place == "ledger":
            raise Killed

    target = {
        "scoring": "harness.results.store.ResultsFolder.keep",
        "receipts": "harness.challenge.intake.taking_in.write_receipt",
        "ledger": "harness.challenge.ledger.LedgerWriter.append",
    }[place]
    real = pkgutil.resolve_name(target)

    def first(*arguments, **more):
        kill()
        return real(*arguments, **more)

    monkeypatch.setattr(target, first)
    with pytest.raises(Killed):
        organizers.intake(day(16))
    monkeypatch.undo()
    organizers.intake(day(16))
    assert (organizers.submissions / "ledger.jsonl").read_bytes() == uninterrupted


def test_several_processes_write_the_same_ledger(uninterrupted, tmp_path):
    organizers = Organizers(tmp_path)
    busy(organizers)
    organizers.intake(day(16), processes=2)
    assert (organizers.submissions / "ledger.jsonl").read_bytes() == uninterrupted


def test_what_others_write_meanwhile_is_taken_into_account(organizers, monkeypatch):
    organizers.put("a/1")
    organizers.put("b/1")
    real, calls = taking_in_scorer(), []

    def slow(folders, *arguments, **more):
        yield from real(folders, *arguments, **more)
        if not calls:
            calls.append(1)
            organizers.intake(day(2))

    monkeypatch.setattr("harness.challenge.intake.scoring_phases.score_all", slow)
    assert organizers.intake(day(2)).lines == ()
    assert [event for event, key, _ in organizers.events() if key] == ["accepted", "scored"] * 2


def test_a_ledger_that_others_write_all_the_time_ends_the_intake(organizers, monkeypatch):
    organizers.put("a/1")
    real = taking_in_scorer()

    def slow(folders, *arguments, **more):
        yield from real(folders, *arguments, **more)
        append(organizers.submissions, [LedgerEvent(event="revealed", team="z")], now=day(2))

    monkeypatch.setattr("harness.challenge.intake.scoring_phases.score_all", slow)
    monkeypatch.setattr(taking_in, "TRIES", 3)
    with pytest.raises(EnvironmentFailure, match="others write the ledger"):
        organizers.intake(day(2))
    assert len(read_ledger(organizers.submissions).lines) == 3


def test_a_dry_run_writes_neither_ledger_nor_receipts(organizers):
    organizers.put("a/1")
    report = organizers.intake(day(2), dry_run=True)
    assert [(each.arrival.key, each.verdict) for each in report.decisions] == [("a/1", "scored")]
    assert not (organizers.submissions / "ledger.jsonl").exists()
    assert not organizers.settings.receipts.exists()


def test_reported_cards_links_and_journals_are_passed_over(organizers, tmp_path):
    organizers.put("a/1")
    reported = organizers.submissions / "a" / "reported"
    reported.mkdir()
    (reported / "card.toml").write_text('kind = "reported"')
    (organizers.submissions / "a" / "2.run").mkdir()
    (organizers.submissions / "a" / "link").symlink_to(organizers.submissions / "a" / "1")
    organizers.intake(day(2))
    assert {key for _, key, _ in organizers.events() if key} == {"a/1"}


def test_a_folder_of_anything_is_refused_and_read_again_when_it_changed(organizers):
    organizers.team("a")
    folder = organizers.submissions / "a" / "1"
    folder.mkdir()
    (folder / "card.toml").write_bytes(b"\xff\x1b[31m")
    organizers.intake(day(2))
    organizers.intake(day(2))
    ((event, why),) = organizers.events_of("a/1")
    assert (event, why.startswith("content: "), why.isprintable()) == ("refused", True, True)
    shutil.rmtree(folder)
    organizers.put("a/1")
    organizers.intake(day(2))
    assert organizers.events_of("a/1")[1:] == [OK, ("scored", None)]


def test_no_name_of_a_person_is_in_the_ledger(organizers):
    organizers.team("slug", "Secret Name", members=["Jane Doe"], contact="jane@x.org")
    organizers.put("slug/1", team="Secret Name", contact="jane@x.org")
    organizers.put("slug/2", team="Jane Doe")
    organizers.intake(day(2))
    text = (organizers.submissions / "ledger.jsonl").read_text()
    assert not any(word in text for word in ("Secret", "Jane", "jane"))


def test_the_command(organizers, monkeypatch, capsys):
    text = CHALLENGE.replace("2026-02-01T00:00:00Z", "2999-01-01T00:00:00Z")
    (organizers.submissions / "challenge.toml").write_text(text)
    organizers.put("a/1", videos=(COOK, CAT))
    organizers.put("b/1")
    organizers.spoil("b/1")
    command = ["ivcr", "intake", organizers.submissions, "--benchmark", organizers.benchmark.folder]

    def run(*more):
        monkeypatch.setattr("sys.argv", list(map(str, [*command, *more])))
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, capsys.readouterr()

    code, text = run("--processes", 1)
    assert code == 0
    phases = [line for line in text.out.splitlines() if line.startswith("phase ")]
    told = [line for line in read_ledger(organizers.submissions).lines if line.run is None]
    assert phases == [f"{line.why}: {line.event.removeprefix('phase-')}" for line in told]
    assert phases[0] == "phase dev: opened"
    assert text.out.splitlines()[len(phases) :] == [
        "a/1: scored (phase dev)",
        "b/1: refused (phase dev): errors: 1 (T100)",
        "2 runs, 8 lines of the ledger",
    ]
    receipts = organizers.submissions.with_name("submissions.receipts")
    receipt = json.loads((receipts / "a" / "1.json").read_text())
    assert (receipt["verdict"], receipt["before"]) == ("scored", None)
    assert receipt["after"] == {"best": 1, "worst": 1, "of": 1}
    assert organizers.submissions.with_name("submissions.results").stat().st_mode & 0o777 == 0o700
    assert run("--rescore")[0] == 2
    code, text = run("--rescore", "--why", "a check")
    assert (code, text.out) == (0, "0 runs scored again, 1 were up to date\n")


INTAKE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from harness.challenge.intake import IntakeSettings, intake
root = Path(sys.argv[1])
settings = IntakeSettings(
    root / "submissions", root / "toy", root / "results", root / "receipts", int(sys.argv[2])
)
if __name__ == "__main__":
    print("ready", flush=True)
    intake(settings, now=datetime(2026, 1, 16, 12, tzinfo=UTC))
"""


def kill_intakes(root, seed, rounds, processes):
    """Kill an intake at a random time, again and again, and then let one end."""
    script, draws = root / "take_in.py", random.Random(seed)
    script.write_text(INTAKE)
    command = [sys.executable, script, root, str(processes)]
    for _ in range(rounds):
        started = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert started.stdout.readline() == b"ready\n"
        time.sleep(draws.uniform(0, 0.8))
        started.kill()
        started.wait(WAIT)
        started.stdout.close()
    subprocess.run(command, check=True, timeout=WAIT, stdout=subprocess.DEVNULL)


def test_killed_intakes_end_with_the_ledger_of_an_uninterrupted_one(uninterrupted, tmp_path):
    organizers = Organizers(tmp_path)
    busy(organizers)
    kill_intakes(tmp_path, 1, rounds=3, processes=1)
    assert (organizers.submissions / "ledger.jsonl").read_bytes() == uninterrupted


@pytest.mark.long
@pytest.mark.parametrize("processes", [1, 2])
def test_intakes_killed_again_and_again_end_with_the_same_ledger(
    processes, uninterrupted, tmp_path
):
    organizers = Organizers(tmp_path)
    busy(organizers)
    kill_intakes(tmp_path, 2, rounds=25, processes=processes)
    assert (organizers.submissions / "ledger.jsonl").read_bytes() == uninterrupted


def test_a_clock_that_was_set_back_gives_no_day_twice_and_opens_no_phase(organizers):
    for name in "123":
        organizers.put(f"a/{name}", (*(CAT, DOG, FOX)[int(name) - 1 :], COOK))
    organizers.intake(day(20))
    assert organizers.events_of("a/3")[-1][0] == "refused"
    organizers.intake(day(19))
    assert organizers.events_of("a/3")[-1][0] == "refused"
    organizers.intake(day(40))
    organizers.intake(day(19))
    assert [event for event, _ in organizers.events_of("a/3")].count("accepted") == 0


def test_a_phase_that_the_ledger_closed_is_not_open_again_when_its_end_is_moved(organizers):
    organizers.put("a/1")
    organizers.intake(day(50))
    path = organizers.submissions / "challenge.toml"
    path.write_text(CHALLENGE.replace("closes = 2026-02-01", "closes = 2026-06-01"))
    organizers.put("b/1", (DOG, CAT))
    organizers.intake(day(51))
    ((event, why),) = organizers.events_of("b/1")
    assert event == "refused"
    assert "dev closed 2026-02-19T12:00:00Z, and stays so" in why
    before = organizers.events()
    organizers.intake(day(52))
    assert organizers.events() == before


def test_a_phase_is_not_renamed_while_it_runs(organizers):
    organizers.put("a/1")
    organizers.intake(day(2))
    path = organizers.submissions / "challenge.toml"
    path.write_text(CHALLENGE.replace('name = "dev"', 'name = "development"'))
    with pytest.raises(WrongUsageError, match=r"expected the phase .dev., .* put it back"):
        organizers.intake(day(3))
    path.write_text(CHALLENGE)
    organizers.intake(day(32))
    path.write_text(CHALLENGE.replace('name = "dev"', 'name = "development"'))
    organizers.intake(day(33))


def test_an_absent_folder_of_submissions_is_the_environments(organizers, tmp_path):
    with pytest.raises(EnvironmentFailure, match="expected a folder of <team>"):
        organizers.intake(day(2), submissions=tmp_path / "absent")
