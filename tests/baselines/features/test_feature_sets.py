"""What a baseline reads of folders of features: rows as they were written, or side by side."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from baselines.base import MissingInputError
from baselines.features import feature_writing
from baselines.features.feature_folder import FeatureFolder
from baselines.features.feature_sets import nearest, open_features
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines.conftest import CAT, COOK, DOG, FOX, imported
from tests.baselines.features.folders import feature_folder, random_rows, row_times

FRAMES = {CAT: 10, DOG: 20, FOX: 12, COOK: 40}


@pytest.fixture
def toy(tmp_path):
    return imported(tmp_path)


@pytest.fixture
def place(toy, tmp_path):
    """Write a folder of features for the toy benchmark; gives its path as text."""

    def write(name, rows, **how):
        return str(feature_folder(tmp_path / name, rows, toy.folder, name=name, **how))

    return write


@pytest.fixture
def opened_with(toy):
    """Open folders for the toy's videos: the set, and the notes."""

    def take(*folders, ids=tuple(FRAMES)):
        notes = []
        return open_features(folders, ids, toy.folder, notes.append), notes

    return take


def test_rows_and_times_are_those_that_were_written_and_cannot_be_changed(place, opened_with):
    rows = random_rows(FRAMES, 6)
    features, notes = opened_with(place("one", rows, rate=2.0))
    assert list(features) == list(FRAMES)
    assert (features.width, len(features)) == (6, 4)
    for name, expected in rows.items():
        assert features[name].dtype == np.float32
        assert np.array_equal(features[name], expected)
        assert features.times[name].tolist() == [250 + 500 * at for at in range(len(expected))]
        with pytest.raises(ValueError, match="read-only"):
            features[name][0, 0] = 1
    assert notes == ['features "one": 4 videos, 82 rows of 6']


def test_the_files_are_safetensors_as_their_own_library_reads_them(place, monkeypatch):
    rows = random_rows(FRAMES, 5)
    monkeypatch.setattr(feature_writing, "SHARD_BYTES", 700)  # DOG fits with CAT, COOK is alone
    folder = FeatureFolder(Path(place("one", rows)))
    assert [shard.videos for shard in folder.header.shards] == [2, 1, 1]
    found = [load_file(folder.path / shard.file) for shard in folder.header.shards]
    assert np.array_equal(
        np.concatenate([part["rows"] for part in found]),
        np.concatenate([rows[name] for name in sorted(rows)]),
    )
    assert [part["ends"].tolist() for part in found] == [[10, 30], [12], [40]]
    assert all(np.array_equal(folder[name], of) for name, of in rows.items())


def test_the_same_rows_give_the_same_bytes_and_the_same_key(place):
    rows = random_rows(FRAMES, 6)
    one, two = Path(place("a/same", rows)), Path(place("b/same", dict(reversed(rows.items()))))
    three = Path(place("c/same", rows | {CAT: rows[CAT] + 1}))
    assert [path.name for path in sorted(one.iterdir())] == [
        "features-00001.safetensors", "features.json"
    ]  # fmt: skip
    for path in one.iterdir():
        assert path.name == "features.json" or path.read_bytes() == (two / path.name).read_bytes()
    keys = [FeatureFolder(path).header.key for path in (one, two, three)]
    assert keys[0] == keys[1] != keys[2]


def test_rows_of_half_precision_are_kept_so_and_given_as_float32(place, opened_with):
    rows = {name: of.astype(np.float16) for name, of in random_rows(FRAMES, 3).items()}
    folder = place("half", rows, dtype="float16")
    features, _ = opened_with(folder)
    assert features[DOG].dtype == np.float32
    assert all(np.array_equal(features[name], of) for name, of in rows.items())
    [file] = Path(folder).glob("*.safetensors")
    assert load_file(file)["rows"].dtype == np.float16


def test_rows_of_several_folders_stand_side_by_side_at_the_times_of_the_first(place, opened_with):
    one = random_rows(FRAMES, 4)
    two = random_rows({name: 2 * of for name, of in FRAMES.items()}, 3, seed=1)
    features, _ = opened_with(place("one", one), place("two", two, rate=2.0))
    assert (features.width, features.times[CAT].tolist()) == (7, row_times(10).tolist())
    for name in FRAMES:
        # The rows at 250 and 750 ms are as near to 500 ms: the earlier one counts.
        parts = [one[name], two[name][::2]]
        scaled = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
        assert np.allclose(features[name], np.concatenate(scaled, axis=1), atol=1e-6)
    swapped, _ = opened_with(*(str(f.path) for f in reversed(features._folders)))
    assert swapped.key != features.key


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_time_is_that_of_the_smallest_difference(seed):
    draws = np.random.default_rng(seed)
    times = np.sort(draws.choice(500, draws.integers(1, 30), replace=False)).astype(np.int32)
    wanted = draws.integers(0, 500, 40).astype(np.int32)
    expected = np.abs(times[None, :] - wanted[:, None]).argmin(axis=1)  # the first of several
    assert nearest(times, wanted).tolist() == expected.tolist()


