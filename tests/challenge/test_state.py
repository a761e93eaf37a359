"""What a ledger says: a function of its lines alone."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from harness.challenge.ledger import read_ledger
from harness.challenge.reasons import (
    InPhase,
    parse_phase,
    parse_refused,
    parse_renamed,
    phase_reason,
    refused_reason,
    renamed_reason,
)
from harness.challenge.state import ChallengeState, replay
from tests.challenge.lines import EVENT, accepted, event, sha, write_ledger


def state_of(folder, *events):
    write_ledger(folder, events)
    ledger = read_ledger(folder)
    return replay(ledger.lines, ledger.head)


def scored(key, number, **more):
    more = {"scores_sha256": sha(99), "gold_sha256": sha(7), "fingerprint": sha(8)} | more
    return event("scored", key, number, scorer="ivcr-1", **more)


def test_a_run_is_accepted_then_scored(tmp_path):
    state = state_of(tmp_path, accepted("a/1", 1), accepted("b/1", 2), scored("a/1", 1))
    run = state.runs["a/1"]
    assert (run.status, run.changed_at) == ("scored", "2026-03-01T12:02:00Z")
    version = run.version
    assert (version.phase, version.accepted_at) == ("dev", "2026-03-01T12:00:00Z")
    assert (version.scores_sha256, version.scorer) == (sha(99), "ivcr-1")
    assert (version.gold_sha256, version.fingerprint) == (sha(7), sha(8))
    assert state.runs["b/1"].status == "accepted"
    shown = {key: version.submission_sha256 for key, version in state.accepted().items()}
    assert shown == {"a/1": sha(1), "b/1": sha(2)}
    assert state.last_event == "2026-03-01T12:02:00Z"
    assert state.head == read_ledger(tmp_path).head


def test_a_new_version_replaces_the_old_one(tmp_path):
    state = state_of(
        tmp_path, accepted("a/1", 1), scored("a/1", 1),
        event("replaced", "a/1", 1, why="new version"), accepted("a/1", 2),
    )  # fmt: skip
    run = state.runs["a/1"]
    assert run.status == "accepted"
    assert [version.submission_sha256 for version in run.versions()] == [sha(1), sha(2)]
    assert state.accepted()["a/1"].submission_sha256 == sha(2)


def test_a_refused_new_version_leaves_the_accepted_one(tmp_path):
    state = state_of(
        tmp_path, accepted("a/1", 1), scored("a/1", 1),
        event("refused", "a/1", 2, why="content: 3 errors"),
        event("refused", "b/1", 3, why="team: x"),
    )  # fmt: skip
    assert state.runs["a/1"].status == "scored"
    assert state.runs["a/1"].refused.submission_sha256 == sha(2)
    assert state.runs["b/1"].status == "refused"
    assert set(state.accepted()) == {"a/1"}


def test_what_was_admitted_and_is_invalid_gives_way_to_the_version_before(tmp_path):
    state = state_of(
        tmp_path, accepted("a/1", 1), scored("a/1", 1),
        accepted("a/1", 2, why="phase dev; admitted late: mail was down"),
        event("refused", "a/1", 2, why="content: 1 error"),
    )  # fmt: skip
    assert state.runs["a/1"].status == "scored"
    assert state.accepted()["a/1"].submission_sha256 == sha(1)


def test_a_run_is_scored_again(tmp_path):
    again = event("rescored", "a/1", 1, scores_sha256=sha(98), gold_sha256=sha(6), scorer="ivcr-2",
                  fingerprint=sha(8), why="label fixed")  # fmt: skip
    run = state_of(tmp_path, accepted("a/1", 1), scored("a/1", 1), again).runs["a/1"]
    assert run.status == "scored"
    assert (run.version.scores_sha256, run.version.gold_sha256) == (sha(98), sha(6))
    assert run.version.rescored == [("2026-03-01T12:02:00Z", "label fixed")]
    assert run.version.scored_at == "2026-03-01T12:01:00Z"


def test_scores_of_another_version_change_nothing(tmp_path):
    run = state_of(tmp_path, accepted("a/1", 1), scored("a/1", 2)).runs["a/1"]
    assert (run.status, run.version.scores_sha256) == ("accepted", None)


def test_a_withdrawn_run_stays_with_its_reason(tmp_path):
    state = state_of(
        tmp_path, accepted("a/1", 1), scored("a/1", 1), accepted("a/2", 2), accepted("b/1", 3),
        event("withdrawn", "a", why="asked to"),
    )  # fmt: skip
    found = {key: (run.status, run.why) for key, run in state.runs.items()}
    assert found == {
        "a/1": ("withdrawn", "asked to"),
        "a/2": ("withdrawn", "asked to"),
        "b/1": ("accepted", "phase dev"),
    }
    assert state.runs["a/1"].version.scores_sha256 == sha(99)
    assert set(state.accepted()) == {"b/1"}


def test_a_renamed_run_keeps_its_history(tmp_path):
    state = state_of(
        tmp_path, accepted("a/1", 1), scored("a/1", 1), accepted("ab/1", 4),
        event("replaced", "a/1", why="renamed to one; a better name"), accepted("a/1", 2),
        event("revealed", "a"), event("replaced", "a", why="renamed to zeta; asked to"),
    )  # fmt: skip
    assert {key: run.version.submission_sha256 for key, run in state.runs.items()} == {
        "zeta/one": sha(1),
        "zeta/1": sha(2),
        "ab/1": sha(4),
    }
    assert state.runs["zeta/one"].status == "scored"
    assert state.revealed == {"zeta"}
    assert state.renamed == {"a/1": "one", "a": "zeta"}


def test_phases_labels_exams(tmp_path):
    state = state_of(
        tmp_path, event("phase-opened", why="phase dev"), event("labels-committed", why="salted"),
        event("phase-closed", why="phase dev"), event("exam-opened", "a/1"),
        event("exam-voided", "a/1", why="outage"), event("labels-opened"),
    )  # fmt: skip
    assert state.phases["dev"].opened_at == "2026-03-01T12:00:00Z"
    assert state.phases["dev"].closed_at == "2026-03-01T12:02:00Z"
    (labels,) = state.labels
    assert (labels.at, labels.opened_at) == ("2026-03-01T12:01:00Z", "2026-03-01T12:05:00Z")
    assert state.exams["a/1"].event == "exam-voided"


def test_what_counts_against_a_quota(tmp_path):
    state = state_of(
        tmp_path, accepted("a/1", 1), scored("a/1", 1), accepted("a/2", 2),
        accepted("a/3", 3), event("replaced", "a/3", 3, why="new version"), accepted("a/3", 4),
        event("refused", "a/4", 5, why="content: x"), accepted("a/5", 6, why="phase final"),
        accepted("a/6", 7, why="phase dev; admitted late: appeal"), accepted("b/1", 8),
        event("withdrawn", "a/1", why="x"),
    )  # fmt: skip
    # 1 was scored, 2 and 4 wait; 3 was never scored, 5 refused, 6 in another phase, 7 admitted.
    assert state.counted("a", "dev") == 3
    assert state.counted("a", "dev", date(2026, 3, 1)) == 3
    assert state.counted("a", "dev", date(2026, 3, 2)) == 0
    assert state.counted("a", "final") == 1
    assert state.counted("c", "dev") == 0


@given(events=st.lists(EVENT, max_size=8), data=st.data())
def test_any_events_can_be_replayed_at_once_or_in_two_parts(events, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    whole = state_of(folder, *events)
    lines = read_ledger(folder).lines
    cut = data.draw(st.integers(0, len(lines)))
    parts = ChallengeState()
    parts.follow(lines[:cut], "")
    parts.follow(lines[cut:], whole.head)
    assert parts == whole


def test_the_phase_of_a_reason():
    assert parse_phase(phase_reason("dev")) == InPhase("dev")
    late = phase_reason("dev 2", "mail; admitted late: was down")
    assert parse_phase(late) == InPhase("dev 2", "mail; admitted late: was down")
    assert parse_phase("another") is parse_phase(None) is None


def test_the_other_reasons():
    assert parse_renamed(renamed_reason("b.2", "x; y")) == "b.2"
    assert parse_renamed("renamed to b!") is parse_renamed(None) is None
    assert parse_refused(refused_reason("quota", "x")) == "quota"
    assert parse_refused("mood: x") is parse_refused(None) is None
    assert len(refused_reason("content", "x" * 2000)) <= 1000
