"""Frames against videos of known colours, and against decoding everything and searching."""

import math
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.video import sampling
from baselines.video.containers import BadVideoError
from baselines.video.sampling import Sampler, library, sample, sample_times
from tests.baselines.videos import every_frame, levels_of, plain

STAMPS = [0, 100, 350, 360, 900, 1000, 1500, 1510, 1520, 2000, 2600, 2700]
SMALL = Sampler(4, 16)


@given(st.fractions(Fraction(1, 1000), 100), st.sampled_from([0.5, 1.0, 4.0, 29.97]))
def test_targets_are_all_half_steps_before_the_end(duration, rate):
    wanted = sample_times(duration, Sampler(rate, 16))
    expected = [
        t for i in range(math.ceil(duration * 30) + 1) if (t := (i + 0.5) / rate) < duration
    ]
    expected = expected or [float(duration / 2)]
    assert wanted.milliseconds().tolist() == pytest.approx([1000 * t for t in expected], abs=0.51)


@given(st.fractions(1, 500), st.integers(1, 20))
def test_at_most_so_many_are_spread_evenly_over_the_whole(duration, most):
    wanted = sample_times(duration, Sampler(4, 16, most))
    if duration * 4 > most + Fraction(1, 2):
        expected = [(i + 0.5) * float(duration) / most for i in range(most)]
        assert wanted.milliseconds().tolist() == pytest.approx(
            np.multiply(expected, 1000), abs=0.51
        )
    else:
        assert wanted == sample_times(duration, Sampler(4, 16))


@pytest.mark.parametrize("rate", [1, 3, 4, 8, 12.5, 30])
@pytest.mark.parametrize("stamps", [None, STAMPS], ids=["constant", "variable"])
@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_frames_are_those_that_searchsorted_finds_among_all(tmp_path, name, stamps, rate):
    path = plain(tmp_path / name, stamps=stamps)
    times, pixels = every_frame(path)
    found = sample(path, Sampler(rate, 16))
    wanted = (np.arange(len(found.times)) + 0.5) / rate
    assert found.times.tolist() == np.rint(wanted * 1000).astype(int).tolist()
    shown = pixels[np.searchsorted(times, wanted, side="right") - 1]
    assert levels_of(found) == [10 * round(p.mean() / 10) for p in shown]


def test_a_frame_is_shown_from_its_own_stamp_on(tmp_path):
    found = sample(plain(tmp_path / "v.mp4"), SMALL)  # frames at 0, 125, 250 ms ...
    assert (found.times.tolist(), levels_of(found)) == (
        [125, 375, 625, 875, 1125, 1375],
        [20, 60, 100, 140, 180, 220],
    )


def test_times_count_from_the_first_frame(tmp_path):
    late = plain(tmp_path / "v.mkv", stamps=[stamp + 5000 for stamp in STAMPS])
    first = plain(tmp_path / "w.mkv", stamps=STAMPS)
    assert sample(late, SMALL).times.tolist() == sample(first, SMALL).times.tolist()
    assert levels_of(sample(late, SMALL)) == levels_of(sample(first, SMALL))


def test_a_video_shorter_than_a_step_gives_its_middle_frame(tmp_path):
    path = plain(tmp_path / "v.mp4", [100])
    found = sample(path, SMALL)
    assert (found.times.tolist(), levels_of(found)) == ([62], [100])


def test_at_most_so_many_frames_reach_to_the_end(tmp_path):
    found = sample(plain(tmp_path / "v.mp4"), Sampler(8, 16, most=3))
    assert (found.times.tolist(), levels_of(found)) == ([250, 750, 1250], [40, 120, 200])


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("odd.webm", {"codec": "libvpx-vp9", "size": (63, 47)}),
        ("grey.mkv", {"codec": "ffv1", "pix_fmt": "gray"}),
        ("deep.mkv", {"codec": "ffv1", "pix_fmt": "gray16le"}),
        ("alpha.mov", {"codec": "qtrle", "pix_fmt": "argb"}),
        ("ten_bits.mkv", {"codec": "ffv1", "pix_fmt": "yuv444p10le"}),
        ("reordered.mp4", {"codec": "mpeg4"}),
        ("stream.ts", {}),
    ],
)
def test_kinds_of_video_give_the_same_pictures(tmp_path, name, how):
    found = sample(plain(tmp_path / name, **how), SMALL)
    assert (levels_of(found), found.pixels.shape[1:]) == ([20, 60, 100, 140, 180, 220], (16, 16, 3))


def corner(level):
    """A grey picture, 64 by 32, whose top left quarter is red."""
    picture = np.full((32, 64, 3), 128, np.uint8)
    picture[:16, :32] = 255, 0, 0
    return picture


