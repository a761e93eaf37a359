"""A challenge's board: what the ledger accepted, the teams' names, its head on each page."""

import json
import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest

from harness.challenge.challenge_file import read_challenge
from harness.challenge.corrections import (
    CorrectedFigure,
    CorrectedRanks,
    CorrectedRun,
    Correction,
    correction_reason,
    write_correction,
)
from harness.challenge.ledger import append
from harness.challenge.ledger_lines import LedgerEvent
from harness.challenge.reasons import NEW_VERSION, phase_reason
from harness.errors import EnvironmentFailure
from harness.records import Card
from harness.results import submission_sha256
from harness.submission import write
from leaderboard.board.admission import read_admission
from leaderboard.board.records import BoardContents
from leaderboard.results.board_split import BoardSplit
from leaderboard.site.publish import build_site
from tests.answers import same_videos
from tests.baselines.conftest import CAT, DOG, imported
from tests.challenge.lines import NOON
from tests.leaderboard.site.test_builder import tree

CHALLENGE = """
title = "Find it"
[[phase]]
name = "dev"
kind = "files"
split = "test"
history = "none"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00Z
feedback = "exact"
[[phase]]
name = "final"
kind = "files"
split = "test"
history = "none"
opens = 2026-02-01T00:00:00Z
closes = 2026-03-01T00:00:00Z
feedback = "ladder"
"""


