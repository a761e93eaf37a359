"""Files as people make them: another form, another split, another scale, another path."""

import json
import shutil
import tarfile
import zipfile

import pytest

from harness.errors import EnvironmentFailure, SubmissionError
from harness.files import is_leftover, zstd
from harness.protocols.result_file import read_result
from harness.records import Moment
from harness.validation import check
from tests.validation.bad import SOUND
from tests.validation.samples import CARD, LINES, UNDATED, encoded, write_submission

PREDICTIONS = "predictions.jsonl"


def report_of(tmp_path, benchmark, data, split="test"):
    sub = write_submission(tmp_path / "sub")
    (sub / PREDICTIONS).write_bytes(data)
    return check(sub, benchmark, split, keep=False).report


def by_id(nested):
    answers = {}
    for line in LINES:
        rest = {key: part for key, part in line.items() if key not in ("dialogue_id", "turn")}
        name, turn = line["dialogue_id"], str(line["turn"])
        if nested:
            answers.setdefault(name, {})[turn] = rest
        else:
            answers[f"{name}/{turn}"] = rest
    return answers


FORMS = {
    "an array": (json.dumps(LINES), "one JSON array; write its entries one a line"),
    "an array over lines": (json.dumps(LINES, indent=2), "one JSON array"),
    "an array with a mark": ("\ufeff\n " + json.dumps(LINES), "one JSON array"),
    "an array that is longer than a line may be": (json.dumps(LINES * 4000), "one JSON array"),
    "answers by id": (json.dumps(by_id(False)), "one JSON object of all answers"),
    "answers by id over lines": (json.dumps(by_id(False), indent=1), "one JSON object of all"),
    "answers by dialogue and turn": (json.dumps(by_id(True)), "one JSON object of all answers"),
    "rankings by id": ('{"d1/1": ["v/a.mp4"], "d1/2": [1, 2]}', "one JSON object of all answers"),
    "an array under a key": (json.dumps({"predictions": LINES}), "one JSON object of all answers"),
    "lines spread out": ("\n".join(json.dumps(x, indent=2) for x in LINES), "over several lines"),
    "a CSV table": ("Dialogue_ID;turn;videos\nd1;1;x\n", "`ivcr submission convert csv FILE"),
    "a TREC run": ("d1/1 Q0 v/a.mp4 1 3.0 run\n", "`ivcr submission convert trec FILE"),
}


@pytest.mark.parametrize("kind", FORMS)
def test_another_form_is_one_problem_with_the_next_step(kind, tmp_path, small):
    text, says = FORMS[kind]
    report = report_of(tmp_path, small, text.encode())
    assert report.totals == {"L113": 1}
    assert says in report.problems[0].message


@pytest.mark.parametrize(
    "line",
    [
        b'["d1", 1, ["v/a.mp4"]]',
        b'{"video": ["v/a.mp4"], "dialogue_id": "d1", "turn": 1}',
        b'{"moments": [{"video_id": "v/a.mp4", "start": 1, "end": 2}], "turn": 2}',
        b'{"x": {"y": 1}, "dialogue_id": "d1"}',
        b"",
    ],
)
def test_a_first_line_that_is_only_bad_is_not_taken_for_another_form(line, tmp_path, small):
    assert "L113" not in report_of(tmp_path, small, line + b"\n" + SOUND).totals


def test_another_form_is_seen_inside_a_compressed_file_too(tmp_path, small):
    sub = write_submission(tmp_path / "sub")
    (sub / PREDICTIONS).unlink()
    (sub / "predictions.jsonl.zst").write_bytes(zstd.compress(json.dumps(LINES).encode()))
    assert check(sub, small).report.totals == {"L113": 1}


def test_answers_of_another_split_are_one_problem_that_names_it(tmp_path, small):
    report = report_of(tmp_path, small, SOUND, split="val")
    assert report.totals == {"T104": 1}
    assert report.problems[0].message == (
        "predictions.jsonl: lines that answer dialogues of split test, not of val: 5, such as d1 "
        "at line 1; give `--split test` if the file is for that, else take these lines out [T104]"
    )


def test_answers_of_two_splits_leave_the_other_problems_standing(tmp_path, small):
    lines = [*LINES[1:], {"dialogue_id": "d8", "turn": 1, "videos": ["v/train.mp4"]}]
    lines += [{"dialogue_id": "d9", "turn": 1, "videos": []}]
    report = report_of(tmp_path, small, b"".join(encoded(line) + b"\n" for line in lines))
    assert report.totals == {"T100": 1, "T102": 1, "T104": 1}


def test_missing_turns_may_be_those_of_unreadable_lines(tmp_path, small):
    lines = SOUND.splitlines(keepends=True)
    bad = [b"{\n", b'{"dialogue_id": "d1"}\n', b'["x"]\n']
    report = report_of(tmp_path, small, b"".join([*lines[:2], *bad]))
    missing = [problem.message for problem in report.problems if problem.code == "T100"]
    assert len(missing) == 3
    says = "lines that cannot be read or name no turn: 3; as many of the missing turns may be"
    assert all(says in message for message in missing)


def test_missing_turns_of_a_file_that_can_be_read_say_what_to_add(tmp_path, small):
    report = report_of(tmp_path, small, b"".join(SOUND.splitlines(keepends=True)[:4]))
    assert "no line answers; add its line" in report.problems[0].message


def with_moments(*spans):
    line = {**LINES[1], "moments": [{"video_id": v, "start": s, "end": e} for v, s, e in spans]}
    return SOUND.replace(encoded(LINES[1]), encoded(line))


