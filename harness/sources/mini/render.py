"""Rendering scripts to H.264 video: 96x96 pixels, 8 frames a second."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from harness.files import make_folder, write
from harness.sources.mini.shapes import (
    GRID,
    MARK_RADIUS,
    MARKS,
    REACH,
    RGB,
    SIZE,
    Array,
    backdrop,
    distance_map,
)
from harness.sources.mini.world import FPS, Event, Script

RADIUS = 19  # pixels: shapes of 13 px cannot be told apart at this size
SWING = 8  # pixels that a shape moves off its place
CENTRES = {"top": (48, 28), "bottom": (48, 68), "left": (28, 48), "right": (68, 48)}
PERIODS = {  # seconds: slow, fast
    "spins": (3.2, 1.0),
    "bounces": (2.0, 0.7),
    "slides": (3.2, 1.0),
    "circles": (3.2, 1.0),
    "pulses": (3.2, 0.9),
    "blinks": (1.8, 0.5),
    "shakes": (0.75, 0.125),
    "flips": (3.2, 1.0),
}
EDGE = 1.4  # pixels of dark outline, so that yellow shows on white and blue on black
INK = np.array((25, 25, 25), np.float32)
MARK = np.array((20, 20, 20), np.float32)

ENCODER: dict[str, object] = {
    "preset": "veryfast",
    "crf": "26",
    "threads": "1",  # the processes already fill the cores
    # Both look ahead with x264's assembly, and gave other bytes for the same frames now and then
    # (measured, PyAV 18.1: the first encodings of a process); without them it never happened.
    "x264-params": "weightp=0:mbtree=0",
}


class Pose(NamedTuple):
    """Where and how a shape stands in each frame of an event; each field is (frames,)."""

    x: Array
    y: Array
    angle: Array
    wide: Array
    high: Array
    visible: NDArray[np.bool_]


def render(
    jobs: Sequence[tuple[Script, Path]],
    *,
    progress: Callable[[str, int, int], None] | None = None,
    workers: int | None = None,
) -> None:
    """Write each script's video to its path, in `workers` processes (default: one a core)."""
    for folder in sorted({path.parent for _, path in jobs}):
        make_folder(folder)
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        for done, job in enumerate(jobs):
            _write_job(job)
            _report(progress, done + 1, len(jobs))
        return
    # spawn: a forked child could inherit the locks of a caller's threads
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(_write_job, jobs, chunksize=4)):
            _report(progress, done + 1, len(jobs))


