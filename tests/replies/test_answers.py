"""What a reply means: no thought is an answer, JSON outranks words, a cut number is none."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import Span
from harness.replies import candidate_number, candidate_numbers, response, span
from harness.replies.normalise import LONGEST
from harness.replies.reading import (
    BREAKS_OFF,
    CUT_OFF,
    EMPTY,
    NO_LENGTH,
    NO_NUMBER,
    OUT_OF_RANGE,
    OUTSIDE,
    REASONS,
    REFUSAL,
    THOUGHTS,
)

# Opening and closing tags of thoughts, by the model or server that writes them.
TAGS = {
    "think": ("<think>", "</think>"),
    "upper case": ("<THINK>", "</THINK>"),
    "thinking": ("<thinking>", "</thinking>"),
    "thought": ("<thought>", "</thought>"),
    "reasoning": ("<reasoning>", "</reasoning>"),
    "prefix": ("<seed:think>", "</seed:think>"),
    "attribute": ('<think lang="en">', "</think>"),
    "spaces": ("<think >", "</ think>".replace("/ ", "/")),
    "triangles": ("◁think▷", "◁/think▷"),
    "squares": ("[THINK]", "[/THINK]"),
    "wide": ("＜think＞", "＜／think＞"),
    "wide letters": ("＜ｔｈｉｎｋ＞", "＜／ｔｈｉｎｋ＞"),
    "lenticular": ("【思考】", "【/思考】"),
    "escaped": ("&lt;think&gt;", "&lt;/think&gt;"),
    "begin and end": ("<|begin_of_thought|>", "<|end_of_thought|>"),
    "start and end": ("<|START_THINKING|>", "<|END_THINKING|>"),
    "wide bars": ("<｜begin▁of▁thinking｜>", "<｜end▁of▁thinking｜>"),
    "process": ("<thought_process>", "</thought_process>"),
    "channel": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant"),
    "channel of one bar": ("<|channel>thought\n", "<channel|>"),
    "sentence": ("Here is my thought process: ", "Here is my response: "),
}
DRAFT = "Video 3 shows a dog, from 2.0 s to 5.0 s. "
ANSWERS = {
    "words": "It is video 7, from 12.0 s to 20.0 s.",
    "JSON": '{"videos": [7], "start": 12.0, "end": 20.0, "reply": "Here."}',
}
tagged = pytest.mark.parametrize(("opening", "closing"), TAGS.values(), ids=TAGS)


def read(text, cut=False):
    """The number and the span in seconds."""
    moment = span(text, cut=cut).value
    return candidate_number(text, cut=cut).value, moment and (moment.start, moment.end)


@tagged
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("cut", [False, True])
def test_a_thought_before_an_answer_is_passed_over(opening, closing, answer, cut):
    if cut and answer == ANSWERS["words"]:
        answer += " "
    assert read(f"{opening}{DRAFT}{closing}{answer}", cut) == (7, (12_000, 20_000))
    assert "Video 3" not in response(f"{opening}{DRAFT}{closing}{answer}", cut=cut)


@tagged
@pytest.mark.parametrize("finish", ["stop", "length"])
def test_a_thought_that_is_not_closed_goes_on_to_the_end(opening, closing, finish):
    cut = finish == "length"
    text = f"{opening}{DRAFT}And the boat"
    assert read(text, cut) == (None, None)
    assert candidate_number(text, cut=cut).why == span(text, cut=cut).why
    assert candidate_number(text, cut=cut).why == (CUT_OFF if cut else THOUGHTS)
    assert response(text, cut=cut) == ""


@pytest.mark.parametrize("name", [name for name in TAGS if name not in ("channel", "sentence")])
def test_a_closing_tag_alone_ends_what_stands_before_it(name):
    assert read(f"{DRAFT}{TAGS[name][1]}{ANSWERS['words']}") == (7, (12_000, 20_000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a <think>video 3</think> video 4</think>video 7", 7),
        ("<think>a <think>video 3</think>video 7", 7),
        ("<think>video 3 <reasoning>video 4</reasoning> b</think>video 7", 7),
        ("video 7<think>or video 3?", 7),
        ("<think>video 3</think>video 7<think>or video 4?</think>", 7),
        ("<think/>video 7", 7),
        ("<think></think>\n\nvideo 7", 7),
        ("<think>video 3</think><answer>7</answer>", 7),
        ("I answer in <answer></answer>. Video 3? <answer>7</answer>", 7),
        ("<think>video 3 <answer>4</answer> no</think><answer>video 7</answer>", 7),
        ("<think>video 3, so<answer>7</answer>", 7),
        ("[Reasoning] video 3 is red. [Answer]: 7", 7),
        ("【推理】视频3里有狗。【答案】：视频7", 7),
        ("<|begin_of_solution|>video 7<|end_of_solution|>", 7),
        ("analysisLet me see video 3.assistantfinalIt is video 7.", 7),
        ("analysisLet me see video 3.", None),
        ("<|channel|>analysis<|message|>video 3<|end|><|start|>assistant<|channel|>final"
         "<|message|>video 7<|return|>", 7),
        ("<|channel|>final<|message|>video 7", 7),
        ("<|channel|>commentary to=functions.f<|message|>{\"video\": 3}<|call|>", None),
        ("video 7<|im_end|>", 7),
        ("Analysis of video 7: a boat.", 7),
        ("Its <b>video 7</b> [3]", 7),
    ],
)  # fmt: skip
def test_tags_in_one_another_and_of_answers(text, expected):
    assert candidate_number(text).value == expected


def test_a_tag_opened_twice_and_closed_once_is_a_thought_if_the_reply_is_cut():
    assert candidate_number("<think>a <think>video 3</think>video 7 and", cut=True).value is None


def test_a_channel_of_the_answer_counts_though_the_reply_is_cut():
    text = "<|channel|>analysis<|message|>video 3<|channel|>final<|message|>It is video 7, as"
    assert candidate_number(text, cut=True).value == 7


CHOICES = {
    "as asked": ('{"videos": [7, 3], "reply": "x"}', (7, 3)),
    "float": ('{"videos": [7.0, 3.0]}', (7, 3)),
    "text": ('{"videos": ["7", "video 3"]}', (7, 3)),
    "text of two": ('{"videos": "7, 3"}', (7, 3)),
    "one": ('{"videos": 7}', (7,)),
    "bare list": ("[7, 3]", (7, 3)),
    "bare list of floats": (" [7.0] ", (7,)),
    "bare float": ("7.0", (7,)),
    "list in a fence": ("Ranked:\n```\n[7, 3]\n```", (7, 3)),
    "other key": ('{"video": 7}', (7,)),
    "candidate": ('{"Candidate": "7"}', (7,)),
    "best match": ('{"best_match": 7, "confidence": 3}', (7,)),
    "unknown key": ('{"pick_of_mine": 7, "score": 3}', (7,)),
    "answer in words": ('{"answer": "It is video 7."}', (7,)),
    "nested": ('{"result": {"videos": [7, 3]}}', (7, 3)),
    "objects in a list": ('[{"video": 7, "score": 0.9}, {"video": 3, "score": 0.1}]', (7, 3)),
    "objects in lines": ('{"video": 7}\n{"video": 3}', (7, 3)),
    "number in an object": ('{"video": {"number": 7, "title": "2 boats"}}', (7,)),
    "words before": ('Video 3 is a dog. {"videos": [7]}', (7,)),
    "words after": ('{"videos": [7]} since video 3 is a dog', (7,)),
    "fence": ('Video 3?\n```json\n{"videos": [7]}\n```\nBye.', (7,)),
    "upper-case fence": ('```JSON\n{"videos": [7]}```', (7,)),
    "draft and answer": ('First {"videos": [3]}, but then {"videos": [7]}', (7,)),
    "two fences": ('```json\n{"videos": [3]}\n```\nNo:\n```json\n{"videos": [7]}\n```', (7,)),
    "doubled braces": ('{{"videos": [7]}}', (7,)),
    "single quotes": ("{'videos': [7, 3], 'reply': 'x'}", (7, 3)),
    "comma at the end": ('{"videos": [7, 3,], }', (7, 3)),
    "quotes inside": ('{"videos": [7], "reply": "the "red" boat of video 3"}', (7,)),
    "footnotes": ("As in [1] and [2], it is video 7.", (7,)),
    "other object": ('{"seen": 3} It is video 7.', (7,)),
    "Chinese key": ('{"视频": 7}', (7,)),
}
NO_CHOICES = {
    "none fits": ('{"videos": []}', REFUSAL),
    "null": ('{"video": null}', REFUSAL),
    "none in words": ('{"video": "none"}', REFUSAL),
    "outside": ('{"videos": [11, 0, -1]}', OUT_OF_RANGE),
    "half": ('{"videos": [7.5]}', NO_NUMBER),
    "true": ('{"video": true}', NO_NUMBER),
    "endless": (f'{{"videos": [1{"0" * 5000}]}}', OUT_OF_RANGE),
    "infinite": ('{"videos": [1e999]}', OUT_OF_RANGE),
    "object of another kind": ('{"weather": "fine"}', NO_NUMBER),
    "broken off": ('{"videos": [', BREAKS_OFF),
}


@pytest.mark.parametrize(("text", "numbers"), CHOICES.values(), ids=CHOICES)
def test_a_choice_in_json_is_read_in_many_forms(text, numbers):
    assert candidate_numbers(text).value == numbers
    assert "{" not in response(text)
    assert "[7" not in response(text)


@pytest.mark.parametrize(("text", "why"), NO_CHOICES.values(), ids=NO_CHOICES)
def test_json_without_a_choice_has_a_reason(text, why):
    assert candidate_numbers(text) == (None, why)


SPANS = {
    "as asked": '{"start": 12.0, "end": 20.0, "reply": "x"}',
    "reversed": '{"start": 20, "end": 12}',
    "text": '{"start": "12.0", "end": "20 s"}',
    "clock": '{"start": "0:12", "end": "00:00:20"}',
    "milliseconds": '{"start_ms": 12000, "end_ms": 20000}',
    "other keys": '{"Start Time": 12, "End Time": 20}',
    "from to": '{"from": 12, "to": 20}',
    "duration": '{"start": 12, "duration": 8}',
    "pair": '{"moment": [12.0, 20.0]}',
    "text of a pair": '{"timestamp": "12.0 - 20.0 seconds"}',
    "list of pairs": '{"moments": [[12, 20], [1, 2]]}',
    "nested": '{"answer": {"start": 12, "end": 20}}',
    "objects": '[{"start": 12, "end": 20}, {"start": 1, "end": 2}]',
    "bare list": "[12.0, 20.0]",
    "words around": 'From 2 s to 5 s a man walks.\n{"start": 12, "end": 20}\nThat is 3 s to 4 s.',
    "fence": 'From 2 s to 5 s:\n```json\n{"start": 12, "end": 20}\n```',
    "draft and answer": 'Maybe {"start": 1, "end": 2}. Rather {"start": 12, "end": 20}',
    "beside numbers of videos": '{"videos": [7, 9], "when": [12, 20]}',
    "single quotes": "{'start': 12.0, 'end': 20.0}",
    "comma at the end": '{"start": 12.0, "end": 20.0,}',
}
NO_SPANS = {
    "zeros": ('{"start": 0, "end": 0}', REFUSAL),
    "null": ('{"start": null, "end": null}', REFUSAL),
    "empty": ('{"moments": []}', REFUSAL),
    "a point": ('{"start": 5, "end": 5}', NO_LENGTH),
    "before the first frame": ('{"start": -3, "end": 5}', OUTSIDE),
    "past all times": ('{"start": 1, "end": 1e300}', OUTSIDE),
    "broken off": ('{"start": 12.0, "end": 2', BREAKS_OFF),
    "broken off at a key": ('{"start": 12.0, "en', BREAKS_OFF),
}


@pytest.mark.parametrize("text", SPANS.values(), ids=SPANS)
def test_a_span_in_json_is_read_in_many_forms(text):
    assert span(text).value == Span(12_000, 20_000)
    assert "{" not in response(text)


@pytest.mark.parametrize(("text", "why"), NO_SPANS.values(), ids=NO_SPANS)
def test_json_without_a_span_has_a_reason(text, why):
    assert span(text) == (None, why)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"videos": [7], "reply": "the boat is', 7),
        ('{"videos": [7]', 7),
        ('{"videos": [7, 1', 7),
        ('{"videos": [7', None),
        ('{"videos": [', None),
        ('{"video": 7', None),
        ('{"video": 7,', 7),
        ('Not {"videos": [3]} but {"videos": [7', None),
        ('[{"video": 7, "score": 0.9}, {"video": 1', 7),
        ("The answer is video 7", None),
        ("The answer is video 7, since", 7),
        ("Video 7 shows a boat, and", 7),
        ("Video 3 has a dog. Video 7 has", None),
        ("Video 3 has a dog. The answer is video 7, as", 7),
        ("1", None),
        ("video seven", None),
        ("视频七", None),
        ("答案是视频7，因为", 7),
        ("", None),
    ],
)
def test_a_cut_reply_is_read_as_far_as_it_is_whole(text, expected):
    number, why = candidate_number(text, cut=True)
    assert number == expected
    assert why == (None if expected else CUT_OFF)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"start": 12.0, "end": 20.0, "re', (12_000, 20_000)),
        ('{"start": 12.0, "end": 20.0 ', (12_000, 20_000)),
        ('{"start": 12.0, "end": 20.0', None),
        ('{"start": 12.0, "end": 2', None),
        ('{"start": 12.0,', None),
        ('{"moment": [12.0, 20.0', None),
        ('{"moment": [12.0, 20.0]', (12_000, 20_000)),
        ("from 12.0 s to 2", None),
        ("from 1 min to 2 min", None),
        ("from 12.0 s to 20.0 s, when", (12_000, 20_000)),
        ("from 2 s to 5 s a man walks, from 12 s to 20 s a", None),
        ("从12秒到20", None),
    ],
)
def test_a_cut_span_is_read_as_far_as_it_is_whole(text, expected):
    found, why = span(text, cut=True)
    assert (found and (found.start, found.end)) == expected
    assert why == (None if expected else CUT_OFF)


def test_a_cut_reply_may_have_said_that_nothing_matches():
    assert candidate_number('{"videos": [], "reply": "none of', cut=True).why == REFUSAL


def test_an_empty_reply_and_thoughts_alone_are_told_from_each_other():
    assert candidate_number(" ").why == span("").why == EMPTY
    assert candidate_number("<think>video 7</think>").why == THOUGHTS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"videos": [7], "reply": "There."}', "There."),
        ('{"videos": [7], "response": "There."}', "There."),
        ('{"video": 7, "explanation": "A boat."}', "A boat."),
        ('Look:\n```json\n{"videos": [7]}\n```', "Look:"),
        ('[{"video": 7, "reply": "Best."}, {"video": 3, "reply": "Next."}]', "Best."),
        ('{"reply": "Draft."} and so {"reply": "There."}', "There."),
        ('{"videos": [3]} or {"videos": [7', ""),
        ('{"videos": [7]}', ""),
        ("[7, 3]", ""),
        ('{"videos": [7], "reply": "The \\"red\\" boat is', 'The "red" boat is'),
        ('{"videos": [7', ""),
        ("{'videos': [7]}", ""),
        ('{"reply": "{\\"videos\\": [7], \\"reply\\": \\"There.\\"}"}', "There."),
        ('{"videos": [7], "reply": "' + "x" * 30_000 + '"}', "x" * 30_000),
        ('{"videos": [7], "reply": "' + "x" * 300_000, "x" * 300_000),
        ("<think>a</think>There.", "There."),
        ("A set {a, b} of [1, 2].", "A set {a, b} of [1, 2]."),
        ("7", "7"),
    ],
)
def test_what_is_shown_is_no_json(text, shown):
    assert response(text) == shown


def test_every_case_of_shared_is_read_as_wanted(shared):
    file = shared / "cases" / "replies.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert rows
    for row in rows:
        cut, wanted = row["finish"] == "length", row["want"]
        if "choice" in wanted:
            assert candidate_number(row["reply"], cut=cut).value == wanted["choice"], row["id"]
        else:
            found = span(row["reply"], cut=cut).value
            seconds = found and [found.start / 1000, found.end / 1000]
            assert seconds == wanted["span"], row["id"]


PIECES = (
    *(
        "<think>",
        "</think>",
        "◁think▷",
        "<answer>",
        "</answer>",
        "<|channel|>",
        "video 3",
        "7",
        "1",
    ),
    *('{"videos": [', '"start": 1', ', "end": ', "[", "]", "{", "}", '"', "```", ",", "\n", "\\"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.booleans())
def test_any_mixture_gives_a_value_or_a_reason(text, cut):
    for found in (candidate_numbers(text, cut=cut), span(text, cut=cut)):
        assert (found.value is None) == (found.why in REASONS)
    assert isinstance(response(text, cut=cut), str)


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "<",
            "<think>",
            "</think>",
            "<a-",
            "[",
            "{",
            '{"a":',
            '{"a":[',
            "```",
            "``` ",
            "}",
            "&lt;",
        ),
        *('{"video": 7} ', '{"videos": [7', "<|channel|> ", '"start": 1, ', "[{", "<reason ", '{"'),
        *("here's ", "<answer>", "[7, ", "{'a': "),
    ],
)
def test_hostile_replies_take_linear_time(unit):
    text = unit * (10 * LONGEST // len(unit))
    start = time.process_time()
    candidate_numbers(text)
    span(text)
    response(text)
    assert time.process_time() - start < 5
