"""A challenge from its first day to its last: thirty teams, two phases, one command a step."""

import json
import shutil
from itertools import pairwise
from types import SimpleNamespace

import pytest

from harness.challenge.administration import read_state
from harness.challenge.ledger import read_ledger
from tests.leaderboard.site.test_builder import tree
from tests.rehearsal import benchmarks
from tests.rehearsal.course import Course, mentions, published_head
from tests.rehearsal.days import DAYS, FIXED
from tests.rehearsal.expected import COUNTED, EVENTS, SHOWN
from tests.rehearsal.teams import ALIAS, HONEST, REAL_NAME, TEAMS

# One process of `make test-long` has them all: each would go the whole course by itself.
pytestmark = pytest.mark.xdist_group("rehearsal")


@pytest.fixture(
    scope="module",
    params=["small", pytest.param("mini", marks=pytest.mark.long)],
)
def course(request, tmp_path_factory):
    """The whole course; a small benchmark, or all of IVCR-Mini."""
    made = benchmarks.small_samples if request.param == "small" else benchmarks.mini_samples
    course = Course(tmp_path_factory.mktemp("rehearsal"), *made())
    for day in DAYS:
        day(course)
    return course


@pytest.fixture(scope="module")
def again(course):
    """The boards made of what the teams and the ledger say alone, in another place."""
    place = course.root / "again"
    place.mkdir()
    kept = shutil.ignore_patterns("scores*", "run.json")
    submissions = shutil.copytree(course.submissions, place / "all", symlinks=True, ignore=kept)
    for split in ("val", "test"):
        course.build(split, f"again/site-{split}", submissions, place / "results")
    return SimpleNamespace(place=place, submissions=submissions)


def test_the_teams_are_thirty():
    assert len(set(TEAMS)) == len(TEAMS) == 30


def told(line):
    """A line of the ledger as the expectation writes it."""
    why = (line.why or "").removeprefix("phase ")
    if line.event == "refused":
        why = why.partition(":")[0]
    elif line.event.startswith("labels-"):
        why = why.removeprefix("labels of ").partition(":")[0]
    elif line.event == "rescored":
        assert why.startswith(FIXED)
        why = ""
    return line.event, line.key or line.team or "", why


def test_each_event_is_the_one_that_was_expected(course):
    assert [told(line) for line in read_ledger(course.submissions).lines] == EVENTS


def test_the_ledger_has_every_head_that_a_page_published(course):
    heads = course.heads[:]
    assert len(set(heads)) > 6
    assert heads[-1] == read_ledger(course.submissions).head
    for head in heads:
        course.ivcr("ledger", "verify", course.submissions, "--head", head)


def test_a_ledger_that_was_written_anew_lacks_the_published_heads(course, tmp_path):
    lines = (course.submissions / "ledger.jsonl").read_bytes().splitlines(True)
    for changed in (lines[:-1], lines[:40] + lines[41:], [lines[1], lines[0], *lines[2:]]):
        (tmp_path / "ledger.jsonl").write_bytes(b"".join(changed))
        course.ivcr("ledger", "verify", tmp_path, "--head", course.heads[-1], code=1)


def test_the_killed_intake_ends_as_one_that_was_not_killed(course):
    assert course.said["killed"] == course.said["uninterrupted"]


def test_quotas_count_what_was_scored(course):
    state = read_state(course.submissions)
    for team in TEAMS:
        for phase in ("dev", "final"):
            usual = 1 if phase == "dev" or team in HONEST else 0
            assert state.counted(team, phase) == COUNTED.get((team, phase), usual), (team, phase)


def test_boards_show_whom_the_ledger_accepted(course):
    for split, teams in SHOWN.items():
        assert set(course.rows(split)) == teams
    assert course.rows("test")["q7x"]["team"] == REAL_NAME
    page = (course.root / "site-val" / "index.html").read_text("utf-8")
    section = page[page.index('id="withdrawn"') :]
    assert all(f"<del><code>leaver/{run}</code></del>" in section for run in ("main", "second"))
    assert "at their wish" in section
    assert "2026-01-10T12:00:00Z" in section


def test_the_boards_are_made_again_from_predictions_and_ledger_alone(course, again):
    assert mentions(again.submissions, "scores.json") == []
    for split in ("val", "test"):
        incremental, anew = course.root / f"site-{split}", again.place / f"site-{split}"
        assert tree(anew) == tree(incremental)
        assert published_head(anew) == course.heads[-1]


def test_nothing_is_told_of_a_phase_on_hidden_labels_while_it_runs(course):
    assert course.said["rows while it runs"] == {}
    receipt = json.loads((course.root / "receipts" / "amber" / "final.json").read_text())
    assert receipt["feedback"] == "ladder"
    assert set(receipt["figures"] or ()) <= {"R@1"}
    assert (receipt["before"], receipt["after"]) == (None, None)
    assert course.said["labels"].out.endswith(": holds\n")


def test_the_real_name_was_nowhere_before_it_was_revealed(course):
    assert course.said["told before"] == []
    for split in ("val", "test"):
        assert mentions(course.root / f"site-{split}", REAL_NAME)
    assert mentions(course.root / "site-before", ALIAS)


def test_of_a_team_that_left_no_person_and_no_file_is_left(course):
    assert not (course.submissions / "leaver").exists()
    assert mentions(course.tree, "lea@example.org") == mentions(course.tree, "Lea Ver") == []


def test_a_forged_file_is_named_and_its_figures_are_not_shown(course):
    for name in ("first build", "second build"):
        line = 'its scores.json differs and does not count: "forger/main": '
        assert line in course.said[name].err
    rows = json.loads((course.root / "site-before" / "leaderboard.json").read_text())["rows"]
    (row,) = (row for row in rows if row["team"] == "Forger")
    assert row["metrics"]["R@1"]["value"] != 0.9


def test_pull_requests_of_a_stranger_touch_his_own_folder_alone(course):
    assert course.said["joins"].out.startswith("accepted: ")
    for name, code in (
        ("spoils_another", "another-team"),
        ("renames_another", "another-team"),
        ("edits_the_ledger", "ledger"),
        ("links", "link"),
    ):
        assert f"[{code}]" in course.said[name].err


def test_a_copy_with_a_card_of_its_own_is_named_to_the_organizers(course):
    assert '"amber/main" and "copycat/own"' in course.said["copies"].out


def test_ranks_that_moved_with_the_label_are_listed(course):
    rescored = [key for event, key, _ in EVENTS if event == "rescored"]
    assert f"{len(rescored)} runs scored again" in course.said["rescored"].out
    assert '"Vandal" ("vandal/main")' in course.said["moved"].out
    assert "R@1 (%): " in course.said["moved"].out


def test_times_of_the_ledger_go_forward(course):
    times = [line.at for line in read_ledger(course.submissions).lines]
    assert all(one <= other for one, other in pairwise(times))
