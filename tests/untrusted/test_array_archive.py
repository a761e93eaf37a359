"""npz files as numpy writes them are read alike; what is made to hurt is refused unread."""

import io
import struct
import zipfile

import numpy as np
import pytest

from harness.untrusted import UnfitFileError, array_archive
from harness.untrusted.array_archive import ArchiveLimits, open_arrays

TABLE = np.arange(60, dtype=float).reshape(6, 10)
SOUND = {
    "table": TABLE,
    "names": np.array(["R@1", "门"]),
    "start": np.array([0, 2]),
    "flags": np.array([[True, False]]),
    "one": np.array("abc"),
    "none": np.zeros((0, 3)),
}


@pytest.fixture
def path(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **SOUND)
    return tmp_path / "a.npz"


def with_entry(path, name, data, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr(f"{name}.npy", data)


def head(text):
    text += b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def refused(path, take):
    with pytest.raises(UnfitFileError) as caught, open_arrays(path) as archive:
        take(archive)
    return str(caught.value)


def test_arrays_are_those_of_numpy(path):
    with open_arrays(path) as archive, np.load(path, allow_pickle=False) as expected:
        assert set(archive.names) == set(SOUND)
        for name in SOUND:
            found = archive.array(name)
            assert (found.dtype, found.shape) == (expected[name].dtype, expected[name].shape)
            assert np.array_equal(found, expected[name])


@pytest.mark.parametrize(("first", "number"), [(0, 6), (2, 3), (5, 1), (6, 0)])
def test_rows_are_those_of_the_table(path, first, number, monkeypatch):
    monkeypatch.setattr(array_archive, "CHUNK", 37)
    with open_arrays(path) as archive:
        assert np.array_equal(archive.rows("table", first, number), TABLE[first : first + number])


@pytest.mark.parametrize(("first", "number"), [(-1, 2), (5, 2), (7, 0), (0, -1)])
def test_rows_that_are_not_there_are_refused(path, first, number):
    assert "rows from row" in refused(path, lambda archive: archive.rows("table", first, number))


@pytest.mark.parametrize(
    "header",
    [
        b"(" * 4000 + b")" * 4000,
        b"-" * 4000 + b"1",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
        b"{'descr': '<f1', 'fortran_order': False, 'shape': (1,), }",
        b"{'descr': '<U0', 'fortran_order': False, 'shape': (999999999999999,), }",
        b"{'descr': '<f8', 'fortran_order': True, 'shape': (1, 1), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), } + 1",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1), }",
        b"",
    ],
    ids=lambda text: repr(text[:50]),
)
def test_a_header_that_numpy_does_not_write_is_refused(path, header):
    with_entry(path, "odd", head(header) + bytes(8))
    assert "as `ivcr score` writes it" in refused(path, lambda archive: archive.head("odd"))


def test_a_shape_that_its_data_do_not_have_is_refused(path):
    sound = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 1048576), }"
    with_entry(path, "huge", head(sound % 10**14))
    assert "as long as it says" in refused(path, lambda archive: archive.head("huge"))


def test_numbers_that_are_no_characters_are_refused(path):
    with_entry(
        path, "odd", head(b"{'descr': '<U1', 'fortran_order': False, 'shape': (), }") + b"\xff" * 4
    )
    assert "no characters" in refused(path, lambda archive: archive.array("odd"))


def test_a_large_array_is_not_unpacked_for_a_small_one(path):
    flags = b"{'descr': '|b1', 'fortran_order': False, 'shape': (2097152,), }"
    with_entry(path, "zeros", head(flags) + bytes(1 << 21))
    assert "expected at most" in refused(path, lambda archive: archive.array("zeros"))


def test_a_damaged_entry_is_refused(tmp_path):
    stream = io.BytesIO()
    np.savez(stream, table=TABLE)
    data = stream.getvalue().replace(struct.pack("<d", 41.0), struct.pack("<d", 42.0))
    (tmp_path / "a.npz").write_bytes(data)
    # The checksum is over all of it, though the row that is asked for is another.
    assert "CRC" in refused(tmp_path / "a.npz", lambda archive: archive.rows("table", 0, 1))


