"""Features that others computed become a folder: in three formats alike, and nothing odd unsaid."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from baselines.features import array_formats
from baselines.features.feature_folder import FeatureFolder
from baselines.features.feature_import import import_features
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines.conftest import CAT, COOK, DOG, FOX, imported
from tests.baselines.features.folders import random_rows, row_times

FRAMES = {CAT: 10, DOG: 20, FOX: 12, COOK: 40}


def as_npz(path, arrays):
    np.savez(path.with_suffix(".npz"), **arrays)
    return path.with_suffix(".npz")


def as_tensors(path, arrays):
    plain = {name: np.ascontiguousarray(of) for name, of in arrays.items()}
    save_file(plain, path.with_suffix(".safetensors"))
    return path.with_suffix(".safetensors")


def as_hdf5(path, arrays):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for name, of in arrays.items():
            file[name] = of
    return path.with_suffix(".h5")


def as_packed_hdf5(path, arrays):
    with h5py.File(path.with_suffix(".hdf5"), "w") as file:
        for name, of in arrays.items():
            file.create_dataset(name, data=of, chunks=True, compression="gzip", shuffle=True)
    return path.with_suffix(".hdf5")


FORMATS = (as_npz, as_tensors, as_hdf5, as_packed_hdf5)


@pytest.fixture
def toy(tmp_path):
    return imported(tmp_path)


@pytest.fixture
def take(toy, tmp_path):
    """Import files at one row a second: the folder and the notes."""

    def run(*files, rate=1.0, benchmark=toy, out="out", **how):
        notes = []
        import_features(files, benchmark, tmp_path / out, rate=rate, note=notes.append, **how)
        return FeatureFolder(tmp_path / out), notes

    return run


@pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8"])
def test_rows_of_every_format_are_taken_as_they_are(take, tmp_path, write, kind):
    rows = {name: of.astype(kind) for name, of in random_rows(FRAMES, 6).items()}
    folder, notes = take(write(tmp_path / "clip", rows))
    for name, of in rows.items():
        assert np.array_equal(folder[name], of.astype(np.float32))
        assert folder.times(name).tolist() == row_times(len(of)).tolist()
    assert folder.header.dtype == ("float16" if kind == "<f2" else "float32")
    assert (folder.header.name, folder.header.kind, folder.header.rate) == ("clip", "imported", 1.0)
    assert [source.file for source in folder.header.sources] == [write(tmp_path / "b", rows).name
        .replace("b.", "clip.")]  # fmt: skip
    assert notes == [
        "4 arrays found by ids compared as they are",
        "1 of 4 videos have no duration in the benchmark, so the lengths of their rows are not "
        "checked (`ivcr data import --videos META` has them)",
    ]


# A dataset of HDF5 holds no other, so there a group holds both.
BESIDE = [(write, "{}/features") for write in FORMATS] + [(as_npz, "{}"), (as_tensors, "{}")]


@pytest.mark.parametrize(("write", "names"), BESIDE, ids=lambda of: getattr(of, "__name__", of))
def test_times_stand_beside_the_rows_in_seconds(take, tmp_path, write, names):
    rows, arrays = random_rows(FRAMES, 3), {}
    for name, of in rows.items():
        arrays[names.format(name)] = of
        arrays[f"{name}/times"] = (np.arange(len(of)) * 0.75 + 0.2).astype(np.float64)
    folder, notes = take(write(tmp_path / "clip", arrays), rate=None)
    assert folder.times(CAT).tolist() == [200 + 750 * at for at in range(10)]
    assert np.array_equal(folder[COOK], rows[COOK])
    assert "3 of 4 videos do not last as long as their rows" in notes[1]


def test_a_file_a_video_is_of_the_video_that_it_is_called_after(take, tmp_path):
    rows, files = random_rows(FRAMES, 3), []
    for name, of in rows.items():
        stem = name.split("/")[1].removesuffix(".mp4")
        files.append(as_npz(tmp_path / stem, {"features": of}))
    folder, notes = take(*files)
    assert all(np.array_equal(folder[name], of) for name, of in rows.items())
    assert notes[0] == (
        "4 arrays found by ids compared by the last part of the path, without extension "
        '(such as "cat" of "A/cat.mp4")'
    )


def test_many_files_are_not_open_at_once(take, tmp_path, monkeypatch):
    monkeypatch.setattr(array_formats, "MOST_OPEN", 2)
    rows = random_rows(FRAMES, 3)
    files = [as_npz(tmp_path / f"f{at}", {name: of}) for at, (name, of) in enumerate(rows.items())]
    folder, _ = take(*files)
    assert all(np.array_equal(folder[name], of) for name, of in rows.items())


def test_the_same_files_give_the_same_bytes_whatever_their_order_of_arrays(take, tmp_path):
    rows = random_rows(FRAMES, 3)
    one, _ = take(as_npz(tmp_path / "clip", rows), out="one")
    two, _ = take(as_npz(tmp_path / "clip", rows), out="two")
    assert [p.read_bytes() for p in sorted(one.path.iterdir())] == [
        p.read_bytes() for p in sorted(two.path.iterdir())
    ]
    turned = as_hdf5(tmp_path / "clip", dict(reversed(rows.items())))
    three, _ = take(turned, out="three")
    assert one.header.key == three.header.key


def test_rows_in_the_order_of_columns_are_turned(take, tmp_path):
    rows = {name: np.asfortranarray(of) for name, of in random_rows(FRAMES, 3).items()}
    folder, _ = take(as_npz(tmp_path / "clip", rows))
    assert all(np.array_equal(folder[name], of) for name, of in rows.items())


def test_what_is_missing_or_of_no_video_is_counted_and_named(take, tmp_path):
    rows = random_rows({CAT: 10, "A/bird.mp4": 3, "A/fish.mp4": 3}, 3)
    folder, notes = take(as_npz(tmp_path / "clip", rows))
    assert list(folder) == [CAT]
    assert notes[1:] == [
        '2 arrays are of no video of the benchmark and are left out: "A/bird.mp4", "A/fish.mp4"',
        '3 of 4 videos have no features: "A/dog.mp4", "A/fox.mp4", "B/cook.mp4"',
    ]


def test_none_matching_is_an_error_that_shows_both_kinds_of_ids(take, tmp_path):
    with pytest.raises(EnvironmentFailure, match=r'such as "v_1", videos such as "A/cat\.mp4"'):
        take(as_npz(tmp_path / "clip", random_rows({"v_1": 3}, 2)))


def test_lengths_that_contradict_durations_are_counted_and_named(take, tmp_path):
    rows = random_rows({CAT: 10, DOG: 21, FOX: 3, COOK: 80}, 2)
    folder, notes = take(as_npz(tmp_path / "clip", rows))
    assert len(folder) == 4
    assert notes[1] == (
        "1 of 4 videos do not last as long as their rows, by more than a second and a row: "
        '"B/cook.mp4" lasts 40.0 s, its rows end at 80.0 s; check --rate, or the times'
    )
    assert "1 of 4 videos have no duration" in notes[2]


def test_one_row_of_difference_is_no_contradiction(take, tmp_path):
    rows = random_rows({CAT: 2, DOG: 5, COOK: 11}, 2)  # windows of 4 s: 8, 20 and 44 s
    _, notes = take(as_npz(tmp_path / "clip", rows), rate=0.25)
    assert not [line for line in notes if "do not last" in line]


BAD = [
    ({CAT: np.full((3, 2), np.nan)}, r'"A/cat.mp4": row 0 holds NaN'),
    ({CAT: np.array([[0, 1], [2, np.inf]])}, r'"A/cat.mp4": row 1 holds NaN'),
    ({CAT: np.array([[0, 1e300]])}, "beyond float32"),
    ({CAT: np.zeros((3, 2)), DOG: np.zeros((3, 4))}, r"rows of 4 numbers.*of 2"),
    ({CAT: np.zeros(3)}, r"the shape \(3,\)"),
    ({CAT: np.zeros((3, 2, 2))}, r"the shape \(3, 2, 2\)"),
    ({CAT: np.zeros((0, 2))}, r"the shape \(0, 2\)"),
    ({CAT: np.zeros((3, 2), np.int64)}, "of type int64"),
]


@pytest.mark.parametrize(("arrays", "expected"), BAD, ids=lambda of: str(of)[:40])
@pytest.mark.parametrize("write", [as_npz, as_tensors, as_hdf5], ids=lambda of: of.__name__)
def test_arrays_that_are_no_features_are_refused_by_video(take, tmp_path, write, arrays, expected):
    with pytest.raises(EnvironmentFailure, match=expected):
        take(write(tmp_path / "clip", arrays))
    assert not (tmp_path / "out").exists()


def test_two_arrays_of_one_video_are_refused(take, tmp_path):
    rows = np.zeros((3, 2))
    with pytest.raises(EnvironmentFailure, match="a second array"):
        take(as_npz(tmp_path / "clip", {CAT: rows, f"{CAT}/features": rows}))
    with pytest.raises(EnvironmentFailure, match="a second array"):
        take(as_npz(tmp_path / "one", {CAT: rows}), as_hdf5(tmp_path / "two", {CAT: rows}))


@pytest.mark.parametrize(
    "times",
    [np.arange(4.0), np.array([0.0, np.nan, 2]), np.array([0.0, 2, 1]), np.array([-1.0, 1, 2]),
     np.zeros((3, 1))],
)  # fmt: skip
def test_odd_times_are_refused(take, tmp_path, times):
    file = as_npz(tmp_path / "clip", {CAT: np.ones((3, 2)), f"{CAT}/times": times})
    with pytest.raises(EnvironmentFailure, match="expected seconds that ascend"):
        take(file, rate=None)


def test_times_and_a_rate_contradict_and_one_of_them_is_needed(take, tmp_path):
    rows = {CAT: np.ones((3, 2))}
    with pytest.raises(WrongUsageError, match="--rate 1"):
        take(as_npz(tmp_path / "clip", rows), rate=None)
    with pytest.raises(WrongUsageError, match="leave --rate out"):
        take(as_npz(tmp_path / "clip", rows | {f"{CAT}/times": np.arange(3.0)}))
    with pytest.raises(WrongUsageError, match="above 0"):
        take(as_npz(tmp_path / "clip", rows), rate=0.0)
    with pytest.raises(EnvironmentFailure, match="expected seconds, at most"):
        take(as_npz(tmp_path / "clip", rows | {f"{CAT}/times": np.arange(3.0) * 1e6}), rate=None)


def test_a_place_that_is_taken_is_refused(take, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(WrongUsageError, match="expected a new folder"):
        take(as_npz(tmp_path / "clip", random_rows(FRAMES, 2)))


class Bomb:
    """A pickle that leaves a trace where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def objects(path, trace):
    np.savez(path, **{CAT: np.array([[Bomb(trace)]], object)})


