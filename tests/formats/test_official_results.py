"""Official result files as submissions: joined by item, read soundly, abstentions by reason."""

import pytest

from harness.formats.official import CHAT, LATE, NOT_ASKED, TOO_DEEP, convert
from harness.protocols.joining import NO_ENTRY
from harness.records import Card, Moment
from harness.replies.reading import NO_NUMBER, ONE_TIME, REFUSAL, THOUGHTS
from harness.submission import write
from harness.validation import check
from tests.protocols.conftest import benchmark_of, result_of
from tests.protocols.samples import NAMES, moment_turn, sample, video_turn

__all__ = ["benchmark_of", "result_of"]
DURATIONS = dict.fromkeys(NAMES, 12.0)
DEEP = [video_turn(f"turn {n}", 1, "S/4.mp4") for n in range(1, 9)]
CHATS = {"from": "human", "value": "hello"}, {"from": "gpt", "value": "hi"}
FILE = [
    sample(
        [
            video_turn("a man", 3, "S/1.mp4"),
            moment_turn("when", 3, "S/1.mp4", (5, 10)),
            moment_turn("在什么时候", 3, "S/1.mp4", (5, 10)),
            moment_turn("at the end", 3, "S/1.mp4", (9, 12)),
        ]
    ),
    sample([video_turn("seven", 3, "S/1.mp4")], kind=7),
    sample([video_turn("failed", None, "S/1.mp4")]),
    sample(DEEP),
    {"split": "test", "type": [0], "conversations": list(CHATS)},
]
QUESTIONS = ["a man", "when", "在什么时候", "at the end", *(f"turn {n}" for n in range(1, 8))]


def rows(*outputs, questions=QUESTIONS):
    given = [*outputs, *["video 1"] * (len(questions) - len(outputs))]
    return [{"user_q": q, "output": o} for q, o in zip(questions, given, strict=True)]


def test_replies_become_choices_and_moments(benchmark_of, result_of):
    benchmark = benchmark_of(FILE, durations=DURATIONS)
    answers = rows("the 3rd video", "from 5.0 to 10.0 seconds", "从5秒到10秒", "9 - 15 seconds")
    predictions, report = convert(result_of(answers), benchmark)
    assert predictions[0].choice == ("S/1.mp4",)
    assert predictions[1].moments == predictions[2].moments == (Moment("S/1.mp4", 5000, 10000),)
    assert predictions[3].moments == (Moment("S/1.mp4", 9000, 12000),)
    assert predictions[2].response == "从5秒到10秒"
    assert report.cut == 1
    assert report.answered == 4 + 7


def test_thoughts_are_no_answers_and_json_is_no_response(benchmark_of, result_of):
    benchmark = benchmark_of(FILE, durations=DURATIONS)
    answers = rows(
        '<think>Video 1 is red.</think>{"videos": [3, 1], "reply": "It is the man."}',
        '◁think▷1s-2s◁/think▷From 1 s on he sits.\n```json\n{"start": 5, "end": 10.0}\n```',
        "[THINK]从1秒到2秒",
        "[9, 11.5]",
        '{"video": 4}',
    )
    predictions, report = convert(result_of(answers), benchmark)
    assert predictions[0].choice == ("S/1.mp4",)
    assert predictions[1].moments == (Moment("S/1.mp4", 5000, 10000),)
    assert predictions[2].moments == ()
    assert predictions[3].moments == (Moment("S/1.mp4", 9000, 11500),)
    shown = [prediction.response for prediction in predictions[:4]]
    assert shown == ["It is the man.", "From 1 s on he sits.", "", ""]
    assert report.abstentions[THOUGHTS] == 1


def test_the_submission_is_valid(benchmark_of, result_of, tmp_path):
    benchmark = benchmark_of(FILE, durations=DURATIONS)
    answers = rows("none", "20s-30s", "\ud800 5s-9s", "9 - 15 seconds")
    predictions, report = convert(result_of(answers), benchmark)
    write(tmp_path / "s", Card(1, "t", "s", "reference", "used"), predictions)
    checked = check(tmp_path / "s", benchmark)
    assert checked.report.valid
    assert checked.report.totals == {}
    assert checked.report.abstentions == sum(report.abstentions.values())
    assert checked.predictions == predictions


def test_abstentions_are_counted_by_reason(benchmark_of, result_of):
    benchmark = benchmark_of(FILE, durations=DURATIONS)
    answers = rows("None of these matches.", "20s-30s", "at 5 s", "5s-6s", "a dog")
    _, report = convert(result_of(answers), benchmark)
    assert report.abstentions == {
        REFUSAL: 1,
        LATE: 1,
        ONE_TIME: 1,
        NO_NUMBER: 1,
        NOT_ASKED["D2"]: 1,
        NOT_ASKED["D3"]: 1,
        TOO_DEEP: 1,
        CHAT: 1,
    }
    assert report.answered + sum(report.abstentions.values()) == 4 + 1 + 1 + 8 + 1


@pytest.mark.parametrize("missing", range(len(QUESTIONS)))
def test_a_missing_entry_moves_no_other_answer(benchmark_of, result_of, missing):
    benchmark = benchmark_of(FILE)
    answers = rows("video 3", "5s-10s", "从5秒到9秒", "8-9 s")
    whole, _ = convert(result_of(answers), benchmark)
    found, report = convert(result_of(answers[:missing] + answers[missing + 1 :]), benchmark)
    changed = [one.key for one, other in zip(whole, found, strict=True) if one != other]
    assert len(changed) == 1
    assert report.abstentions[NO_ENTRY] == 1


def test_the_order_of_the_entries_does_not_matter(benchmark_of, result_of):
    benchmark = benchmark_of(FILE)
    answers = rows("video 3", "5s-10s", "从5秒到9秒", "8-9 s")
    assert convert(result_of(answers), benchmark)[0] == convert(
        result_of(answers[::-1]), benchmark
    )[0]  # fmt: skip


def test_the_report_as_text(benchmark_of, result_of):
    _, report = convert(result_of(rows()[:-1]), benchmark_of(FILE))
    lines = report.lines()
    assert lines[0] == "10 entries for 11 items, in item order"
    assert any(NO_ENTRY in line for line in lines)
