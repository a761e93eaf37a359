"""Features of a benchmark's frames are those of the encoder, made once, whatever is killed."""

import numpy as np
import pytest

from baselines.base import MissingInputError
from baselines.encoders.frame_encoders import load_frame_encoder
from baselines.features import feature_building
from baselines.features.feature_building import BuildOptions, build_features
from baselines.features.feature_folder import FeatureFolder
from baselines.video.features import extract_features
from harness.errors import WrongUsageError
from tests.baselines import backbones, tiny
from tests.baselines.conftest import CAT, COOK, DOG, FOX, imported


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return str(tiny.clip(tmp_path_factory.mktemp("made") / "CLIP"))


def build(benchmark, out, encoder, cache, **options):
    notes = []
    build_features(
        benchmark, out, BuildOptions(encoder, workers=1, **options), cache=cache, note=notes.append
    )
    return FeatureFolder(out), notes


def test_rows_and_times_are_those_of_the_encoder_on_the_sampled_frames(toy, tmp_path, checkpoint):
    folder, _ = build(toy, tmp_path / "f", checkpoint, tmp_path / "cache", rate=0.5)
    encoder = load_frame_encoder(checkpoint)
    expected = extract_features(
        toy.videos.values(), toy.folder, encoder.sampler(0.5, None), encoder, cache=None,
        note=lambda _: None,
    )  # fmt: skip
    assert set(folder) == {CAT, DOG, FOX, COOK}
    for name in expected:
        assert np.array_equal(folder[name], expected[name])
        assert np.array_equal(folder.times(name), expected.times[name])
    header = folder.header
    assert (header.kind, header.name, header.encoder) == ("built", "CLIP", encoder.key)
    assert (header.width, header.parameters) == (tiny.WIDTH, encoder.parameters)
    assert header.frames == expected.decoder


class _Killed(BaseException):
    pass


def test_a_build_that_was_killed_does_no_finished_video_again(
    toy, tmp_path, checkpoint, monkeypatch
):
    whole, _ = build(toy, tmp_path / "whole", checkpoint, tmp_path / "other")
    load, encoded = feature_building.load_frame_encoder, []

    def killed_after(most):
        def loaded(*arguments):
            encoder = load(*arguments)
            encode = encoder.encode

            def counted(frames):
                if len(encoded) == most:
                    raise _Killed
                encoded.append(len(frames.times))
                return encode(frames)

            encoder.encode = counted
            return encoder

        return loaded

    monkeypatch.setattr(feature_building, "load_frame_encoder", killed_after(2))
    with pytest.raises(_Killed):
        build(toy, tmp_path / "f", checkpoint, tmp_path / "cache")
    assert not (tmp_path / "f").exists()
    monkeypatch.setattr(feature_building, "load_frame_encoder", killed_after(None))
    folder, _ = build(toy, tmp_path / "f", checkpoint, tmp_path / "cache")
    assert len(encoded) == 4, "each video once"
    assert [path.read_bytes() for path in sorted(folder.path.iterdir())] == [
        path.read_bytes() for path in sorted(whole.path.iterdir())
    ]


def test_a_split_is_its_corpus_and_a_video_that_cannot_be_read_is_told(toy, tmp_path, checkpoint):
    (toy.folder / "videos" / FOX).write_bytes(b"no video")
    folder, notes = build(toy, tmp_path / "f", checkpoint, None, splits=("train",), most=2)
    assert set(folder) == {CAT, DOG, COOK}
    assert all(len(rows) == 2 for rows in folder.values())
    folder, notes = build(toy, tmp_path / "g", checkpoint, None, most=1)
    assert (set(folder), set(folder.header.skipped)) == ({CAT, DOG, COOK}, {FOX})
    assert "1 skipped (1 corrupt" in notes[-1]


def test_nothing_is_computed_for_a_place_that_is_taken(toy, tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "x").write_text("mine")
    with pytest.raises(WrongUsageError, match="expected a new folder"):
        build(toy, tmp_path / "f", "absent", None)


def test_a_benchmark_without_videos_is_an_error(tmp_path, checkpoint):
    with pytest.raises(MissingInputError, match="ivcr data import --videos META"):
        build(imported(tmp_path), tmp_path / "f", checkpoint, None)


def test_the_commands_build_show_and_import(ivcr, toy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encoder = backbones.vit(tmp_path / "VIT")
    code, out, err = ivcr("features", "build", "--benchmark", "toy", "--encoder", encoder, "--out",
                          "built", "--rate", 0.5, "--name", "tiny ViT")  # fmt: skip
    assert (code, out) == (0, "built\n"), err
    assert "rows are its pooled output" in err
    code, out, _ = ivcr("features", "info", "built", "--benchmark", "toy")
    assert code == 0
    assert out.splitlines()[0].startswith('"tiny ViT", built, key ')
    assert "4 videos, 41 rows of 16 numbers (float32), in one file" in out
    assert "rows are 2 s apart\n" in out
    assert '4 of 4 videos of "toy" are covered' in out
    np.savez("clip.npz", **{CAT: np.ones((10, 3)), DOG: np.ones((40, 3))})
    code, out, err = ivcr("features", "import", "clip.npz", "--benchmark", "toy", "--out",
                          "imported", "--rate", 1)  # fmt: skip
    assert (code, out) == (0, "imported\n"), err
    assert "2 of 4 videos have no features" in err
    code, out, _ = ivcr("features", "info", "imported", "--benchmark", "toy")
    assert '2 of 4 videos of "toy" are covered; not: "A/fox.mp4", "B/cook.mp4"' in out
    assert '"A/dog.mp4" lasts 20.0 s, its rows end at 40.0 s' in out
    shard = tmp_path / "imported" / "features-00001.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1] + b"!")
    code, _, err = ivcr("features", "info", "imported")
    assert (code, "its contents do not match its hash" in err) == (3, True)


def test_hdf5_without_its_library_says_how_to_get_it(ivcr, toy, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    monkeypatch.delitem(__import__("sys").modules, "baselines.features.hdf5_files", raising=False)
    (tmp_path / "f.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    code, _, err = ivcr("features", "import", tmp_path / "f.h5", "--benchmark", toy.folder,
                        "--out", tmp_path / "f", "--rate", 1)  # fmt: skip
    assert code == 3
    assert "pip install 'ivcr-harness[features]'" in err
