"""IVCR-Mini's frames: the pixels show what the script says, when and where it says it."""

from __future__ import annotations

import colorsys
import math
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.errors import EnvironmentFailure
from harness.sources.mini.render import CENTRES, RADIUS, draw, render, write_video
from harness.sources.mini.shapes import GRID, REACH, RGB, backdrop, distance_map
from harness.sources.mini.world import (
    BACKGROUNDS,
    COLOURS,
    FPS,
    MOTIONS,
    PACES,
    PLACES,
    SHAPES,
    Event,
    Look,
    Script,
    make_world,
)


def scene(*events: Event, background: str = "grey", frames: int = 64) -> Script:
    return Script("MiniShort/0.mp4", "train", background, events, frames, words=1)


def decoded(path: Path) -> NDArray[np.uint8]:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def nearest_colour(pixels: NDArray[np.uint8]) -> str:
    """The palette colour with the most pixels, judged by chromatic distance alone."""

    def chroma(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([rgb[..., 0] - rgb[..., 1], rgb[..., 1] - rgb[..., 2]], axis=-1)

    palette = chroma(np.array([RGB[name] for name in COLOURS], float))
    seen = chroma(pixels.reshape(-1, 3).astype(float))
    seen = seen[np.abs(seen).max(axis=1) > 40]  # grey belongs to no event
    votes = np.linalg.norm(seen[:, None] - palette, axis=2).argmin(axis=1)
    return COLOURS[np.bincount(votes, minlength=len(COLOURS)).argmax()]


def coloured(frame: NDArray[np.uint8]) -> NDArray[np.bool_]:
    spread = frame.max(axis=-1).astype(int) - frame.min(axis=-1)
    return spread > 60


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Script, NDArray[np.uint8]]]:
    folder = tmp_path_factory.mktemp("videos")
    world = make_world(0)
    chosen = [next(s for s in world if s.background == name) for name in BACKGROUNDS]
    jobs = [(script, folder / f"{i}.mp4") for i, script in enumerate(chosen)]
    render(jobs, workers=1)
    return [(script, decoded(path)) for script, path in jobs]


