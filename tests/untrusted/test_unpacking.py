"""Compressed files give the bytes of the reference tools, or one clear refusal."""

import gzip
import io
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import EnvironmentFailure
from harness.files import zstd
from harness.untrusted import UnfitFileError, open_input, read_unpacked, unpacked
from harness.untrusted import unpacking as module

COMPRESS = {".gz": lambda data: gzip.compress(data, mtime=0), ".zst": zstd.compress}
REFERENCE = {".gz": gzip.decompress, ".zst": zstd.decompress}
NOISE = random.Random(1).randbytes(3_000_000)


def read(data, suffix):
    return b"".join(unpacked(io.BytesIO(data), suffix))


@pytest.mark.parametrize("suffix", COMPRESS)
@given(parts=st.lists(st.binary(max_size=2000), min_size=1, max_size=6), feed=st.integers(1, 3000))
@settings(max_examples=100)
def test_members_are_unpacked_as_by_the_reference(suffix, parts, feed):
    data = b"".join(map(COMPRESS[suffix], parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEED", feed)
        patch.setattr(module, "FIRST", min(feed, 7))
        assert read(data, suffix) == b"".join(parts) == REFERENCE[suffix](data)


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize(
    "data", [NOISE, bytes(10_000_000), NOISE[:100] * 100_000], ids=["noise", "zeros", "repeats"]
)
def test_large_members_are_unpacked_whole_in_chunks(suffix, data):
    chunks = list(unpacked(io.BytesIO(COMPRESS[suffix](data)), suffix))
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= module.CHUNK


@pytest.mark.parametrize("suffix", COMPRESS)
def test_every_cut_is_noticed(suffix):
    data = COMPRESS[suffix](b"one") + COMPRESS[suffix](b"two")
    whole = len(COMPRESS[suffix](b"one"))
    for length in range(1, len(data)):
        if length == whole:
            continue
        with pytest.raises(UnfitFileError) as caught:
            read(data[:length], suffix)
        assert caught.value.reason == "truncated"


@pytest.mark.parametrize("suffix", COMPRESS)
def test_what_follows_the_last_member_is_no_secret(suffix):
    with pytest.raises(UnfitFileError) as caught:
        read(COMPRESS[suffix](b"one") + b"and more", suffix)
    assert caught.value.reason == "not compressed"


def test_zeros_may_follow_a_gzip_member_as_on_tapes():
    data = gzip.compress(b"one") + bytes(3_000_000) + gzip.compress(b"two") + bytes(100)
    assert read(data, ".gz") == b"onetwo"


def test_a_gzip_header_may_hold_a_long_name():
    packed = gzip.compress(b"text")
    data = packed[:3] + b"\x08" + packed[4:10] + b"n" * 3_000_000 + b"\0" + packed[10:]
    assert read(data, ".gz") == b"text"


def test_a_damaged_member_is_refused():
    packed = bytearray(gzip.compress(b"text" * 100))
    packed[-6] ^= 1  # in the checksum
    with pytest.raises(UnfitFileError, match="is not sound gz"):
        read(bytes(packed), ".gz")


@pytest.mark.parametrize("suffix", COMPRESS)
def test_parts_that_hold_nothing_are_counted(suffix):
    empty = COMPRESS[suffix](b"")
    assert read(empty * module.MEMBERS, suffix) == b""
    with pytest.raises(UnfitFileError) as caught:
        read(empty * 2 * module.MEMBERS, suffix)
    assert caught.value.reason == "members"


def test_skippable_frames_are_counted():
    with pytest.raises(UnfitFileError) as caught:
        read(b"\x50\x2a\x4d\x18\0\0\0\0" * 2 * module.MEMBERS, ".zst")
    assert caught.value.reason == "members"


@pytest.mark.parametrize("suffix", COMPRESS)
def test_one_member_a_line_is_honest(suffix):
    draw = random.Random(2)
    lines = [b"%x\n" % draw.randbytes(100).__hash__() + draw.randbytes(80) for _ in range(12_000)]
    assert read(b"".join(map(COMPRESS[suffix], lines)), suffix) == b"".join(lines)


@pytest.mark.parametrize("suffix", COMPRESS)
def test_what_expands_too_much_is_refused(suffix):
    if suffix == ".gz":
        data = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = b"".join(data.compress(bytes(1 << 20)) for _ in range(300)) + data.flush()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "RATIO", 100)
            with pytest.raises(UnfitFileError, match="expands"):
                read(packed, suffix)
    else:
        with pytest.raises(UnfitFileError, match="expands"):
            read(zstd.compress(bytes(200 << 20)), suffix)


def test_limits_on_size_hold_packed_and_unpacked(tmp_path):
    plain, packed = tmp_path / "a", tmp_path / "a.gz"
    plain.write_bytes(bytes(1001))
    packed.write_bytes(gzip.compress(bytes(1001)))
    for path in (plain, packed):
        assert len(b"".join(read_unpacked(path, 1001))) == 1001
        with pytest.raises(UnfitFileError) as caught:
            list(read_unpacked(path, 1000))
        assert caught.value.reason == "too large"


def test_a_named_input_is_a_stream_of_lines(tmp_path):
    path = tmp_path / "a.txt.zst"
    path.write_bytes(zstd.compress(b"one\ntwo") + zstd.compress(b"\nthree"))
    with open_input(path) as stream:
        assert list(stream) == [b"one\n", b"two\n", b"three"]
    path.write_bytes(zstd.compress(b"one")[:-1])
    with (
        pytest.raises(EnvironmentFailure, match=r"a\.txt\.zst: cannot be read"),
        open_input(path) as s,
    ):
        s.read()