def test_videos_that_one_folder_lacks_are_absent_and_counted(place, opened_with):
    rows = random_rows(FRAMES, 4)
    less = {name: of for name, of in rows.items() if name not in (CAT, FOX)}
    features, notes = opened_with(place("all", rows), place("less", less))
    assert list(features) == [DOG, COOK]
    assert CAT not in features
    with pytest.raises(KeyError):
        features[CAT]
    assert 'lacks 2 of 4 videos (first "A/cat.mp4")' in notes[0]


def test_features_of_another_benchmark_are_taken_with_a_note(place, opened_with, tmp_path):
    other = imported(tmp_path, name="other", corpus="all", videos={CAT: (5.0, {}), DOG: (1.0, {}),
                     FOX: (2.0, {}), COOK: (3.0, {})})  # fmt: skip
    folder = feature_folder(tmp_path / "f", random_rows(FRAMES, 2), other.folder)
    features, notes = opened_with(str(folder))
    assert len(features) == 4
    assert 'was made for "other"' in notes[0]


def test_permuted_gives_each_video_the_rows_of_another_at_its_own_times(place, opened_with):
    rows = {name: np.full((of, 2), at, np.float32) for at, (name, of) in enumerate(FRAMES.items())}
    features, _ = opened_with(place("one", rows))
    permuted = features.permuted(3)
    values = {name: set(permuted[name].ravel().tolist()) for name in features}
    assert sorted(*zip(*values.values(), strict=True)) == [0, 1, 2, 3]
    assert all(values[name] != set(rows[name].ravel().tolist()) for name in rows)
    assert all(len(permuted[name]) == FRAMES[name] for name in rows)
    assert all(np.array_equal(permuted.times[name], features.times[name]) for name in rows)
    again = {name: set(features.permuted(3)[name].ravel().tolist()) for name in features}
    assert again == values
    assert len({features.key, permuted.key, features.permuted(4).key}) == 3


def test_shuffled_keeps_the_rows_of_a_video_and_loses_their_order(place, opened_with):
    rows = random_rows(FRAMES, 2)
    features, _ = opened_with(place("one", rows))
    shuffled = features.shuffled(1)
    for name in rows:
        assert not np.array_equal(shuffled[name], rows[name])
        assert np.array_equal(np.sort(shuffled[name][:, 0]), np.sort(rows[name][:, 0]))
    fewer, _ = opened_with(str(features._folders[0].path), ids=(DOG,))
    assert np.array_equal(fewer.shuffled(1)[DOG], shuffled[DOG])
    assert not np.array_equal(features.shuffled(2)[DOG], shuffled[DOG])


def test_a_set_reaches_the_processes_of_a_data_loader(place, opened_with):
    features, _ = opened_with(place("one", random_rows(FRAMES, 600)))
    assert features[CAT] is not None
    data = pickle.dumps(features)
    assert len(data) < 10_000  # no rows in it
    assert np.array_equal(pickle.loads(data)[COOK], features[COOK])


def test_run_json_gets_names_and_hashes_and_no_place_of_this_machine(place, opened_with, tmp_path):
    features, _ = opened_with(place("one", random_rows(FRAMES, 2)))
    [part] = features.details["folders"]
    assert (part["name"], part["kind"], part["key"]) == ("one", "imported", features.key)
    assert str(tmp_path) not in str(features.details)


@pytest.mark.parametrize("damage", ["rows", "header", "json", "absent", "shard"])
def test_a_damaged_folder_is_refused_by_name(place, opened_with, damage):
    folder = Path(place("one", random_rows(FRAMES, 2)))
    shard, described = folder / "features-00001.safetensors", folder / "features.json"
    data = bytearray(shard.read_bytes())
    if damage == "rows":
        data[-1] ^= 1
        shard.write_bytes(data)
    elif damage == "header":
        shard.write_bytes(b"\xff" * 8 + data[8:])
    elif damage == "json":
        described.write_text(described.read_text("utf-8").replace('"videos": 4', '"videos": "4"'))
    elif damage == "absent":
        described.unlink()
    else:
        shard.unlink()
    with pytest.raises(EnvironmentFailure, match=r"one.*ivcr features build"):
        opened_with(str(folder))


def test_a_shard_whose_parts_do_not_fit_is_refused_though_its_time_says_nothing(place, opened_with):
    folder = Path(place("one", random_rows(FRAMES, 2)))
    described = folder / "features.json"
    described.write_text(described.read_text("utf-8").replace('"rows": 82', '"rows": 81'))
    with pytest.raises(EnvironmentFailure, match="do not belong together"):
        opened_with(str(folder))


def test_features_of_no_video_are_an_error_that_shows_both_kinds_of_ids(place, opened_with):
    folder = place("one", random_rows({"v_1": 3}, 2))
    with pytest.raises(MissingInputError, match=r'"A/cat.mp4".*"v_1"'):
        opened_with(folder)
    with pytest.raises(WrongUsageError, match="--set features=DIR"):
        opened_with()