@pytest.mark.parametrize(
    ("rotation", "place"), [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (270, (0, 1))]
)
def test_rotation_is_applied_counter_clockwise(tmp_path, rotation, place):
    how = {"size": (64, 32), "picture": corner, "rotation": rotation}
    pixels = sample(plain(tmp_path / "v.mp4", **how), SMALL).pixels[0].astype(int)
    redness = (pixels[..., 0] - pixels[..., 2]).reshape(2, 8, 2, 8).mean(axis=(1, 3))
    assert np.unravel_index(redness.argmax(), (2, 2)) == place


def test_crop_keeps_proportions_and_stretching_keeps_everything(tmp_path):
    def stripes(level):
        picture = np.full((32, 64, 3), 128, np.uint8)
        picture[:, :16], picture[:, 48:] = (255, 0, 0), (0, 0, 255)
        return picture

    path = plain(tmp_path / "v.mkv", size=(64, 32), picture=stripes, codec="ffv1", pix_fmt="bgr0")
    stretched, cropped = (
        sample(path, Sampler(4, 16, crop=crop)).pixels[0] for crop in (False, True)
    )
    assert stretched[8, 1].tolist() == [255, 0, 0]
    assert stretched[8, 14].tolist() == [0, 0, 255]
    assert np.ptp(cropped.astype(int)) <= 40  # what bicubic scaling carries over the edge
    assert cropped[8, 8].tolist() == [128, 128, 128]


def test_scaling_is_close_to_the_mean_of_what_a_pixel_covers(tmp_path):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    picture = np.stack([np.tile(ramp, (64, 1))] * 3, axis=2)
    how = {"size": (64, 64), "picture": lambda _: picture, "codec": "ffv1", "pix_fmt": "bgr0"}
    pixels = sample(plain(tmp_path / "v.mkv", **how), SMALL).pixels[0].astype(float)
    means = picture.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(pixels - means)[:, 1:-1].max() <= 2


def test_pixels_are_the_same_on_every_reading(tmp_path):
    path = plain(tmp_path / "v.mp4", range(0, 250, 3))
    first, *again = (sample(path, Sampler(8, 20)).pixels.tobytes() for _ in range(4))
    assert set(again) == {first}


# --- what is refused


def remuxed(source, path, options, keyframe=1):
    """The same packets in another container, from that keyframe on."""
    seen = 0
    with av.open(str(source)) as read, av.open(str(path), "w", options=options) as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            seen += packet.is_keyframe
            if packet.dts is not None and seen >= keyframe:
                packet.stream = stream
                write.mux(packet)
    return path


@pytest.mark.parametrize("name", ["plain.mp4", "index_first.mp4", "v.mkv", "v.avi"])
def test_a_file_cut_anywhere_is_refused_or_whole_but_for_a_second(tmp_path, name):
    levels = range(0, 240, 5)
    if name == "index_first.mp4":
        made = plain(tmp_path / "first.mp4", levels)
        path = remuxed(made, tmp_path / name, {"movflags": "faststart"})
    else:
        codec = "mpeg4" if name == "v.avi" else "libx264"
        path = plain(tmp_path / name, levels, codec=codec)
    whole, data = sample(path, SMALL), path.read_bytes()
    refused = 0
    for length in range(0, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:length])
        try:
            found = sample(path, SMALL)
        except BadVideoError:
            refused += 1
            continue
        # Without an index up to a second may be lost, and with it what follows in decoding order.
        lost, doubtful = (0, 0) if "mp4" in name else (4, 2)
        assert len(found.times) >= len(whole.times) - lost
        same = len(found.times) - doubtful
        assert found.pixels[:same].tolist() == whole.pixels[:same].tolist()
    assert refused >= 40


