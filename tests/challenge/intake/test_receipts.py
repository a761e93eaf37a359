"""A receipt tells what happened, and no more than the feedback of its phase allows."""

import json
import re

import pytest

from harness.challenge.challenge_file import read_challenge
from harness.challenge.intake import Ranks, Receipt, receipt_text
from harness.challenge.intake.telling import NOT_BETTER, headline_figures, tell
from harness.results import ResultsFolder
from harness.scoring import score
from tests.baselines.conftest import CAT, DOG, FOX
from tests.challenge.intake.conftest import CHALLENGE, Organizers, day


def receipt(organizers, key):
    return json.loads((organizers.settings.receipts / f"{key}.json").read_text())


def text(organizers, key):
    return (organizers.settings.receipts / f"{key}.md").read_text()


def ranks(at, of):
    return {"best": at, "worst": at, "of": of}


def counted(phase, results):
    """A board that ranks runs by their names, the first one first."""
    names = sorted(results)
    return {key: Ranks(at, at, len(names)) for at, key in enumerate(names, 1)}


def test_exact_feedback_tells_the_figures_of_scoring_and_ranks(organizers):
    organizers.put("b/1")
    organizers.intake(day(2), ranks=counted)
    folder = organizers.put("a/1", videos=(DOG, CAT))
    organizers.put("b/1", videos=(FOX, CAT))
    organizers.intake(day(3), ranks=counted)
    found = receipt(organizers, "a/1")
    cells = score(folder, organizers.benchmark, "train").document["metrics"]["all"]
    figure = found["figures"]["R@1"]
    assert (figure["value"], figure.get("low")) == (cells["R@1"]["value"], cells["R@1"]["low"])
    assert (found["before"], found["after"]) == (None, ranks(1, 2))
    other = receipt(organizers, "b/1")
    assert (other["before"], other["after"]) == (ranks(1, 1), ranks(2, 2))
    assert (found["verdict"], found["phase"], found["feedback"]) == ("scored", "dev", "exact")
    assert found["spent"] == {"used": 1, "quota": 3, "today": 1, "daily": 2}
    assert found["at"] == "2026-01-03T12:00:00Z"
    shown = text(organizers, "a/1")
    assert shown.startswith("# a/1: accepted and scored\n")
    assert "Rank after: 1 to 1 of 2." in shown
    assert f"{100 * cells['R@1']['value']:.2f}" in shown


def test_no_feedback_tells_no_figure_and_no_rank(organizers):
    organizers.put("a/1", split="test")
    organizers.intake(day(20), ranks=counted)
    found = receipt(organizers, "a/1")
    assert (found["figures"], found["before"], found["after"]) == (None, None, None)
    assert (found["verdict"], found["feedback"]) == ("scored", "none")
    assert "R\\@1" not in text(organizers, "a/1")


@pytest.fixture
def ladder(tmp_path):
    organizers = Organizers(tmp_path)
    challenge = CHALLENGE.replace('feedback = "exact"', 'feedback = "ladder"')
    (organizers.submissions / "challenge.toml").write_text(challenge)
    return organizers


def test_a_ladder_gets_the_teams_earlier_results_in_their_order(ladder):
    asked = []

    def release(phase, earlier, new):
        asked.append((phase.name, [each.key for each in earlier], new.key))
        return {"R@1": 0.25} if len(earlier) == 1 else {}

    ladder.put("a/2", seed=1)
    ladder.put("b/1", seed=2)
    ladder.intake(day(2), ladder=release, ranks=counted)
    ladder.put("a/2", seed=3)
    ladder.put("a/1", seed=4)
    ladder.intake(day(3), ladder=release)
    (_, none, first), (*_, other), (*_, second, last), (*_, third, _) = asked
    assert none == []
    assert (second, third) == ([first], [first, last])
    assert other not in third
    assert receipt(ladder, "a/1")["figures"] == {"R@1": {"value": 0.25}}
    assert (receipt(ladder, "a/2")["figures"], receipt(ladder, "a/2")["note"]) == (None, NOT_BETTER)
    assert receipt(ladder, "b/1")["after"] is None


def test_without_a_ladder_nothing_is_told_where_one_is_asked_for(ladder):
    ladder.put("a/1")
    ladder.intake(day(2))
    assert receipt(ladder, "a/1")["figures"] is None


def test_hidden_labels_give_rounded_figures_without_intervals(tmp_path):
    organizers = Organizers(tmp_path, labels="hidden")
    organizers.put("a/1", split="test")
    organizers.intake(day(20))
    phase = organizers.intake(day(20)).decisions
    assert phase == ()
    folder = ResultsFolder(organizers.settings.results)
    (place,) = folder.folder.glob("*/*/result.json")
    stored = folder.find(place.parent.name)
    for figure in headline_figures(stored, hidden=True).values():
        assert (figure.low, figure.high) == (None, None)
        assert figure.value == round(figure.value, 4)


def test_an_invalid_run_is_told_all_its_problems(organizers):
    organizers.put("a/1")
    organizers.spoil("a/1")
    organizers.intake(day(2))
    found = receipt(organizers, "a/1")
    assert (found["verdict"], found["ground"]) == ("refused", "content")
    assert found["totals"] == {"T100": 1}
    assert [problem["code"] for problem in found["problems"]] == ["T100"]
    assert found["spent"]["used"] == 0
    assert "- error: " in text(organizers, "a/1")


def test_a_fault_of_ours_is_told_as_ours_without_its_text(organizers, monkeypatch):
    from tests.challenge.intake.test_intake import faulty

    organizers.put("a/1")
    monkeypatch.setattr("harness.challenge.intake.scoring_phases.score_all", faulty("a/1"))
    organizers.intake(day(2))
    assert receipt(organizers, "a/1")["verdict"] == "waits"
    assert "memory" not in text(organizers, "a/1")
    assert "reason that is ours" in text(organizers, "a/1")


def test_foreign_text_in_a_receipt_is_escaped():
    made = Receipt(
        at="2026-01-01T00:00:00Z",
        team="a_b",
        run="1",
        submission_sha256=None,
        verdict="refused",
        ground="team",
        why="<script>alert(1)</script> [x](http://y) | \x1b[31m\u202e",
    )
    shown = receipt_text(made)
    assert re.search(r"(?<!\\)[<>|\[]", shown.split("submission unreadable")[1]) is None
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_receipts_of_the_same_intake_have_the_same_bytes(tmp_path):
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        organizers = Organizers(tmp_path / name)
        organizers.put("a/1")
        organizers.put("b/1")
        organizers.spoil("b/1")
        organizers.intake(day(2))
        receipts = organizers.settings.receipts
        found.append({p.relative_to(receipts): p.read_bytes() for p in receipts.rglob("*.*")})
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_tell_says_why_there_is_no_figure(organizers):
    organizers.put("a/1")
    organizers.intake(day(2))
    folder = ResultsFolder(organizers.settings.results)
    (place,) = folder.folder.glob("*/*/result.json")
    stored = folder.find(place.parent.name)
    challenge = read_challenge(organizers.submissions)
    told = tell(challenge.phase("final"), stored, (), hidden=False, ladder=None)
    assert told.figures is None
    assert "tells no figures" in told.note
