"""Documents against the published schemas: where, what was expected, what was found; bounded."""

import datetime
import json
import math
import re
import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.errors import SubmissionError
from harness.schemas.documents import DEPTH, MISMATCHES, mismatches, plain, require, schema

NAMES = (
    "benchmark", "candidates", "card", "challenge", "gold", "ledger", "pr_check", "prediction",
    "scores", "team", "turns",
)  # fmt: skip
SHA256 = "0123456789abcdef" * 4
CHALLENGE = """
title = "IVCR 2026"
description = "Find the video, then the moment."
organizers = ["A", "B"]
contact = "organizers@example.org"
links = {paper = "https://example.org/paper"}
citation = "@misc{...}"
licence = "CC BY 4.0"
terms = "One account a team."
headline = {track = "retrieval", history = "own", candidates = "unused"}

[[phase]]
name = "development"
kind = "files"
split = "val"
history = "own"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00+08:00
quota = 100
daily = 5
feedback = "exact"

[[phase]]
name = "final"
kind = "exam"
split = "test"
history = "own"
opens = "2026-02-01T00:00:00Z"
closes = "2026-02-02T00:00:00.5Z"
quota = 2
feedback = "none"
exam_hours = 4.5
dialogues = 300
"""
TEAM = (
    'name = "Our team"\nmembers = ["A", "B"]\ncontact = "a@example.org"\n'
    'accounts = ["octo-cat", "A1", "lab_example"]\n'
)
LEDGER = {
    "schema": 1,
    "seq": 1,
    "at": "2026-01-01T00:00:00Z",
    "event": "accepted",
    "team": "our-team",
    "run": "bm25",
    "submission_sha256": SHA256,
    "scores_sha256": None,
    "fingerprint": SHA256,
    "gold_sha256": SHA256,
    "scorer": "1",
    "why": None,
    "prev": "0" * 64,
}
BENCHMARK = {
    "schema": 1,
    "name": "small",
    "version": "1",
    "labels": "public",
    "sources": [{"file": "x.json", "sha256": SHA256, "importer": "ivcr200k"}],
    "type_names": {"0": "chat"},
    "splits": {"test": {"turns": 5}},
    "fingerprint": SHA256,
    "gold_sha256": {"test": SHA256},
}
SCORES = {
    "schema": 1,
    "signature": "ivcr|v:0.1.0",
    "protocol": "ivcr",
    "benchmark": {"name": "small", "version": "1", "fingerprint": SHA256, "gold_sha256": SHA256,
                  "split": "test"},
    "submission": {"team": "t", "system": "s", "history": "own", "candidates": "used",
                   "sha256": SHA256},
    "metrics": {"all": {"R@1": {"value": 0.5, "low": None, "high": None, "turns": 4,
                                "dialogues": 2},
                        "MedR": {"value": None, "why": "past 100"}}},
}  # fmt: skip
SOUND = {
    "challenge": plain(tomllib.loads(CHALLENGE)),
    "team": tomllib.loads(TEAM),
    "ledger": LEDGER,
    "benchmark": BENCHMARK,
    "scores": SCORES,
    "card": {"schema": 1, "team": "A", "system": "B", "history": "own", "candidates": "used",
             "kind": "predictions"},
}  # fmt: skip


def texts(name, document):
    return [mismatch.text for mismatch in mismatches(name, plain(document))]


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_a_schema_and_says_what_it_is(name):
    document = schema(name)
    Draft202012Validator.check_schema(document)
    assert document["$schema"].endswith("2020-12/schema")
    assert document["$id"].endswith(f":{name}")


@pytest.mark.parametrize("name", SOUND)
def test_sound_documents_pass_here_and_by_the_schema_alone(name):
    assert texts(name, SOUND[name]) == []
    assert Draft202012Validator(schema(name)).is_valid(SOUND[name])