@pytest.mark.parametrize(
    ("spans", "warned"),
    [
        ([("v/a.mp4", 0.1, 0.5), ("v/b.mp4", 0.25, 1)], True),
        ([("v/a.mp4", 0.012, 0.03), (UNDATED, 0, 0.4)], True),
        ([("v/a.mp4", 0.1, 0.5), ("v/b.mp4", 0.2, 0.5), ("v/c.mp4", 0.25, 1.001)], False),
        ([("v/a.mp4", 0.1, 0.5)], False),
        ([("v/a.mp4", 0.1, 0.5), ("v/a.mp4", 0.1, 0.5)], True),  # by the slow path
    ],
)
@pytest.mark.parametrize("keep", [True, False])
def test_times_that_all_lie_in_the_first_second_are_warned_of(spans, warned, keep, tmp_path, small):
    sub = write_submission(tmp_path / "sub")
    (sub / PREDICTIONS).write_bytes(with_moments(*spans))
    report = check(sub, small, keep=keep).report
    assert report.valid
    assert ("M208" in report.totals) == warned


@pytest.mark.parametrize(
    ("start", "end", "hinted"),
    [(8500, 12_000, True), (1, 12_000, True), (31, 40, False), (1, 299, False), (9e5, 1e6, False)],
)
def test_times_that_would_fit_as_milliseconds_say_so(start, end, hinted, tmp_path, small):
    report = report_of(tmp_path, small, with_moments(("v/a.mp4", start, end)))
    assert report.totals.keys() <= {"M203", "M204"}
    assert ("as milliseconds it would fit" in report.problems[0].message) == hinted


@pytest.mark.parametrize("end", [2.0, 2.0004])
def test_moments_that_repeat_are_warned_of_and_the_first_is_kept(end, tmp_path, small):
    sub = write_submission(tmp_path / "sub")
    spans = ("v/a.mp4", 1, 2), ("v/b.mp4", 1, 2), ("v/a.mp4", 1.0, end)
    (sub / PREDICTIONS).write_bytes(with_moments(*spans))
    checked = check(sub, small)
    assert (checked.report.valid, checked.report.totals) == (True, {"M102": 1})
    assert checked.predictions[1].moments == (
        Moment("v/a.mp4", 1000, 2000),
        Moment("v/b.mp4", 1000, 2000),
    )


def test_a_candidate_has_a_suggestion_unless_it_is_a_video_of_the_corpus(tmp_path, small):
    lines = SOUND.replace(b'["v/c.mp4"]', b'["v/c"]').replace(b'"v/b.mp4", "v/a.mp4"', b'"v/k.mp4"')
    report = report_of(tmp_path, small, lines)
    assert [problem.message.split("; ")[-1] for problem in report.problems] == [
        "choose among them [H100]",
        "did you mean v/c.mp4 (it differs only by .mp4)? [H100]",
    ]


def test_the_predictions_file_itself_is_answered_with_its_folder(tmp_path, small):
    sub = write_submission(tmp_path / "sub")
    for name in (PREDICTIONS, "card.toml"):
        with pytest.raises(EnvironmentFailure, match=f"found the file {name}; name .*{sub}$"):
            check(sub / name, small)


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "bztar", "xztar"])
def test_an_archive_is_answered_with_what_to_do(kind, tmp_path, small):
    sub = write_submission(tmp_path / "sub")
    archive = shutil.make_archive(str(tmp_path / "packed"), kind, sub.parent, sub.name)
    with pytest.raises(EnvironmentFailure, match=r"found an? .* archive; unpack it, then name"):
        check(tmp_path / archive, small)
    assert zipfile.is_zipfile(archive) or tarfile.is_tarfile(archive)


def test_a_folder_around_the_submission_is_answered_with_the_folder_inside(tmp_path, small):
    write_submission(tmp_path / "sub" / "inner")
    (tmp_path / "sub" / "__MACOSX").mkdir()
    (tmp_path / "sub" / "__MACOSX" / "card.toml").write_text(CARD)
    with pytest.raises(EnvironmentFailure) as caught:
        check(tmp_path / "sub", small)
    assert str(caught.value).endswith(f'name the folder that has one: "{tmp_path}/sub/inner"')


def test_a_benchmark_in_place_of_a_submission_is_named(small):
    with pytest.raises(EnvironmentFailure, match="found a benchmark; name it as --benchmark"):
        check(small.folder, small)


def test_what_systems_and_editors_leave_changes_nothing(tmp_path, small):
    sub = write_submission(tmp_path / "sub")
    before = check(sub, small)
    for name in (".DS_Store", "._card.toml", "._predictions.jsonl", "Thumbs.db", "desktop.ini",
                 "predictions.jsonl~", "#card.toml#", ".predictions.jsonl.swp"):  # fmt: skip
        (sub / name).write_bytes(b"\0\xff")
    (sub / "__MACOSX").mkdir()
    assert check(sub, small) == before
    (sub / PREDICTIONS).unlink()
    assert check(sub, small).report.problems[-1].message.endswith(", found none [S101]")


@pytest.mark.parametrize("name", ["card.toml", "bm25", "x.jsonl", ".hidden", "macosx", "a.b~c"])
def test_names_of_people_are_no_leftovers(name):
    assert not is_leftover(name)


def test_other_things_than_a_result_file_are_named(tmp_path):
    sub = write_submission(tmp_path / "sub")
    with pytest.raises(EnvironmentFailure, match="found a folder; name the file in it"):
        read_result(sub)
    with pytest.raises(SubmissionError, match=r"`ivcr score FOLDER --protocol official` takes"):
        read_result(sub / PREDICTIONS)
    with zipfile.ZipFile(tmp_path / "result.json", "w") as archive:
        archive.writestr("result.json", "[]")
    with pytest.raises(SubmissionError, match="found a ZIP archive; unpack it"):
        read_result(tmp_path / "result.json")
