"""Item analysis: planted label errors are found, few systems are told what cannot be said."""

import random

import pytest

from harness.comparison.entrants import read_entrants
from harness.errors import WrongUsageError
from harness.items import analyse
from harness.items.analysis import SUSPECT
from harness.items.terminal import text_lines
from tests.comparison.worlds import submit, world
from tests.validation.bad import REPORTED
from tests.validation.samples import write_submission

DIALOGUES = [(1, "v0 v1 m2"), (1, "v3 c m4"), (7, "v5 v6"), (0, "c")]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return world(tmp_path_factory.mktemp("bench"), *DIALOGUES)


def runs(folder, bench, *marks):
    return [submit(folder / f"run{n}", bench, *given) for n, given in enumerate(marks)]


def places(items):
    return [(int(each.dialogue_id[1:7]), each.turn) for each in items]


def test_what_a_pattern_names_beside_submissions_is_passed_over(tmp_path, bench):
    marks = ("111", "111", "10", "1"), ("101", "111", "10", "1")
    team = tmp_path / "team"
    team.mkdir()
    made = runs(team, bench, *marks)
    before = analyse(made, bench)
    reported = write_submission(team / "paper", REPORTED)
    (reported / "predictions.jsonl").unlink()
    for name in ("next.run", "__MACOSX"):
        (team / name).mkdir()
    for name in ("team.toml", ".DS_Store", "Thumbs.db"):
        (team / name).write_bytes(b"\0")
    after = analyse(sorted(team.iterdir()), bench)
    note = f'"{reported}": a reported card, which has no predictions; passed over.'
    assert (after.systems, after.notes) == (before.systems, (note, *before.notes))
    with pytest.raises(WrongUsageError, match="found none among the named"):
        analyse([reported], bench)


def test_turns_are_sorted_into_nobody_everybody_and_suspect_by_hand(tmp_path, bench):
    # Strong, middle, weak; only the weak one has dialogue 2 (type 7), turn 2.
    made = runs(tmp_path, bench, ("111", "111", "10", "1"), ("101", "111", "10", "1"),
                ("001", "010", "11", "1"))  # fmt: skip
    found = analyse(made, bench)
    video, moment = found.tasks
    assert (video.turns, video.nobody, video.everybody, video.suspect) == (5, 0, 1, 1)
    assert (moment.turns, moment.nobody, moment.everybody, moment.suspect) == (2, 0, 1, 0)
    assert places(found.suspect) == [(2, 2)]
    [suspect] = found.suspect
    assert (suspect.right, suspect.wrong) == (("C",), ("A", "B"))
    # Rests 4, 3, 1 (of five video turns), right for the last alone.
    assert suspect.index == pytest.approx(-15 / (126 * 2) ** 0.5, abs=1e-9)
    assert "2 of the 2 systems that miss it put the same other video first" in suspect.reasons
    assert found.nobody == ()


def test_nobody_right_lists_those_with_most_reasons_first(tmp_path):
    bench = world(tmp_path, (1, "v0"), (1, "v1"), (1, "v2"))
    found = analyse(runs(tmp_path, bench, "-00", "-00", "--1"), bench)
    # All have the same words. In dialogue 1 two of three systems agree on another video as well.
    assert places(found.nobody) == [(1, 1), (0, 1)]
    assert [len(each.reasons) for each in found.nobody] == [2, 1]
    assert [each.right for each in found.nobody] == [(), ()]


def test_planted_label_errors_are_the_suspects(tmp_path):
    draw = random.Random(20251201)
    dialogues = [(1, f"v{n % 50}") for n in range(150)]
    bench = world(tmp_path, *dialogues)
    wrong = set(draw.sample(range(150), 8))
    made = []
    for system in range(12):
        ability = 0.05 + 0.08 * system
        # A system that finds the true video misses the recorded one; a weak one may hit upon it.
        rates = [0.8 * (1 - ability) if n in wrong else ability for n in range(150)]
        marks = "".join("01"[draw.random() < rate] for rate in rates)
        made.append(submit(tmp_path / f"run{system:02}", bench, marks))
    found = analyse(made, bench)
    planted = [each[0] in wrong for each in places(found.suspect)]
    assert sum(planted) >= 5  # of 8
    assert sum(planted) > len(planted) / 2  # by chance one in 19 would be
    assert all(each.index <= SUSPECT for each in found.suspect)
    assert [each.index for each in found.suspect] == sorted(each.index for each in found.suspect)


def test_a_system_is_left_out_of_a_task_that_it_never_answers(tmp_path, bench):
    made = runs(tmp_path, bench, ("11-", "11-", "11", "1"), ("111", "111", "10", "1"))
    video, moment = analyse(made, bench).tasks
    assert video.systems == ("A", "B")
    assert moment.systems == ("B",)


def test_fewer_than_three_systems_are_told_what_can_be_said(tmp_path, bench):
    made = runs(tmp_path, bench, ("000", "111", "10", "1"), ("001", "111", "10", "1"))
    found = analyse(made, bench)
    assert found.suspect == ()
    assert places(found.nobody) == [(0, 1), (0, 2), (2, 2)]
    assert all(each.index is None for each in found.nobody)
    assert found.notes[0] == (
        "video turns: an index needs 3 systems that answer them, here are 2; add submissions."
    )
    assert analyse(made[:1], bench).tasks[0].nobody == 3


def test_few_systems_and_unlike_histories_are_noted(tmp_path, bench):
    made = runs(tmp_path, bench, *[("111", "111", "11", "1")] * 3)
    made.append(submit(tmp_path / "told", bench, "111", "111", "11", "1", history="reference"))
    found = analyse(made, bench)
    assert any("many turns are suspect by chance" in note for note in found.notes)
    assert any(note.startswith("Histories differ") for note in found.notes)


def test_hidden_labels_are_refused(tmp_path):
    hidden = world(tmp_path, (1, "v0"), labels="hidden")
    made = runs(tmp_path, hidden, "1", "1", "0")
    with pytest.raises(WrongUsageError, match="labels are hidden"):
        analyse(made, hidden)


def test_text_shows_the_first_of_each_list_and_how_many_more(tmp_path, bench):
    made = runs(tmp_path, bench, *[("000", "000", "00", "1")] * 3)
    lines = list(text_lines(analyse(made, bench), 2))
    assert "Turns that no system gets right: 7" in lines
    assert "  ... and 5 more; --format json holds them all" in lines
    assert sum("right: nobody; wrong: A, B, C" in line for line in lines) == 2
    assert any(line.startswith("     look: 3 of the 3 systems that miss it") for line in lines)


def test_missing_answers_are_wrong_and_say_nothing(tmp_path, bench):
    made = runs(tmp_path, bench, ("---", "---", "--", "1"), ("1-1", "111", "11", "1"))
    silent, other = read_entrants(made, bench).entrants
    assert not silent.right.any()
    assert set(silent.top_answers) == {(None, None)}
    assert other.right.tolist() == [True, False, True, True, False, True, True, True, False]