def changed(document, keys, value):
    """A copy with another value at a place; `...` takes the key away."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in keys[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    return copy


BAD = [
    ("challenge", ("title",), ..., "title is missing"),
    ("challenge", ("tilte",), "x", "unknown key tilte"),
    ("challenge", ("phase",), [], "phase: expected 1 to 100 phases, found a list of 0 entries"),
    ("challenge", ("phase", 0, "kind"), "mail",
     'phase.0.kind: expected "files" or "exam", found "mail"'),
    ("challenge", ("phase", 0, "opens"), "2026-01-01",
     "phase.0.opens: expected a time with its offset, such as 2026-01-31T23:59:59Z (RFC 3339), "
     'found "2026-01-01"'),
    ("challenge", ("phase", 0, "exam_hours"), 4,
     "phase.0.exam_hours: expected no such key, found 4"),
    ("challenge", ("phase", 1, "exam_hours"), 0,
     "phase.1.exam_hours: expected a number of hours above 0, at most 10000, found 0"),
    ("challenge", ("phase", 0, "quota"), 1.5, "phase.0.quota: expected a whole number, found 1.5"),
    ("challenge", ("headline", "history"), "all",
     'headline.history: expected "none" or "own" or "reference", found "all"'),
    ("challenge", ("links", "paper"), "javascript:alert(1)",
     "links.paper: expected a link that begins with https:// or http://, "
     'found "javascript:alert(1)"'),
    ("team", ("name",), 7, "name: expected text, found 7"),
    ("team", ("members", 1), "a\nb",
     'members.1: expected one line of 1 to 200 characters, found "a\\nb"'),
    ("team", ("accounts", 0), "@octocat",
     'accounts.0: expected the name of an account, without @, found "@octocat"'),
    ("team", ("accounts",), "octocat", "accounts: expected a list, found \"octocat\""),
    ("ledger", ("event",), "won", 'event: expected "accepted" or "refused" or "scored" or '
     '"rescored" or "replaced" or "withdrawn" or "revealed" or "phase-opened" or "phase-closed" or '
     '"labels-committed" or "labels-opened" or "exam-opened" or "exam-finished" or "exam-expired" '
     'or "exam-voided", found "won"'),
    ("ledger", ("why",), ..., "why is missing"),
    ("ledger", ("seq",), 0, "seq: expected a whole number from 1 on, found 0"),
    ("ledger", ("team",), "../other", "team: expected a folder's name of 1 to 100 letters, digits, "
     'dots, hyphens and underscores, or null, found "../other"'),
    ("ledger", ("prev",), SHA256 + "\n",
     f'prev: expected 64 hexadecimal digits, found "{SHA256}\\n"'),
    ("ledger", ("at",), "2026-01-01T00:00:00+00:00",
     "at: expected a time in UTC, such as 2026-01-31T23:59:59Z (RFC 3339), "
     'found "2026-01-01T00:00:00+00:00"'),
    ("benchmark", ("schema",), 2, "schema: expected 1, found 2"),
    ("benchmark", ("splits", "test", "turns"), -1,
     "splits.test.turns: expected at least 0, found -1"),
    ("benchmark", ("sources", 0, "sha256"), "x",
     'sources.0.sha256: expected 64 hexadecimal digits, found "x"'),
    ("card", ("settings",), {"a\nb": 1},
     'settings: expected as a key one line of 1 to 200 characters, found the key "a\\nb"'),
    ("card", ("settings",), {f"a{n}": n for n in range(101)},
     "settings: expected a table of at most 100 settings, found a table of 101 entries"),
    ("card", ("cost",), {"GPU": {"hours": 1}},
     "cost.GPU: expected a finite number, or one line of text, found a table"),
    ("card", ("variant",), "x" * 61, "variant: expected one line of 1 to 60 characters, found "
     f'"{"x" * 61}" of 61 characters'),
    ("scores", ("metrics", "all"), ..., "metrics.all is missing"),
    ("scores", ("metrics", "all", "R@1", "value"), "0.5",
     'metrics.all.R@1.value: expected a number or null, found "0.5"'),
    ("scores", ("metrics", "all", "MedR", "why"), ..., "metrics.all.MedR.why is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "keys", "value", "text"), BAD)
def test_a_mismatch_says_where_what_was_expected_and_what_was_found(name, keys, value, text):
    assert texts(name, changed(SOUND[name], keys, value)) == [text]


def test_require_raises_the_first_mismatch_with_file_and_next_step():
    require("team", SOUND["team"], "team.toml", "mend it", SubmissionError)
    with pytest.raises(SubmissionError) as caught:
        require("team", {"name": 7}, "t/team.toml", "mend it", SubmissionError)
    assert str(caught.value) == "t/team.toml: name: expected text, found 7; mend it"


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE = {
    "deep": {"name": nested(900)},
    "a number of 80,000 digits": {"name": 1 << 270_000},
    "a small number of 80,000 digits": {"name": -(1 << 270_000)},
    "not a number": {"name": math.nan},
    "a million keys": dict.fromkeys(map(str, range(1_000_000)), 1),
    "a key that paints the terminal": {"\x1b[2J\u202e" * 1000: 1},
    "a value that paints the terminal": {"name": "\x1b[2J\u202e" * 1000},
    "a long list": {"name": "x", "members": [1] * 200_000},
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_hostile_documents_end_in_a_few_short_printable_lines(document):
    start = time.process_time()
    found = texts("team", document)
    assert 0 < len(found) <= MISMATCHES
    assert all(len(text) < 1000 and text.isprintable() for text in found)
    assert time.process_time() - start < 10


def test_require_bounds_what_it_checks():
    for document in HOSTILE.values():
        with pytest.raises(SubmissionError, match=r"^team\.toml: .*; mend it$"):
            require("team", document, "team.toml", "mend it", SubmissionError)


def test_depth_is_bounded_before_anything_is_compared():
    assert str(plain(nested(2000)[0])) == "[" * (DEPTH + 1) + "None" + "]" * (DEPTH + 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_plain_leaves_json_values_as_they_are(value):
    assert repr(plain(value)) == repr(value)


@pytest.mark.parametrize("limit", [2**53, -(2**53)])
def test_a_number_that_is_none_is_out_of_every_range(limit):
    card = {"schema": 1, "team": "a", "system": "b", "history": "own", "candidates": "used",
            "kind": "predictions"}  # fmt: skip
    assert texts("card", card | {"seed": limit, "parameters": limit}) == []
    for value in (math.nan, math.inf, -math.inf, limit * 2):
        assert len(texts("card", card | {"parameters": value})) == 1


@pytest.mark.parametrize(
    ("name", "path", "clock"),
    [
        ("card", ("properties", "date"), ""),
        ("challenge", ("$defs", "time"), "T23:59:59Z"),
        ("ledger", ("properties", "at"), "T23:59:59Z"),
    ],
)
def test_dates_are_those_of_the_calendar(name, path, clock):
    part = schema(name)
    for key in path:
        part = part[key]
    pattern = re.compile(part["pattern"])
    for year in (0, 1, 4, 100, 400, 1900, 2000, *range(2023, 2029), 2100, 9999):
        for month in range(14):
            for day in range(33):
                text = f"{year:04}-{month:02}-{day:02}"
                try:
                    datetime.date(year, month, day)
                    expected = True
                except ValueError:
                    expected = False
                assert bool(pattern.match(text + clock)) == expected, text


@pytest.mark.parametrize(
    ("text", "holds"),
    [("2025", True), ("2025-12", True), ("2025-13", False), ("2025-00", False), ("2025-1-1", False),
     ("0000", False), ("2025-12-01\n", False)],
)  # fmt: skip
def test_a_card_may_name_a_year_or_a_month_alone(text, holds):
    assert bool(re.match(schema("card")["properties"]["date"]["pattern"], text)) == holds
