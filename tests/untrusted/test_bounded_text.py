"""What is bounded is refused before it is parsed; all else is read as the parser reads it."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.untrusted import UnfitFileError, bounded_text, json_document, toml_table

PIECES = st.sampled_from(
    ['"', "'", '"""', "'''", "\\", "#", "\n", "[", "]", "{", "}", "=", ".", ",", "a", "1", " ",
     '\\"', '"a.b"', "[[", "a = 1\n", 'b = """\n', "'''\n", 'c = "x"\n', "门"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)


def reason(read, *arguments):
    with pytest.raises(UnfitFileError) as caught:
        read(*arguments)
    return caught.value.reason


@pytest.fixture
def never_parsed(monkeypatch):
    """Fails where a parser is called at all."""
    monkeypatch.setattr(bounded_text.tomllib, "loads", lambda _: pytest.fail("parsed"))
    monkeypatch.setattr(bounded_text.msgspec.json, "decode", lambda *_, **__: pytest.fail("parsed"))


TOO_DEEP = {
    "nested arrays": b"a = " + b"[" * 3000 + b"]" * 3000,
    "arrays that stay open": b"a = " + b"[" * 17,
    "inline tables": b"a = " + b"{b = " * 17 + b"1" + b"}" * 17,
    "a deep key": b"a" + b".a" * 5000 + b" = 1",
    "a key of many parts": b"a" + b".a" * 30_000 + b" = 1",
    "a key of 17 parts with spaces": b"a" + b" . a" * 16 + b" = 1",
    "a quoted key": b'"a"' + b'."a"' * 16 + b" = 1",
    "a heading": b"[a" + b".a" * 16 + b"]",
    "a key in an inline table": b"b = {a" + b".a" * 16 + b" = 1}",
    "behind a string of five quotes": b'a = ["""x"""", ' + b"[" * 17,
    "behind a string that ends with a backslash": b'a = ["\\\\", ' + b"[" * 17,
    "behind a literal string": b"a = ['\\', " + b"[" * 17,
    "behind a comment": b'# "\na = ' + b"[" * 17,
}


@pytest.mark.parametrize("what", TOO_DEEP)
def test_deep_toml_is_refused_before_it_is_parsed(what, never_parsed):
    assert reason(toml_table, TOO_DEEP[what]) == "nested"


@pytest.mark.parametrize(
    "text",
    [
        'a = "' + "[" * 100 + '"',
        "a = '" + "{" * 100 + "'",
        'a = """\n' + "[" * 100 + "\n" + "x." * 100 + '"""',
        "a = '''" + "[" * 100 + "'''",
        "# " + "[" * 100,
        'a = "' + "x." * 100 + '"',
        'a = "\\"' + "[" * 50 + '"',
        'a = """x""""' + "\n# " + "[" * 40,
        "a = " + "[" * 16 + "]" * 16,
        "a" + ".a" * 15 + " = 1",
        "[[a]]\n" * 1000,
        "a = [" + "[], " * 5000 + "]",
        "a = 1979-05-27T07:32:00.5Z",
        "",
    ],
)
def test_sound_toml_is_read_as_the_parser_reads_it(text):
    assert toml_table(text.encode()) == tomllib.loads(text)
    assert toml_table(b"\xef\xbb\xbf" + text.encode()) == tomllib.loads(text)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_text_gives_the_parsers_table_or_a_refusal(text):
    try:
        expected = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        expected = None
    try:
        found, why = toml_table(text.encode()), ""
    except UnfitFileError as error:
        found, why = None, error.reason
    assert found == expected or why == "nested"


@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_text_before_it_hides_what_is_deep(before):
    """Where the parser reads on behind a text, its brackets are counted there."""
    deep = before + "\nz = " + "[" * 20 + "]" * 20
    try:
        table = tomllib.loads(deep)
    except tomllib.TOMLDecodeError:
        return
    if "z" in table or any(isinstance(value, dict) and "z" in value for value in table.values()):
        assert reason(toml_table, deep.encode()) == "nested"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a = " + b"9" * 5000, "syntax"),
        (b"a = ", "syntax"),
        (b"\xff\xfea", "not UTF-8"),
        (b'a = "\xff"', "not UTF-8"),
        (b'a = """' + b'\\"""' * 16_000, "syntax"),
    ],
)
def test_what_is_no_toml_is_refused(data, why):
    assert reason(toml_table, data) == why


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 900_000,
        b'{"a":' * 17,
        b'{"a":' + b"[" * 900_000 + b"]" * 900_000 + b"}",
        b'["\\\\", ' + b"[" * 17,
        b'["\\"", ' + b"[" * 17,
        b"[" + b"[]," * 1_000_001 + b"[]]",
        b"[" + b"1," * 1_000_001 + b"1]",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_deep_or_long_json_is_refused_before_it_is_parsed(data, never_parsed):
    assert reason(json_document, data, object) == "nested"


@given(VALUES)
def test_sound_json_is_read_as_the_standard_reads_it(value):
    text = json.dumps(value)
    assert json_document(text.encode(), object) == json.loads(text)


@pytest.mark.parametrize("data", [b"", b"{", b"[1,]", b'"\xff"', b"NaN", b'{"a": 1} 2'])
def test_what_is_no_json_is_refused(data):
    assert reason(json_document, data, object) == "syntax"


def test_brackets_in_strings_count_nowhere():
    text = json.dumps({"a": "[" * 1000, 'b"': ["{" * 100, "\\", '"']})
    assert json_document(text.encode(), object) == json.loads(text)
