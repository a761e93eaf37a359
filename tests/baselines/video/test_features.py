"""Features: what is cached, what is computed again, what is skipped; nothing else changes them."""

import gc
import hashlib
import os
import pickle
import re
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from baselines.video import decoding, features
from baselines.video.features import PIXELS, extract_features
from baselines.video.sampling import Sampler
from harness.errors import EnvironmentFailure
from harness.records import Video
from tests.baselines.videos import plain

SMALL = Sampler(4, 16)


class Means:
    """An encoder: the mean colour of each frame; `key` as a changed weight file would change it."""

    def __init__(self, key="means"):
        self.key, self.calls = key, 0

    def encode(self, frames):
        self.calls += 1
        return frames.pixels.mean(axis=(1, 2)).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    """A benchmark's folder with three grey videos, 8 frames a second, each frame 10 levels up."""
    (tmp_path / "benchmark" / "videos").mkdir(parents=True)
    for name, count in (("a", 6), ("b", 12), ("c", 20)):
        plain(tmp_path / "benchmark" / "videos" / f"{name}.mp4", range(0, 10 * count, 10))
    return tmp_path / "benchmark"


# Sampled at 4 frames a second: of 8 frames a second every other one, from the second one on.
LEVELS = {
    "videos/a.mp4!": [10, 30, 50],
    "videos/b.mp4!": [10, 30, 50, 70, 90, 110],
    "videos/c.mp4!": [10, 30, 50, 70, 90, 110, 130, 150, 170, 190],
}


def grey(rows):
    """The level of each row, to the nearest ten."""
    return [10 * round(float(np.mean(row)) / 10) for row in rows]


@pytest.fixture
def made(folder, tmp_path):
    """Extract features of videos by path; the notes are in `made.notes`."""

    def make(*paths, encoder=PIXELS, sampler=SMALL, cache=tmp_path / "cache", workers=1):
        videos = [Video(f"{path}!", path=path) for path in paths or ABC]
        notes = make.notes = []
        options = {"cache": cache, "workers": workers, "note": notes.append}
        return extract_features(videos, folder, sampler, encoder, **options)

    return make


ABC = ("videos/a.mp4", "videos/b.mp4", "videos/c.mp4")


@pytest.fixture
def decodes_nothing(monkeypatch):
    def refuse(path, sampler):
        raise AssertionError(f"decodes {path}")

    return lambda: monkeypatch.setattr(decoding, "sample", refuse)


def contents(found):
    return {name: (rows.tolist(), found.times[name].tolist()) for name, rows in found.items()}


@pytest.mark.parametrize("encoder", [PIXELS, Means()], ids=["pixels", "means"])
def test_rows_and_times_are_those_of_the_frames_that_were_drawn(made, encoder):
    found = made(encoder=encoder)
    assert {name: grey(rows) for name, rows in found.items()} == LEVELS
    assert found.times["videos/a.mp4!"].tolist() == [125, 375, 625]
    assert found.times["videos/b.mp4!"].tolist() == [125, 375, 625, 875, 1125, 1375]
    shapes = {rows.shape[1:] for rows in found.values()}
    assert shapes == {(16, 16, 3) if encoder is PIXELS else (3,)}