def test_a_gif_cut_anywhere_is_refused_though_its_reader_takes_the_part(tmp_path):
    path = plain(tmp_path / "a.gif", range(0, 240, 20), codec="gif", pix_fmt="rgb8")
    whole, data = sample(path, SMALL), path.read_bytes()
    for length in range(0, len(data), max(1, len(data) // 60)):
        path.write_bytes(data[:length])
        with pytest.raises(BadVideoError):
            sample(path, SMALL)
    path.write_bytes(data + b"\0 what a host appends")
    assert sample(path, SMALL).pixels.tolist() == whole.pixels.tolist()


MOVING = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def moved(level):
    """A noisy picture, moved to the side by `level` pixels: an encoder has much to say of it."""
    return np.roll(MOVING, level, axis=1)


def marked(path):
    """Whether PyAV alone decodes the file to its end and marks a frame as corrupt."""
    try:
        with av.open(str(path)) as container:
            return sum(frame.is_corrupt for frame in container.decode(video=0)) > 0
    except (av.FFmpegError, IndexError):
        return False


@pytest.mark.parametrize(("name", "codec"), [("v.mp4", "libx264"), ("v.avi", "mpeg4")])
def test_forty_copies_with_four_flipped_bytes_are_refused_where_the_decoder_notices(
    tmp_path, name, codec
):
    data = plain(tmp_path / name, range(60), codec=codec, picture=moved).read_bytes()
    damaged, draw = tmp_path / f"damaged-{name}", np.random.default_rng(1)
    noticed = 0
    for _ in range(40):
        copy = np.frombuffer(data, np.uint8).copy()
        copy[draw.integers(0, len(copy), 4)] ^= draw.integers(1, 256, 4, np.uint8)
        damaged.write_bytes(copy.tobytes())
        if marked(damaged):
            noticed += 1
            with pytest.raises(BadVideoError, match=r"is (damaged|truncated)"):
                sample(damaged, SMALL)
    assert noticed >= 10


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_clip_cut_out_at_a_keyframe_that_earlier_frames_lean_on_is_taken(tmp_path, name):
    how = {"x264": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3"}
    whole = plain(tmp_path / "whole.mp4", range(48), picture=moved, **how)
    clip = remuxed(whole, tmp_path / name, {}, keyframe=2)
    with av.open(str(clip)) as container:
        container.streams.video[0].codec_context.options = {"err_detect": "explode"}
        with pytest.raises(av.InvalidDataError):  # what a stricter decoder would do to it
            list(container.decode(video=0))
    assert len(sample(clip, SMALL).times) >= 16


@pytest.mark.parametrize(
    ("name", "data"),
    [("empty.mp4", b""), ("text.mp4", b"this is no video\n" * 99), ("zeros.mp4", bytes(9999))],
)
def test_what_is_no_video_is_refused_with_its_name(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadVideoError, match=f"{name}: is damaged, or no video") as refusal:
        sample(tmp_path / name, SMALL)
    assert str(tmp_path) not in refusal.value.reason


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(BadVideoError, match="No such file"):
        sample(tmp_path / "nothing.mp4", SMALL)


def test_a_script_that_names_other_files_is_not_followed(tmp_path):
    plain(tmp_path / "v.mp4")
    script = tmp_path / "script.mp4"
    script.write_text("ffconcat version 1.0\nfile v.mp4\n")
    with av.open(str(script)) as container:
        assert container.format.name == "concat"  # what PyAV alone makes of it
    with pytest.raises(BadVideoError, match="no video of a kind that is read"):
        sample(script, SMALL)


def test_sound_alone_is_refused(tmp_path):
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadVideoError, match="no video stream"):
        sample(tmp_path / "v.mp4", SMALL)


def test_a_raw_stream_without_time_stamps_is_refused(tmp_path):
    path = plain(tmp_path / "v.h264", format="h264")
    with pytest.raises(BadVideoError):
        sample(path, SMALL)


def test_a_frame_too_large_is_refused_before_it_is_decoded(tmp_path):
    path = plain(tmp_path / "v.mov", codec="qtrle", pix_fmt="rgb24")
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"rle ")  # a sample entry: its width and height stand 28 bytes on
    struct.pack_into(">HH", data, entry + 28, 5000, 5000)
    path.write_bytes(data)
    with pytest.raises(BadVideoError, match="or of more than 16,777,216 pixels"):
        sample(path, SMALL)


def test_too_many_or_too_long_is_refused(tmp_path, monkeypatch):
    path = plain(tmp_path / "v.mkv", stamps=[0, 1000], levels=[0, 100])
    monkeypatch.setattr(sampling, "MAX_FRAMES", 3)
    assert len(sample(path, Sampler(3, 16)).times) == 3
    with pytest.raises(BadVideoError, match="would give 4 frames of 16 pixels"):
        sample(path, Sampler(4, 16))
    long = plain(tmp_path / "w.mkv", stamps=[0, 100 * 3600 * 1000], levels=[0, 100])
    with pytest.raises(BadVideoError, match="declares 360000 s"):
        sample(long, SMALL)


def test_a_strip_too_narrow_to_cut_a_square_is_refused(tmp_path):
    path = plain(tmp_path / "v.mkv", size=(9000, 2), codec="ffv1", pix_fmt="gray")
    assert sample(path, Sampler(1, 64)).pixels.shape == (1, 64, 64, 3)
    with pytest.raises(BadVideoError, match="9000x2 pixels: too narrow"):
        sample(path, Sampler(1, 64, crop=True))


@pytest.mark.parametrize("numbers", [(0, 16), (math.inf, 16), (math.nan, 16), (1, 0), (1, 16, 0)])
def test_a_sampler_of_nothing_cannot_be_made(numbers):
    with pytest.raises(ValueError, match="above 0"):
        Sampler(*numbers)


def test_the_library_is_named_with_its_versions():
    assert library().startswith(f"PyAV {av.__version__}, libav")
