"""Replies outlive their process; a damaged file is an error in one line."""

import json
import sqlite3
from contextlib import closing

import pytest

from harness.chat.messages import Reply
from harness.chat.response_cache import FILE, ResponseCache
from harness.errors import EnvironmentFailure


def test_kept_replies_outlive_the_process_and_damage_is_no_reply(tmp_path):
    one = ResponseCache(tmp_path)
    reply = Reply("猫", None, 3, None, 12, structured=True)
    one.put("k", "m", reply)
    other = ResponseCache(tmp_path)
    assert (other.get("k"), other.get("l"), other.count("m"), other.count("n")) == (
        reply, None, 1, 0,
    )  # fmt: skip
    with closing(sqlite3.connect(tmp_path / FILE)) as database, database:
        database.execute("UPDATE replies SET reply = x'00'")
    assert one.get("k") is None


def test_a_file_that_is_no_base_is_one_line(tmp_path):
    (tmp_path / FILE).write_bytes(b"x" * 4096)
    with pytest.raises(EnvironmentFailure, match="replies cannot be kept there") as failure:
        ResponseCache(tmp_path)
    assert "\n" not in str(failure.value)
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(EnvironmentFailure, match="name another folder"):
        ResponseCache(tmp_path / "file")