def test_rows_are_mapped_and_cannot_be_written(made):
    rows = made()["videos/a.mp4!"]
    assert isinstance(rows, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        rows[0] = 1


@pytest.mark.parametrize("encoder", [PIXELS, Means()], ids=["pixels", "means"])
def test_a_second_run_decodes_nothing_and_reports_the_same(made, decodes_nothing, encoder):
    first = made(encoder=encoder)
    decodes_nothing()
    again = made(encoder=encoder)
    assert contents(first) == contents(again)
    assert first.decoder == again.decoder
    assert made.notes == ["features: 3 videos, 19 frames, all from the cache"]


def test_what_the_rows_depend_on_is_in_the_key(made, monkeypatch):
    encoder = Means()
    made(encoder=encoder)
    made(encoder=encoder)
    assert encoder.calls == 3
    for changed in ({"sampler": Sampler(2, 16)}, {"sampler": Sampler(4, 16, crop=True)}):
        made(encoder=encoder, **changed)
    assert encoder.calls == 9
    other = Means("other weights")
    made(encoder=other)
    assert other.calls == 3
    monkeypatch.setattr(features, "library", lambda: "another version")
    made(encoder=other)
    assert other.calls == 6


def test_a_file_that_changes_is_decoded_again_and_one_that_moves_is_not(made, folder):
    encoder = Means()
    made(encoder=encoder)
    (folder / "videos" / "a.mp4").rename(folder / "videos" / "moved.mp4")
    plain(folder / "videos" / "b.mp4", range(200, 80, -10))
    after = made("videos/moved.mp4", *ABC[1:], encoder=encoder)
    assert encoder.calls == 4
    assert {name: grey(rows) for name, rows in after.items()} == {
        "videos/moved.mp4!": LEVELS["videos/a.mp4!"],
        "videos/b.mp4!": [190, 170, 150, 130, 110, 90],
        "videos/c.mp4!": LEVELS["videos/c.mp4!"],
    }


def test_unchanged_files_are_not_hashed_again(made, folder, monkeypatch):
    made()
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashes a file again"))
    made()
    (folder / "videos" / "a.mp4").touch()
    with pytest.raises(pytest.fail.Exception, match="hashes"):
        made()


@pytest.mark.parametrize("index", [b"", b"no json", b'{"a": 1}'])
def test_a_damaged_index_of_hashes_is_computed_again(made, decodes_nothing, tmp_path, index):
    made()
    (tmp_path / "cache" / "videos.json").write_bytes(index)
    decodes_nothing()
    assert len(made()) == 3


def entries(cache):
    return sorted(cache.glob("*/*.npy"))


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data + b"!",
        lambda data: b"\0" * len(data),
        lambda data: flipped(data, 0),
        lambda data: flipped(data, len(data) // 2),
        lambda data: flipped(data, len(data) - 1),
        lambda data: flipped(data, len(data) - 80),
        lambda data: data.replace(b"(3, 16, 16, 3)", b"(9, 16, 16, 3)"),
    ],
    ids=["empty", "half", "short", "long", "zeros", "magic", "rows", "digest", "times", "shape"],
)
def test_a_damaged_entry_is_computed_again(made, tmp_path, damage):
    first = made()
    before = contents(first)
    for path in entries(tmp_path / "cache"):
        path.write_bytes(damage(path.read_bytes()))
    after = made()
    assert (contents(after), after.decoder) == (before, first.decoder)
    assert "frames/s" in made.notes[0]


def test_an_entry_of_objects_is_never_unpickled(made, tmp_path):
    made()
    bomb = np.array([Bomb()] * 3, dtype=object)
    for path in entries(tmp_path / "cache"):
        np.save(path, bomb, allow_pickle=True)
    assert len(made()) == 3


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("was unpickled",)


def test_an_entry_that_was_copied_is_verified_once_and_then_kept(made, tmp_path, decodes_nothing):
    made()
    for path in entries(tmp_path / "cache"):
        os.utime(path)
    decodes_nothing()
    assert len(made()) == 3
    assert {path.stat().st_mtime for path in entries(tmp_path / "cache")} == {10**9}


def test_one_or_two_workers_give_the_same_bytes(made, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "IN_PROCESS_LIMIT", 0)
    one, two = made(cache=tmp_path / "one"), made(cache=tmp_path / "two", workers=2)
    assert one.decoder == two.decoder
    files = [
        {
            path.relative_to(tmp_path / cache): path.read_bytes()
            for path in entries(tmp_path / cache)
        }
        for cache in ("one", "two")
    ]
    assert len(files[0]) == 3
    assert files[0] == files[1]


def test_results_come_in_order_whichever_worker_is_first(folder, monkeypatch):
    monkeypatch.setattr(decoding, "IN_PROCESS_LIMIT", 0)
    paths = [folder / path for path in (*ABC, *ABC, *ABC)]
    lengths = [len(found.times) for found in decoding.decode_videos(paths, SMALL, 2)]
    assert lengths == [3, 6, 10] * 3


