"""The published schemas, the slow path and the fast path agree on what is valid."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.benchmark import Benchmark
from harness.schemas.documents import schema
from harness.validation import read_public
from harness.validation.reading.card_file import card_findings
from harness.validation.reading.fast_path import COVERED, FastPath, to_prediction
from harness.validation.reading.slow_path import inspect_line
from tests.validation.bad import BAD
from tests.validation.samples import LINES, encoded, write_benchmark, write_submission
from tests.validation.strategies import cards, lines

# What a schema of one line can say, and what it says of some cases only.
IN_SCHEMA = {"L106", "L109", "L110", "L111", "L112", "V101", "V102", "M103", "H101", "H102", "R101"}
IN_PART = {"T102", "T103"}


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    folder = write_benchmark(tmp_path_factory.mktemp("agreement") / "benchmark")
    return read_public(Benchmark(folder), "test")


PREDICTION = Draft202012Validator(schema("prediction"))
CARD = Draft202012Validator(schema("card"))


@settings(max_examples=300)
@given(line=lines())
def test_slow_path_and_schema_agree_on_the_shape_of_a_line(line, public):
    _, found = inspect_line(encoded(line), public)
    codes = {finding.code for finding in found}
    if PREDICTION.is_valid(line):
        assert not codes & IN_SCHEMA
    else:
        assert codes & (IN_SCHEMA | IN_PART)


@settings(max_examples=300)
@given(line=lines(), compact=st.booleans(), ascii_only=st.booleans())
def test_fast_path_accepts_only_what_the_slow_path_finds_nothing_in(
    line, compact, ascii_only, public
):
    spacing = (",", ":") if compact else (", ", ": ")
    data = json.dumps(line, ensure_ascii=ascii_only, separators=spacing).encode()
    answer, findings = inspect_line(data, public)
    found = [finding for finding in findings if finding.code in COVERED]
    for ordered in (False, True):
        accepted = FastPath(public, ordered=ordered).accept(data)
        if accepted is None:
            # It may pass on a sound line, but only for escapes or a whole turn written as 2.0.
            assert found or b"\\" in data or isinstance(line["turn"], float)
            continue
        assert found == []
        assert accepted.position == answer.position
        if ordered:
            assert to_prediction(accepted.answer) == answer.prediction(public)


@pytest.mark.parametrize("code", sorted(COVERED))
def test_fast_path_refuses_the_bad_example_of_every_rule_it_covers(code, tmp_path, public):
    folder = write_submission(tmp_path / "sub")
    BAD[code].do(folder)
    bad = (folder / "predictions.jsonl").read_bytes().splitlines()[BAD[code].line - 1]
    for ordered in (False, True):
        assert FastPath(public, ordered=ordered).accept(bad) is None


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['dialogue_id']}-{line['turn']}")
def test_fast_path_takes_valid_lines(line, public):
    assert FastPath(public, ordered=True).accept(encoded(line)) is not None


# Four marks that are not written as marks, as many as a key and a text bring along.
HIDDEN_MARKS = '"' + 4 * "\\u0022" + '"'


@settings(max_examples=100)
@given(data=st.data())
def test_repeated_keys_never_pass_however_they_are_written(data, public):
    text = encoded(data.draw(st.sampled_from(LINES))).decode()
    key = data.draw(st.sampled_from(["dialogue_id", "turn", "videos", "choice", "response"]))
    written = data.draw(st.sampled_from([key, f"\\u{ord(key[0]):04x}{key[1:]}"]))
    value = {"dialogue_id": '"d1"', "turn": "1", "response": HIDDEN_MARKS}.get(key, "[]")
    space = data.draw(st.sampled_from(["", " ", "\t"]))
    once = text[:-1] + f', "{key}"{space}: {value}}}'
    twice = once[:-1] + f', "{written}"{space}: {value}}}'
    assert FastPath(public, ordered=False).accept(twice.encode()) is None
    assert "L108" in {finding.code for finding in inspect_line(twice.encode(), public)[1]}


@settings(max_examples=300)
@given(table=cards())
def test_card_rules_and_schema_agree(table):
    findings = list(card_findings(table))
    assert CARD.is_valid(table) == (not findings), [finding.text for finding in findings]
