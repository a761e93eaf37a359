"""A receipt tells what happened, and no more than the feedback of its phase allows."""

import json
import re
import shutil

from harness.challenge.challenge_file import read_challenge
from harness.challenge.feedback import LadderFeedback
from harness.challenge.intake import Ranks, Receipt, receipt_text
from harness.challenge.intake.ladder_release import LadderRelease
from harness.challenge.intake.telling import AFTERWARDS, FORGOTTEN, NOT_BETTER
from harness.results import ResultsFolder
from harness.scoring import design_of, score
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
    assert "Rank after: 1 of 2." in shown
    assert f"{100 * cells['R@1']['value']:.2f}" in shown


def hidden(root, feedback):
    """A challenge on hidden labels whose phase `final` has this feedback."""
    organizers = Organizers(root, labels="hidden")
    challenge = CHALLENGE.replace('quota = 1\nfeedback = "none"', f'feedback = "{feedback}"')
    (organizers.submissions / "challenge.toml").write_text(challenge)
    return organizers


def test_of_public_labels_all_is_told(organizers):
    organizers.put("a/1", split="test")
    organizers.intake(day(20), ranks=counted)
    found = receipt(organizers, "a/1")
    assert (found["feedback"], found["after"]) == ("exact", ranks(1, 1))
    assert set(found["figures"]) > {"R@1", "MRR"}


def test_no_feedback_tells_no_figure_and_no_rank(tmp_path):
    organizers = hidden(tmp_path, "none")
    organizers.put("a/1", split="test")
    organizers.intake(day(20), ranks=counted)
    found = receipt(organizers, "a/1")
    assert (found["figures"], found["before"], found["after"]) == (None, None, None)
    assert (found["verdict"], found["feedback"], found["note"]) == ("scored", "none", AFTERWARDS)
    assert "R\\@1" not in text(organizers, "a/1")


def test_exact_feedback_on_hidden_labels_tells_one_rounded_figure(tmp_path):
    organizers = hidden(tmp_path, "exact")
    folder = organizers.put("a/1", split="test")
    organizers.intake(day(20), ranks=counted)
    value = score(folder, organizers.benchmark).document["metrics"]["all"]["R@1"]["value"]
    found = receipt(organizers, "a/1")
    assert found["figures"] == ({} if value is None else {"R@1": {"value": round(value, 4)}})
    assert found["after"] == ranks(1, 1)


def test_a_ladder_gets_the_teams_earlier_results_in_their_order(tmp_path):
    organizers, asked = hidden(tmp_path, "ladder"), []

    def release(phase, earlier, new):
        asked.append(([each.key for each in earlier], new.key))
        return {"R@1": 0.25} if len(earlier) == 1 else {}

    organizers.put("a/2", split="test", seed=1)
    organizers.put("b/1", split="test", seed=2)
    organizers.intake(day(20), ladder=release, ranks=counted)
    organizers.put("a/2", split="test", seed=3)
    organizers.put("a/1", split="test", seed=4)
    organizers.intake(day(21), ladder=release)
    (none, first), (_, other), (second, last), (third, _) = asked
    assert (none, second, third) == ([], [first], [first, last])
    assert other not in third
    assert receipt(organizers, "a/1")["figures"] == {"R@1": {"value": 0.25}}
    again = receipt(organizers, "a/2")
    assert (again["figures"], again["note"]) == (None, NOT_BETTER)
    assert receipt(organizers, "b/1")["after"] is None


def test_a_ladder_tells_nothing_where_earlier_results_are_gone(tmp_path):
    organizers, asked = hidden(tmp_path, "ladder"), []
    organizers.put("a/1", split="test", seed=1)
    organizers.intake(day(20))
    shutil.rmtree(organizers.settings.results)
    organizers.put("a/2", split="test", seed=2)
    organizers.put("b/1", split="test", seed=3)

    def release(phase, earlier, new):
        asked.append(new.key)
        return {"R@1": 0.25}

    organizers.intake(day(21), ladder=release)
    found = receipt(organizers, "a/2")
    assert (found["figures"], found["note"]) == (None, FORGOTTEN)
    assert receipt(organizers, "b/1")["figures"] == {"R@1": {"value": 0.25}}
    assert len(asked) == 1


def test_the_ladder_releases_what_beats_the_best_that_was_released(tmp_path):
    organizers = hidden(tmp_path, "ladder")
    organizers.put("a/1", split="test", videos=(DOG, CAT))
    organizers.intake(day(20))
    benchmark = organizers.benchmark
    folder = ResultsFolder(organizers.settings.results)
    (place,) = folder.folder.glob("*/*/result.json")
    stored = folder.find(place.parent.name)
    challenge = read_challenge(organizers.submissions)
    release, phase = LadderRelease(challenge, benchmark), challenge.phase("final")
    scored = score(organizers.submissions / "a" / "1", benchmark)
    alone = LadderFeedback("R@1", design_of(scored.frame)).release(None, scored.columns["R@1"])
    assert release(phase, [], stored) == ({} if alone is None else {"R@1": alone})
    assert release(phase, [stored], stored) == {}


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