def test_an_entry_that_gives_less_than_it_declares_is_refused(path):
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("table.npy").file_size
    at = data.index(b"PK\x01\x02")
    while data[at + 46 : at + 55] != b"table.npy":
        at = data.index(b"PK\x01\x02", at + 1)
    data[at + 24 : at + 28] = (size + 80).to_bytes(4, "little")
    path.write_bytes(data)
    assert "as long as it says" in refused(path, lambda archive: archive.rows("table", 0, 6))


def test_many_entries_are_refused_before_they_are_listed(path, monkeypatch):
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(100):
            archive.writestr(str(number), b"")
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("listed"))
    assert "at most 64 entries" in refused(path, lambda archive: None)


def test_an_end_for_larger_files_or_with_a_comment_is_refused(path):
    sound = path.read_bytes()
    locator = b"PK\x06\x07" + bytes(16)
    path.write_bytes(sound[:-22] + locator + sound[-22:])
    assert "end of a plain zip file" in refused(path, lambda archive: None)
    path.write_bytes(sound + b"comment")
    assert "end of a plain zip file" in refused(path, lambda archive: None)


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 100, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_npz_is_refused(path, data):
    path.write_bytes(data)
    assert "no npz as expected" in refused(path, lambda archive: archive.head("table"))


def test_other_compression_and_encryption_are_refused(path):
    with_entry(path, "lzma", head(b"x"), zipfile.ZIP_LZMA)
    assert "deflate" in refused(path, lambda archive: archive.head("lzma"))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        name = archive.infolist()[0].filename.removesuffix(".npy")
    assert "encrypted" in refused(path, lambda archive: archive.head(name))


def test_a_file_of_many_gigabytes_is_refused_unread(path):
    with path.open("r+b") as stream:
        stream.truncate(20 << 30)
    assert "expected at most" in refused(path, lambda archive: None)


def test_bombs_stay_within_what_they_declare(path):
    with_entry(path, "zeros", bytes(300 << 20))
    assert "has more than" in refused(path, lambda archive: archive.head("zeros"))


ANY = ArchiveLimits(1 << 40, 1 << 20, 100_000, 1 << 24, any_writer=True)


def test_other_limits_take_what_others_write(tmp_path):
    arrays = {f"v{number}": np.full((2, 3), number, np.float32) for number in range(100)}
    turned = np.asfortranarray(TABLE)
    np.savez(tmp_path / "a.npz", turned=turned, **arrays)
    with open_arrays(tmp_path / "a.npz", ANY) as archive:
        assert len(archive.names) == 101
        assert np.array_equal(archive.array("turned"), TABLE)
        assert all(np.array_equal(archive.array(name), of) for name, of in arrays.items())
        with pytest.raises(ValueError, match="a table of floats"):
            archive.rows("turned", 0, 1)
    assert "at most 64 entries" in refused(tmp_path / "a.npz", lambda archive: None)


def test_a_list_of_entries_of_a_larger_file_is_read_where_it_is_allowed(path, monkeypatch):
    """`zipfile` writes the longer end from so many entries on."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    np.savez(path, **SOUND)
    assert path.read_bytes()[-42:-38] == b"PK\x06\x07"
    with open_arrays(path, ANY) as archive:
        assert np.array_equal(archive.array("table"), TABLE)
    few = ANY._replace(entries=5)
    with pytest.raises(UnfitFileError, match="at most 5 entries"), open_arrays(path, few):
        pass
    path.write_bytes(path.read_bytes().replace(b"PK\x06\x06", b"PK\x06\x05"))
    with pytest.raises(UnfitFileError, match="end of a zip file"), open_arrays(path, ANY):
        pass


def test_objects_are_refused_in_words_for_whoever_wrote_them(path):
    with_entry(path, "odd", head(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"))
    with pytest.raises(UnfitFileError, match="no objects"), open_arrays(path, ANY) as archive:
        archive.head("odd")
