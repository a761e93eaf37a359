"""The streamed JSON list equals json.loads, wherever the chunks fall."""

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EnvironmentFailure
from harness.sources import json_stream
from harness.untrusted import unpacking

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("stream") / "list.json"


@given(st.lists(VALUES, max_size=8), st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
@settings(max_examples=200)
def test_elements_equal_json_loads_wherever_chunks_fall(file, values, chunk, indent, ascii_only):
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    file.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacking, "CHUNK", chunk)
        assert list(json_stream.elements(file)) == json.loads(text)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"", "expected a JSON list"),
        (b"[", "element 1"),
        (b'{"a": 1}', "expected a JSON list"),
        (b'[{"a": 1}', "element 2"),
        (b'[{"a": 1}, {"b"', "element 2"),
        (b'[{"a": 1} {"b": 2}]', "expected , or ]"),
        (b"[1, 2", "element 2"),
        (b"[" * 100_000, "element 1"),
        (b"[" + b"9" * 5000 + b"]", "element 1"),
        (b'["\xff"]', "UTF-8"),
    ],
    ids=[
        "empty",
        "open",
        "object",
        "cut",
        "inside",
        "no comma",
        "number",
        "deep",
        "digits",
        "bytes",
    ],
)
def test_a_broken_list_is_refused_with_its_place(file, data, place):
    file.write_bytes(data)
    with pytest.raises(EnvironmentFailure, match=r"list\.json") as caught:
        list(json_stream.elements(file))
    assert place in str(caught.value)


def test_a_truncated_gzip_file_is_refused(tmp_path):
    file = tmp_path / "list.json.gz"
    file.write_bytes(gzip.compress(json.dumps(list(range(10_000))).encode())[:-20])
    with pytest.raises(EnvironmentFailure, match=r"list\.json\.gz"):
        list(json_stream.elements(file))


def test_progress_ends_at_the_size_of_the_file(file):
    file.write_text(json.dumps(["x" * 100] * 50_000))
    told = []
    assert len(list(json_stream.elements(file, lambda *done: told.append(done)))) == 50_000
    assert told[-1] == (file.stat().st_size, file.stat().st_size)