class Deadly:
    """A path that makes a worker process end when it is sent there, like a crash of a decoder."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_video_that_brings_its_process_down_is_refused_alone(folder, monkeypatch):
    monkeypatch.setattr(decoding, "LOOKAHEAD", 1)
    paths = [folder / path for path in ABC] * 6
    paths[4] = Deadly()
    found = list(decoding.decode_videos(paths, SMALL, 2))
    assert found[4] == decoding.DECODER_DIED
    lengths = [len(frames.times) for frames in found[:4] + found[5:]]
    assert lengths == [3, 6, 10, 3, 10, *(4 * [3, 6, 10])]


def test_two_processes_at_once_share_a_cache(folder, tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from baselines.video.features import extract_features\n"
        "from baselines.video.sampling import Sampler\n"
        "from harness.records import Video\n"
        f"videos = [Video(p, path=p) for p in {ABC!r}]\n"
        "for size in range(8, 16):\n"
        "    found = extract_features(videos, Path(sys.argv[1]), Sampler(4, size), workers=1,\n"
        "                             cache=Path(sys.argv[2]), note=lambda line: None)\n"
        "    print(found.decoder, [int(rows.sum()) for rows in found.values()])\n"
    )
    command = [sys.executable, "-c", script, str(folder), str(tmp_path / "shared")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    output = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert output[0] == output[1]
    assert len(output[0].splitlines()) == 8
    assert [path.name for path in (tmp_path / "shared").rglob(".*")] == []


def test_without_a_cache_a_folder_lives_as_long_as_the_features(made, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    found = made(cache=None)
    assert found["videos/a.mp4!"].shape == (3, 16, 16, 3)
    assert len(list(home.iterdir())) == 1
    del found
    gc.collect()
    assert list(home.iterdir()) == []


def test_nothing_is_left_where_the_encoder_fails(made, tmp_path, monkeypatch):
    class Broken:
        key = "broken"

        def encode(self, frames):
            return frames.pixels[1:]

    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    with pytest.raises(ValueError, match="expected 3 rows, a frame each, got 2"):
        made(encoder=Broken(), cache=None)
    assert list(home.iterdir()) == []


# --- what is skipped


def test_what_cannot_be_read_is_skipped_as_a_whole_and_reported(made, folder):
    whole = (folder / "videos" / "c.mp4").read_bytes()
    (folder / "videos" / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "videos" / "text.mp4").write_text("no video")
    (folder / "videos" / "empty.mp4").touch()
    corrupt = [f"videos/{name}.mp4" for name in ("cut", "text", "empty")]
    found = made(*ABC, *corrupt, "videos/none.mp4", "videos", None, "a\0b", "x" * 5000)
    assert list(found) == [f"{path}!" for path in ABC]
    kinds = {name: reason.partition(":")[0] for name, reason in found.skipped.items()}
    missing = ["videos/none.mp4", "videos", "a\0b", "x" * 5000]
    assert kinds == {
        **{f"{path}!": "corrupt" for path in corrupt},
        **{f"{path}!": "missing" for path in missing},
        "None!": "no path",
    }
    (line,) = made.notes
    assert "; 8 skipped (3 corrupt, 4 missing, 1 no path; first " in line
    assert "\0" not in line


def test_what_is_skipped_does_not_move_the_fingerprint(made):
    alone, beside = made(*ABC), made("videos/none.mp4", *ABC)
    assert alone.decoder == beside.decoder
    assert alone.decoder["sampler"] == {"rate": 4.0, "size": 16, "most": None, "crop": False}


def test_the_fingerprint_is_over_all_times_and_all_pixels_whatever_the_encoder(made, folder):
    before = made()
    assert made(encoder=Means()).decoder == before.decoder
    assert made(*ABC[:2]).decoder["times_sha256"] != before.decoder["times_sha256"]
    plain(folder / "videos" / "b.mp4", range(1, 121, 10))
    after = made().decoder
    assert after["times_sha256"] == before.decoder["times_sha256"]
    assert after["pixels_sha256"] != before.decoder["pixels_sha256"]


@pytest.mark.parametrize("kind", ["above", "absolute", "link", "folder of links", "circle"])
def test_a_path_that_leaves_the_folder_is_not_read(made, folder, tmp_path, kind, decodes_nothing):
    secret = plain(tmp_path / "secret.mp4")
    (folder / "link.mp4").symlink_to(secret)
    (folder / "links").symlink_to(tmp_path)
    (folder / "circle.mp4").symlink_to(folder / "circle.mp4")
    path = {
        "above": "../secret.mp4",
        "absolute": str(secret),
        "link": "link.mp4",
        "folder of links": "links/secret.mp4",
        "circle": "circle.mp4",
    }[kind]
    decodes_nothing()
    found = made(path)
    reason = "path leaves the folder" if kind != "circle" else 'missing: no path "circle.mp4"'
    assert (dict(found), found.skipped) == ({}, {f"{path}!": reason})


def test_a_pipe_is_not_waited_for(made, folder):
    os.mkfifo(folder / "videos" / "pipe.mp4")
    assert made("videos/pipe.mp4").skipped == {
        "videos/pipe.mp4!": 'missing: no file "videos/pipe.mp4"'
    }


def test_the_same_bytes_under_two_names_are_decoded_once(made, folder):
    (folder / "videos" / "twin.mp4").write_bytes((folder / "videos" / "a.mp4").read_bytes())
    encoder = Means()
    found = made("videos/a.mp4", "videos/twin.mp4", encoder=encoder)
    assert (encoder.calls, len(found)) == (1, 2)


def test_a_cache_that_cannot_be_made_is_refused_with_the_next_step(made, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFailure, match=r"file: features cannot be stored .*name another"):
        made(cache=tmp_path / "file")


def test_features_travel_to_another_process_as_paths(made):
    found = made()
    assert found["videos/a.mp4!"].shape == (3, 16, 16, 3)
    sent = pickle.dumps(found)
    assert len(sent) < 4000
    assert contents(pickle.loads(sent)) == contents(found)


def test_the_note_gives_speed_and_waiting(made, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(features.time, "perf_counter", lambda: next(clock))
    made()
    (line,) = made.notes
    # 8 readings: one at the start, two a video around the waiting, one at the end.
    assert line == "features: 3 videos, 19 frames, 3 frames/s, 43 % of the time waiting on decode"


def test_durations_that_contradict_the_frames_are_counted_and_named(folder, tmp_path):
    # a lasts 0.75 s, b 1.5 s, c 2.5 s
    for durations, expected in (
        ({"a": 750, "b": 1500, "c": 2500}, None),
        ({"a": 1700, "b": 600, "c": None}, None),
        (
            {"a": 750, "b": 1500, "c": 2_500_000},
            '1 of 3 videos .*first "c": 2,500.0 s by META, 2.5 s',
        ),
        ({"a": 5_000, "b": 200, "c": 900}, '3 of 3 videos .*first "a": 5.0 s by META, 0.8 s by'),
    ):
        notes = []
        videos = [Video(n, d, path=f"videos/{n}.mp4") for n, d in durations.items()]
        extract_features(videos, folder, SMALL, cache=None, workers=1, note=notes.append)
        lines = [note for note in notes if note.startswith("durations:")]
        assert len(lines) == (expected is not None)
        if expected is not None:
            assert re.search(expected, lines[0])
            assert "in seconds, of these very files, and import again" in lines[0]


def test_what_is_skipped_for_its_path_comes_with_what_helps(made):
    made("../a.mp4", None, *ABC)
    (line,) = made.notes
    assert "2 skipped (1 no path, 1 path leaves the folder; first " in line
    assert "`ivcr data import --videos META` with a `path`" in line
    assert "`ivcr data import --videos-root DIR`, or the line DIR in videos_root.txt" in line