def test_video_is_h264_of_the_promised_size_rate_and_duration(tmp_path: Path) -> None:
    script = make_world(0)[0]
    write_video(script, tmp_path / "v.mp4")
    with av.open(str(tmp_path / "v.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.average_rate) == (96, 96, 8)
        assert stream.duration * stream.time_base == pytest.approx(script.duration)
        times = [frame.time for frame in container.decode(stream)]
    assert times == pytest.approx([i / FPS for i in range(script.frames)])


def test_event_colour_stands_at_its_place_in_its_time(
    sample: list[tuple[Script, NDArray[np.uint8]]],
) -> None:
    for script, frames in sample:
        for event in script.events:
            shown = frames[math.ceil(event.start * FPS / 100) : event.end * FPS // 100]
            x, y = CENTRES[event.look.place]
            near = shown[:, y - 12 : y + 12, x - 12 : x + 12]
            assert nearest_colour(near) == event.look.colour


def test_nothing_is_shown_between_events(sample: list[tuple[Script, NDArray[np.uint8]]]) -> None:
    for script, frames in sample:
        busy = np.zeros(len(frames), bool)
        for event in script.events:
            for i in range(len(frames)):
                busy[i] |= event.start <= i * 100 / FPS < event.end
        # A codec smears the last picture of a shape a little: well under a shape's 1000 pixels.
        assert max(coloured(frame).sum() for frame in frames[~busy]) < 60
        ground = frames[~busy].astype(float).mean(axis=(0, 3))
        assert np.abs(ground - backdrop(script.background)).mean() < 6


def test_colours_have_the_hues_of_their_names_and_places_their_sides() -> None:
    hues = {name: 360 * colorsys.rgb_to_hsv(*(part / 255 for part in RGB[name]))[0] for name in RGB}
    bounds = {
        "red": (345, 375),
        "orange": (20, 45),
        "yellow": (45, 70),
        "green": (90, 150),
        "cyan": (165, 200),
        "blue": (215, 250),
        "purple": (265, 300),
        "pink": (315, 345),
    }
    assert set(RGB) == set(COLOURS) == set(bounds)
    for name, (low, high) in bounds.items():
        assert low <= hues[name] < high or low <= hues[name] + 360 < high, name
    assert CENTRES["top"][1] < 48 < CENTRES["bottom"][1]
    assert CENTRES["left"][0] < 48 < CENTRES["right"][0]


@pytest.mark.parametrize("place", PLACES)
def test_shape_is_centred_on_its_place(place: str) -> None:
    event = Event(Look("square", "red", "spins", place, "slow"), 1, 799)
    rows, columns = np.nonzero(coloured(draw(scene(event))[1:60]).any(axis=0))
    assert (columns.mean(), rows.mean()) == pytest.approx(CENTRES[place], abs=1.5)


@pytest.mark.parametrize("shape", SHAPES)
def test_distance_maps_have_the_areas_of_their_shapes(shape: str) -> None:
    cell = 2 * REACH / (GRID - 1)
    measured = (distance_map(shape) < 0).sum() * cell**2
    if shape == "ball":
        expected = math.pi * 0.95**2
    elif shape == "cross":
        expected = 2 * (2 * 0.68) - 0.68**2
    elif shape == "square":
        expected = 1.64**2
    elif shape == "triangle":  # equilateral, circumradius 1.1
        expected = 3 * math.sqrt(3) / 4 * 1.1**2
    elif shape == "star":  # ten triangles between the radii 1.1 and 0.48
        expected = 10 * 1.1 * 0.48 * math.sin(math.pi / 5) / 2
    else:  # the curve x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - ... has the area 180 pi
        expected = 180 * math.pi / 16**2
    assert measured == pytest.approx(expected, rel=0.02)
    assert expected * RADIUS**2 > 400  # pixels: large enough to be told apart


def test_distance_maps_measure_distance() -> None:
    table = distance_map("square")
    middle = GRID // 2
    step = 2 * REACH / (GRID - 1)
    assert table[middle, middle] == pytest.approx(-0.82, abs=0.01)
    assert np.diff(table[middle, : GRID // 4]) == pytest.approx(-step, abs=1e-4)


@pytest.mark.parametrize("motion", MOTIONS)
def test_motion_moves_and_pace_sets_its_speed(motion: str) -> None:
    change = {}
    for pace in PACES:
        event = Event(Look("heart", "green", motion, "top", pace), 1, 799)
        frames = draw(scene(event)).astype(int)[1:63]
        change[pace] = np.abs(np.diff(frames, axis=0)).mean()
    assert change["slow"] > 0.05
    assert change["fast"] > 1.3 * change["slow"]


def test_every_motion_looks_different_from_every_other() -> None:
    films = [
        draw(scene(Event(Look("star", "blue", motion, "left", "fast"), 1, 799)))[1:63].astype(int)
        for motion in MOTIONS
    ]
    for i, one in enumerate(films):
        for two in films[:i]:
            assert np.abs(one - two).mean() > 0.3


def test_workers_do_not_change_the_bytes(tmp_path: Path) -> None:
    scripts = sorted(make_world(0), key=lambda script: script.frames)[:3]
    reports: list[tuple[str, int, int]] = []
    for workers in (1, 2):
        jobs = [(s, tmp_path / str(workers) / f"{i}.mp4") for i, s in enumerate(scripts)]
        render(jobs, workers=workers, progress=lambda *each: reports.append(each))
    for i in range(len(scripts)):
        one, two = (tmp_path / str(workers) / f"{i}.mp4" for workers in (1, 2))
        assert one.read_bytes() == two.read_bytes()
    assert reports == [("videos", done, 3) for done in (1, 2, 3)] * 2


def test_failed_encoding_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.files.os.replace", full)
    with pytest.raises(EnvironmentFailure, match=r"v\.mp4: cannot be written: No space left"):
        write_video(make_world(0)[0], tmp_path / "v.mp4")
    assert not list(tmp_path.iterdir())