@pytest.fixture
def challenge(tmp_path, request):
    """Two teams with a run each, of which the ledger knows nothing yet."""
    labels = getattr(request, "param", "public")
    benchmark, submissions = imported(tmp_path, labels=labels), tmp_path / "submissions"
    submissions.mkdir()
    (submissions / "challenge.toml").write_text(CHALLENGE)
    header = benchmark.header

    def put(key, videos=(CAT, DOG), team=None):
        given = same_videos(benchmark.split().turns, videos)
        folder = submissions / key
        folder.parent.mkdir(exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        write(folder, Card(1, team or key.split("/")[0], "cat", "none", "unused"), given)
        return folder

    def tell(event, key="", why=None, now=None, **more):
        team, _, run = key.partition("/")
        sha256 = submission_sha256(submissions / key, 9) if event == "accepted" else None
        more = {"submission_sha256": sha256, "fingerprint": header.fingerprint,
                "gold_sha256": header.gold_sha256["test"], **more}  # fmt: skip
        line = LedgerEvent(event=event, team=team or None, run=run or None, why=why, **more)
        return append(submissions, [line], now=now)[0]

    found = SimpleNamespace(
        submissions=submissions,
        benchmark=benchmark.folder,
        site=tmp_path / "site",
        put=put,
        tell=tell,
        sha256=lambda key: submission_sha256(submissions / key, 9),
        build=lambda: build_site(
            submissions, benchmark.folder, tmp_path / "site", results=tmp_path / "results"
        ),
    )
    found.rows = lambda: json.loads((found.site / "leaderboard.json").read_text())["rows"]
    for key in ("one/run", "two/run"):
        put(key)
    return found


def accept(challenge, key, phase="dev"):
    challenge.tell("accepted", key, phase_reason(phase))


def test_what_the_ledger_does_not_know_is_not_shown(challenge):
    accept(challenge, "one/run")
    site = challenge.build()
    assert [(row.key, "not taken in yet" in row.reason) for row in site.refused] == [
        ("two/run", True)
    ]
    assert [row["team"] for row in challenge.rows()] == ["one"]


def test_another_version_than_the_accepted_one_is_not_shown(challenge):
    accept(challenge, "one/run")
    challenge.build()
    challenge.put("one/run", videos=(DOG, CAT))
    site = challenge.build()
    reasons = {row.key: row.reason for row in site.refused}
    assert "changed since the ledger accepted it" in reasons["one/run"]
    assert challenge.rows() == []
    challenge.tell("replaced", "one/run", NEW_VERSION)
    accept(challenge, "one/run")
    assert "one/run" not in {row.key for row in challenge.build().refused}


def test_a_withdrawn_run_stays_struck_with_time_and_reason_without_its_files(challenge):
    accept(challenge, "one/run")
    accept(challenge, "two/run")
    challenge.build()
    line = challenge.tell("withdrawn", "one/run", "a bug in <our> reader")
    shutil.rmtree(challenge.submissions / "one")
    site = challenge.build()
    assert site.refused == ()
    page = (challenge.site / "index.html").read_text()
    section = page[page.index('id="withdrawn"') :]
    assert "<del><code>one/run</code></del>" in section
    assert line.at in section
    assert "a bug in &lt;our&gt; reader" in section
    assert [row["team"] for row in challenge.rows()] == ["two"]


@pytest.mark.parametrize("challenge", ["hidden"], indirect=True)
def test_figures_of_a_phase_that_tells_less_wait_until_the_ledger_closes_it(challenge):
    accept(challenge, "one/run", "final")
    assert str(challenge.build()).endswith(", 1 without figures until their phase closes")
    assert challenge.rows() == []
    page = (challenge.site / "index.html").read_text()
    assert "one/run" in page[page.index('id="pending"') :]
    challenge.tell("phase-closed", why=phase_reason("final"))
    challenge.build()
    assert [row["team"] for row in challenge.rows()] == ["one"]


@pytest.mark.parametrize("challenge", ["hidden"], indirect=True)
def test_a_phase_that_was_renamed_shows_no_figures_of_hidden_labels(challenge):
    accept(challenge, "one/run", "final")
    path = challenge.submissions / "challenge.toml"
    path.write_text(path.read_text().replace('name = "final"', 'name = "finale"'))
    site = challenge.build()
    assert challenge.rows() == []
    assert site.summary.runs == 0


def test_public_labels_leave_nothing_to_wait_for(challenge):
    accept(challenge, "one/run", "final")
    challenge.build()
    assert [row["team"] for row in challenge.rows()] == ["one"]


def test_runs_of_another_split_and_with_other_labels_are_not_shown(challenge):
    challenge.tell("accepted", "one/run", phase_reason("dev"), gold_sha256="0" * 64)
    challenge.tell("accepted", "two/run", phase_reason("dev"), fingerprint="0" * 64)
    reasons = {row.key: row.reason for row in challenge.build().refused}
    assert "`ivcr intake --rescore`" in reasons["one/run"]
    assert "another benchmark" in reasons["two/run"]
    text = (challenge.submissions / "challenge.toml").read_text()
    (challenge.submissions / "challenge.toml").write_text(text.replace('"test"', '"val"', 1))
    assert challenge.build().refused == ()
    assert challenge.rows() == []


def test_every_page_has_the_head_of_the_ledger_and_the_time_of_its_last_event(challenge):
    accept(challenge, "one/run")
    challenge.build()
    accept(challenge, "two/run")
    challenge.build()
    line = challenge.tell("withdrawn", "two/run", "by request")
    head = challenge.build() and line_head(challenge)
    pages = list(challenge.site.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        text = page.read_text("utf-8")
        assert text.count(head) == 1, page.name
        assert text.count(f"<time>{line.at}</time></span>") == 1, page.name
    incremental = tree(challenge.site)
    shutil.rmtree(challenge.site)
    challenge.site.with_name(".site.ledger.json").unlink()
    challenge.build()
    assert tree(challenge.site) == incremental


def accepted(challenge, key, days):
    challenge.tell("accepted", key, phase_reason("dev"), now=NOON + timedelta(days=days))


def test_the_best_figure_over_time_follows_the_ledger_on_pages_that_did_not_change(challenge):
    challenge.put("two/run", videos=(DOG, CAT))
    accepted(challenge, "one/run", 0)
    accepted(challenge, "two/run", 2)
    challenge.build()
    page = challenge.site / "tracks/video.html"
    times = [(NOON + timedelta(days=n)).strftime("%Y-%m-%d %H:%M") for n in (0, 2, 5)]
    text = page.read_text("utf-8")
    assert all(f">{at}</time>" in text for at in times[:2])
    assert f'data-accepted="{times[1][:10]}"' in text
    challenge.tell("replaced", "one/run", NEW_VERSION, now=NOON + timedelta(days=5))
    accepted(challenge, "one/run", 5)
    challenge.build()
    text = page.read_text("utf-8")
    assert all(f">{at}</time>" in text for at in times[1:])
    assert f">{times[0]}</time>" not in text
    incremental = tree(challenge.site)
    shutil.rmtree(challenge.site)
    challenge.site.with_name(".site.ledger.json").unlink()
    challenge.build()
    assert tree(challenge.site) == incremental


def line_head(challenge):
    from harness.challenge.ledger import read_ledger

    return read_ledger(challenge.submissions).head


def test_a_team_is_its_folder_and_not_what_its_card_says(challenge):
    challenge.put("one/run", team="two")
    (challenge.submissions / "one" / "team.toml").write_text('name = "The First"\n')
    accept(challenge, "one/run")
    accept(challenge, "two/run")
    challenge.build()
    assert [row["team"] for row in challenge.rows()] == ["The First", "two"]


def test_a_renamed_team_is_renamed_on_pages_that_did_not_change(challenge):
    accept(challenge, "one/run")
    challenge.build()
    (challenge.submissions / "one" / "team.toml").write_text('name = "The Second"\n')
    challenge.build()
    assert [row["team"] for row in challenge.rows()] == ["The Second"]
    assert "The Second" in (challenge.site / "systems" / "one--run.html").read_text()


def test_of_an_anonymous_team_nothing_is_told_but_its_alias(challenge):
    secret = "Real Name"
    folder = challenge.put("one/run", team="Alias")
    text = (folder / "card.toml").read_text()
    more = [f'{name} = "https://example.org/{secret}"' for name in ("code", "paper")]
    (folder / "card.toml").write_text("\n".join([text, f'contact = "{secret}"', *more]) + "\n")
    (folder / "scores.json").write_text(json.dumps({"submission": {"team": secret}}))
    (folder.parent / "team.toml").write_text(
        f'name = "Alias"\nanonymous = true\nmembers = ["{secret}"]\ncontact = "{secret}"\n'
    )
    accept(challenge, "one/run")
    challenge.build()
    assert [row["team"] for row in challenge.rows()] == ["Alias"]
    for path in challenge.site.rglob("*"):
        assert secret not in path.name
        assert path.is_dir() or secret.encode() not in path.read_bytes(), path.name


@pytest.mark.parametrize("ledger", [True, False])
def test_refusals_of_an_anonymous_team_repeat_no_word_of_its_files(challenge, ledger):
    secret = "Real_Name"
    (challenge.submissions / "one" / "team.toml").write_text('name = "Alias"\nanonymous = true\n')
    for name, line in (("a", f"{secret} = 1"), ("b", f'kind = "{secret}"')):
        card = challenge.put(f"one/{name}", team="Alias") / "card.toml"
        card.write_text(f"{line}\n{card.read_text()}")
    (challenge.put("one/c", team="Alias") / "predictions.jsonl.zst").unlink()
    (challenge.submissions / "one/c/predictions.jsonl").write_text(f'{{"{secret}": 1}}\n')
    if not ledger:
        (challenge.submissions / "challenge.toml").unlink()
    site = challenge.build()
    assert {"one/a", "one/b", "one/c"} <= {row.key for row in site.refused}
    assert secret not in " ".join(site.notes())
    for path in challenge.site.rglob("*.*"):
        assert secret.encode() not in path.read_bytes(), path.name


def test_a_team_file_that_is_not_valid_refuses_the_teams_runs_without_a_place(challenge):
    accept(challenge, "one/run")
    (challenge.submissions / "one" / "team.toml").write_text("name = 7\n")
    (refusal, _) = challenge.build().refused
    assert refusal.key == "one/run"
    assert "team.toml" in refusal.reason
    assert str(challenge.submissions) not in refusal.reason


def test_records_of_unchanged_runs_name_who_runs_the_board_now_and_where_the_data_lie(challenge):
    accept(challenge, "one/run")
    challenge.build()
    path = challenge.submissions / "challenge.toml"
    path.write_text('organizers = ["A. Example"]\n' + path.read_text())
    challenge.build()
    place = challenge.site / "exports"
    record = json.loads((place / "one--run.every_eval_ever.json").read_text())
    assert record["source_metadata"]["source_organization_name"] == "A. Example"
    header = challenge.benchmark / "benchmark.json"
    about = {"url": "https://huggingface.co/datasets/ivcr/toy"}
    header.write_text(json.dumps({**json.loads(header.read_text()), "about": about}))
    challenge.build()
    assert "ivcr/toy" in (place / "one--run.eval_results.yaml").read_text()
    board = json.loads((challenge.site / "api/v1/board.json").read_text())
    assert board["scorer"]
    assert board["challenge"]["organizers"] == ["A. Example"]
    again = tree(challenge.site)
    challenge.build()
    assert tree(challenge.site) == again


def test_a_withdrawn_run_takes_its_badge_and_records_along(challenge):
    accept(challenge, "one/run")
    accept(challenge, "two/run")
    challenge.build()
    badges = challenge.site / "badges"
    assert {path.stem for path in badges.iterdir()} == {"one--run", "two--run"}
    challenge.tell("withdrawn", "one/run", "a bug")
    challenge.put("two/run", videos=(DOG, CAT))
    challenge.build()
    left = [path for path in challenge.site.rglob("*") if path.name.startswith(("one--", "two--"))]
    assert left == []
    feed = (challenge.site / "feed.atom").read_text()
    assert "<title>Withdrawn: one/run</title>" in feed


@pytest.mark.parametrize("challenge", ["hidden"], indirect=True)
def test_of_a_run_whose_figures_wait_programs_read_that_it_was_accepted_alone(challenge):
    accept(challenge, "one/run", "final")
    challenge.build()
    holding = {
        path.relative_to(challenge.site).as_posix()
        for path in challenge.site.rglob("*.*")
        if b"one/run" in path.read_bytes() or "one--run" in path.name
    }
    assert holding == {"index.html", "index.zh.html", "feed.atom", "api/v1/events.json"}


def test_the_terms_stand_on_the_page_with_the_line_that_accepts_them(challenge):
    path = challenge.submissions / "challenge.toml"
    path.write_text('terms = "Be <fair>."\n' + path.read_text())
    accept(challenge, "one/run")
    challenge.build()
    page = (challenge.site / "index.html").read_text()
    section = page[page.index('id="terms"') :]
    assert "Be &lt;fair&gt;." in section
    assert read_challenge(challenge.submissions).terms_version in section


def corrected(challenge, key, figures, ranks):
    """Say that a run was scored again, and what moved."""
    run = CorrectedRun(key, "test", figures, ranks)
    correction = Correction(1, "label <7> mended", (run,))
    sha256 = write_correction(challenge.submissions, correction)
    why = correction_reason(correction.why, sha256)
    return challenge.tell("rescored", key, why, submission_sha256=challenge.sha256(key))


def test_old_and_new_figures_stand_side_by_side_with_the_reason(challenge):
    accept(challenge, "one/run")
    line = corrected(
        challenge,
        "one/run",
        (CorrectedFigure("R@1", 0.25, 0.5),),
        CorrectedRanks((2, 3, 9), (1, 2, 9)),
    )
    challenge.build()
    page = (challenge.site / "index.html").read_text()
    section = page[page.index('id="corrections"') :]
    assert line.at in section
    assert "label &lt;7&gt; mended" in section
    assert "R@1 25.0 → 50.0" in section
    assert "2–3 / 9 → 1–2 / 9" in section


def test_a_correction_that_somebody_changed_stops_the_build(challenge):
    accept(challenge, "one/run")
    corrected(challenge, "one/run", (), None)
    (path,) = challenge.submissions.glob("correction-*.json")
    path.write_bytes(path.read_bytes().replace(b"mended", b"changed"))
    with pytest.raises(EnvironmentFailure, match="changed since the ledger named it"):
        challenge.build()


def test_the_events_of_a_split_are_those_of_the_ledger_in_its_order(challenge):
    def tell(minute, event, key="one/run", why=None):
        sha256 = {"submission_sha256": challenge.sha256(key)}
        challenge.tell(event, key, why, NOON + timedelta(minutes=minute), **sha256)

    tell(1, "accepted", why=phase_reason("dev"))
    tell(2, "accepted", "two/run", phase_reason("dev"))
    challenge.put("one/run", videos=(DOG, CAT))
    tell(3, "replaced", why=NEW_VERSION)
    tell(4, "accepted", why=phase_reason("dev"))
    tell(5, "scored")
    tell(6, "rescored", why="a label was wrong")
    tell(7, "withdrawn", "two/run", "a bug")
    board = BoardSplit(challenge.benchmark, "test")
    admission = read_admission(challenge.submissions, board.bench)
    events = admission.events()
    assert [(event.what, event.key, event.why) for event in events] == [
        ("accepted", "one/run", ""),
        ("accepted", "two/run", ""),
        ("replaced", "one/run", ""),
        ("rescored", "one/run", "a label was wrong"),
        ("withdrawn", "two/run", "a bug"),
    ]
    board = BoardContents((), (), (), events=events)
    assert board.accepted_at()["one/run"] == "2026-03-01T12:04:00Z"


def test_a_withdrawal_stays_told_after_the_run_was_accepted_again(challenge):
    def tell(minute, event, why=None):
        sha256 = {"submission_sha256": challenge.sha256("one/run")}
        challenge.tell(event, "one/run", why, NOON + timedelta(minutes=minute), **sha256)

    tell(1, "accepted", phase_reason("dev"))
    tell(2, "withdrawn", "a bug")
    tell(2, "accepted", phase_reason("dev"))
    tell(3, "replaced", NEW_VERSION)
    tell(4, "accepted", phase_reason("dev"))
    tell(5, "withdrawn", "another bug")
    tell(6, "withdrawn", "the whole team")
    bench = BoardSplit(challenge.benchmark, "test").bench
    events = read_admission(challenge.submissions, bench).events()
    assert [(event.at[14:16], event.what, event.why) for event in events] == [
        ("01", "accepted", ""),
        ("02", "withdrawn", "a bug"),
        ("02", "accepted", ""),
        ("04", "replaced", ""),
        ("05", "withdrawn", "another bug"),
    ]