def a_pickle(path, trace):
    import pickle

    path.write_bytes(pickle.dumps(Bomb(trace)))


def one_array(path, trace):
    with path.open("wb") as stream:
        np.save(stream, np.ones((3, 2)))


def huge_npz(path, trace):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**4)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{CAT}.npy", head.getvalue())


def expanding_npz(path, trace):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = io.BytesIO()
        shape = (1 << 10, 1 << 12)
        np.lib.format.write_array_header_1_0(
            head, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
        archive.writestr(f"{CAT}.npy", head.getvalue() + bytes(4 * shape[0] * shape[1]))


def huge_tensors(path, trace):
    header = json.dumps(
        {CAT: {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 8]}}
    ).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def brain_floats(path, trace):
    header = json.dumps({CAT: {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def truncated(path, trace):
    made = as_hdf5(path.with_name("whole"), random_rows(FRAMES, 50))
    path.write_bytes(made.read_bytes()[:-4000])


HOSTILE = [
    (objects, "no objects"), (a_pickle, "safetensors"), (one_array, "an npz"),
    (huge_npz, "as long as it says"), (expanding_npz, "more than 1000 times"),
    (huge_tensors, "as its shape says"), (brain_floats, "BF16"), (truncated, "HDF5"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "expected"), HOSTILE, ids=lambda of: getattr(of, "__name__", ""))
def test_files_that_are_made_to_hurt_are_refused_unread(
    take, tmp_path, monkeypatch, write, expected
):
    monkeypatch.setattr(array_formats, "FREE", 0)
    path = tmp_path / "f.npz"
    write(path, tmp_path / "trace")
    with pytest.raises(EnvironmentFailure, match=expected) as caught:
        take(path)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "trace").exists()


def soft_link(file):
    file["there"] = np.ones((3, 2))
    file[CAT] = h5py.SoftLink("/there")


def external_link(file):
    file[CAT] = h5py.ExternalLink("/etc/passwd", "/x")


def circle(file):
    file.create_group("A")["again"] = file["/"]


def external_data(file):
    file.create_dataset(CAT, (3, 2), "f4", external=[("/etc/passwd", 0, 24)])


def virtual_data(file):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (3, 2))
    file.create_virtual_dataset(CAT, layout)


def huge_shape(file):
    file.create_dataset(CAT, (10**9, 10**4), "f4", chunks=(1, 10**4))


def huge_pieces(file):
    file.create_dataset(CAT, (3, 2), "f4", maxshape=(None, None), chunks=(1 << 16, 1 << 15))


def not_written(file):
    file.create_dataset(CAT, (300, 20), "f4", chunks=(10, 20))[:10] = 1


def never_written(file):
    file.create_dataset(CAT, (300, 20), "f4")


def texts(file):
    file.create_dataset(CAT, (3, 2), h5py.string_dtype())


def compound(file):
    file.create_dataset(CAT, (3, 2), np.dtype([("a", "f4")]))


def scale_offset(file):
    file.create_dataset(CAT, data=np.ones((30, 2)), scaleoffset=2)


ODD = [
    (soft_link, "is a link"), (external_link, "is a link"), (circle, "no circle"),
    (external_data, "another file"), (virtual_data, "another file"),
    (huge_shape, "declares the shape"), (huge_pieces, "declares pieces"),
    (not_written, "not written in full"), (never_written, "not written in full"),
    (texts, "no numbers"), (compound, "no numbers"), (scale_offset, "the filter 6"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "expected"), ODD, ids=lambda of: getattr(of, "__name__", ""))
def test_hdf5_that_leads_elsewhere_or_lacks_its_data_is_refused(take, tmp_path, write, expected):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        write(file)
        file[DOG] = np.ones((20, 2))
    with pytest.raises(EnvironmentFailure, match=expected):
        take(tmp_path / "f.h5")