def draw(script: Script) -> NDArray[np.uint8]:
    """All frames of a script as RGB.  # (frames, SIZE, SIZE, 3)"""
    ground = np.repeat(backdrop(script.background)[:, :, None], 3, axis=2)
    frames = np.empty((script.frames, SIZE, SIZE, 3), np.uint8)
    frames[:] = np.rint(ground)
    for event in script.events:
        # Frame i shows the instant i / FPS.
        shown = np.arange(-(-event.start * FPS // 100), -(-event.end * FPS // 100))
        seconds = (shown / FPS - event.start / 100).astype(np.float32)
        _draw_event(frames, shown, ground, event, pose(event, seconds))
    return frames


def pose(event: Event, seconds: Array) -> Pose:
    """The shape's pose at `seconds`, (frames,), from the start of its event; fields: (frames,)."""
    look = event.look
    period = PERIODS[look.motion][look.pace == "fast"]
    phase = (2 * np.pi / period * seconds).astype(np.float32)
    x: Array = np.zeros_like(phase)
    wide: Array = np.ones_like(phase)
    y, angle, high, visible = x, x, wide, wide > 0
    match look.motion:
        case "spins":
            angle = phase
        case "bounces":
            y = SWING - 2 * SWING * np.abs(np.sin(phase / 2))
        case "slides":
            x = SWING * np.sin(phase)
        case "circles":
            x, y = SWING * np.cos(phase), SWING * np.sin(phase)
        case "pulses":
            wide = high = 0.88 + 0.2 * np.sin(phase)
        case "blinks":
            visible = (seconds % period) < 0.55 * period
        case "shakes":
            beat = np.floor(seconds / period + 1e-3)
            x, y, angle = 5 * np.sin(2.4 * beat), 4 * np.cos(3.7 * beat), 0.3 * np.sin(1.9 * beat)
        case "flips":
            wide = np.cos(phase)
            wide = np.copysign(np.maximum(np.abs(wide), 0.12), wide)
    centre = CENTRES[look.place]
    return Pose(centre[0] - 0.5 + x, centre[1] - 0.5 + y, angle, wide, high, visible)


def write_video(script: Script, path: Path) -> None:
    """Encode a script to a file, whole or not at all. Raises EnvironmentFailure."""
    # In memory first: the library prints what a failing disk raises while it writes.
    video = io.BytesIO()
    _encode(draw(script), video)
    write(path, video.getvalue(), durable=False)


def _encode(frames: NDArray[np.uint8], file: io.BytesIO) -> None:
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = ENCODER
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def _draw_event(
    frames: NDArray[np.uint8], shown: NDArray[np.int64], ground: Array, event: Event, at: Pose
) -> None:
    """Blend one event's shape into the frames in which it is visible."""
    reach = RADIUS + SWING + 8
    middle = CENTRES[event.look.place]
    x0, y0 = (max(0, middle[0] - reach), max(0, middle[1] - reach))
    x1, y1 = (min(SIZE, middle[0] + reach), min(SIZE, middle[1] + reach))
    body, mark = _coverage(event.look.shape, at, np.arange(x0, x1), np.arange(y0, y1))
    fill, edge = body
    colour = np.array(RGB[event.look.colour], np.float32)
    patch = np.broadcast_to(ground[y0:y1, x0:x1], (*fill.shape, 3))
    patch = _over(patch, INK, edge)
    patch = _over(patch, colour, fill)
    patch = _over(patch, MARK, mark)
    frames[shown[at.visible], y0:y1, x0:x1] = np.rint(patch[at.visible])


def _coverage(
    shape: str, at: Pose, columns: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[tuple[Array, Array], Array]:
    """How much of each pixel the fill, the outlined shape and the mark cover, 0 to 1."""
    dx = columns[None, None, :].astype(np.float32) - at.x[:, None, None]
    dy = rows[None, :, None].astype(np.float32) - at.y[:, None, None]
    cos, sin = np.cos(at.angle)[:, None, None], np.sin(at.angle)[:, None, None]
    wide, high = at.wide[:, None, None] * RADIUS, at.high[:, None, None] * RADIUS
    u = (dx * cos + dy * sin) / wide  # (frames, rows, columns), in shape radii
    v = (dy * cos - dx * sin) / high
    scale = np.sqrt(np.abs(wide) * high)
    table = distance_map(shape)
    to_cell = (GRID - 1) / (2 * REACH)
    i = np.clip(np.rint((v + REACH) * to_cell), 0, GRID - 1).astype(np.intp)
    j = np.clip(np.rint((u + REACH) * to_cell), 0, GRID - 1).astype(np.intp)
    pixels = table[i, j] * scale
    mark_x, mark_y = MARKS[shape]
    mark = (np.hypot(u - mark_x, v - mark_y) - MARK_RADIUS) * scale
    return (_smooth(pixels + EDGE), _smooth(pixels)), _smooth(mark)


def _smooth(distance: Array) -> Array:
    cover: Array = np.clip(0.5 - distance, 0, 1)
    return cover


def _over(under: Array, colour: Array, cover: Array) -> Array:
    return under + (colour - under) * cover[..., None]


def _write_job(job: tuple[Script, Path]) -> None:
    write_video(*job)


def _report(progress: Callable[[str, int, int], None] | None, done: int, total: int) -> None:
    if progress:
        progress("videos", done, total)
