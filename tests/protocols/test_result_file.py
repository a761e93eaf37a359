"""Reading official result files: what they are, and what is refused."""

import gzip
import hashlib
import json

import pytest

from harness.errors import EnvironmentFailure, SubmissionError
from harness.protocols import result_file
from harness.protocols.result_file import ResultEntry, read_result

ROWS = [{"user_q": "谁在唱歌", "output": "video 3"}, {"user_q": "", "output": "", "more": 1}]
TEXT = json.dumps(ROWS, ensure_ascii=False).encode()


def test_plain_and_gzip_read_alike(tmp_path):
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT, mtime=0))
    assert read_result(plain) == read_result(packed)
    assert read_result(plain).entries == (ResultEntry("谁在唱歌", "video 3"), ResultEntry("", ""))
    assert read_result(packed).sha256 == hashlib.sha256(TEXT).hexdigest()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"{}", "expected a JSON list"),
        (b"[1, 2", "entry 1"),
        (b'[{"user_q": "a", "output": "b"}', "UTF-8 JSON"),
        (b"[] []", "nothing behind the list"),
        (b"\xff\xfe[]", "UTF-8 JSON"),
        (b"[" * 200_000, "UTF-8 JSON"),
        (b'[{"user_q": "a"}]', "entry 1"),
        (b'[{"user_q": "a", "output": null}]', "entry 1"),
        (b'[{"user_q": "a", "output": "b"}, []]', "entry 2"),
        (gzip.compress(b"[]", mtime=0)[:-4], "broken gzip"),
        (b"\x1f\x8bnot gzip", "broken gzip"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_result_file_is_refused(tmp_path, data, what):
    path = tmp_path / "result.json"
    path.write_bytes(data)
    with pytest.raises(SubmissionError, match=what):
        read_result(path)


def test_an_expanding_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(result_file, "LARGEST", 1000)
    path = tmp_path / "result.json.gz"
    path.write_bytes(gzip.compress(b" " * 10**6, mtime=0))
    with pytest.raises(SubmissionError, match="longer than"):
        read_result(path)


def test_an_absent_file_is_no_fault_of_a_submission(tmp_path):
    with pytest.raises(EnvironmentFailure):
        read_result(tmp_path / "none.json")


def test_messages_escape_what_the_file_holds(tmp_path):
    path = tmp_path / "result.json"
    path.write_text('[{"user_q": "\\u001b[31m"}]', "utf-8")
    with pytest.raises(SubmissionError) as caught:
        read_result(path)
    assert "\x1b" not in str(caught.value)
