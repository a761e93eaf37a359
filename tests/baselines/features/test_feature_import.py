"""Features that others computed become a folder: in three formats alike, and nothing odd unsaid."""

import re
from itertools import count

import numpy as np
import pytest

from baselines import progress_notes
from baselines.features import array_formats
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.baselines.features.folders import random_rows, row_times
from tests.baselines.features.foreign import (
    FORMATS,
    FRAMES,
    as_hdf5,
    as_npz,
    as_tensors,
)


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


def test_a_file_of_another_kind_is_told_what_is_expected(take, tmp_path):
    (tmp_path / "meta.json").write_text('[{"video_id": "a.mp4", "duration": 20.0}]')
    with pytest.raises(EnvironmentFailure, match="expected npz, safetensors or HDF5"):
        take(tmp_path / "meta.json")


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


def test_an_import_that_takes_seconds_tells_how_far_it_is_and_what_is_left(
    take, tmp_path, monkeypatch
):
    """By a clock that goes on three seconds at each look."""
    rows = random_rows(FRAMES, 40_000)
    files = [as_npz(tmp_path / name.split("/")[1].removesuffix(".mp4"), {"features": of})
             for name, of in rows.items()]  # fmt: skip
    quick, quiet = take(*files, out="quick")
    clock = count(0, 3)
    monkeypatch.setattr(progress_notes.time, "monotonic", lambda: next(clock))
    slow, notes = take(*files, out="slow")
    told = [line for line in notes if line not in quiet]
    assert [line for line in notes if line in quiet] == quiet
    for kind, units in (("lists of arrays read", "of 4 files"), ("rows taken over", "of 4 videos"),
                        ("files hashed", "MiB")):  # fmt: skip
        lines = [line for line in told if line.startswith(f"{kind}: ")]
        assert lines, kind
        assert all(re.search(rf"\d+ .*{units}.*, about \d+ s left$", line) for line in lines)
    assert (tmp_path / "slow" / "features.json").read_bytes() == (
        tmp_path / "quick" / "features.json"
    ).read_bytes()
    assert np.array_equal(quick[CAT], slow[CAT])
