"""The six shapes as signed distance maps, and the backgrounds, for 96x96 frames.

Distances are in shape radii, negative inside, on a grid of `GRID` points a side that spans
[-REACH, REACH]; y points down. A distance map is drawn at any angle, size and place with smooth
edges by looking it up: one table for each shape serves all frames.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

SIZE = 96
REACH = 1.5
GRID = 384
MARKS = {  # the place of the dark mark that makes a spin visible
    "ball": (0.0, -0.52),
    "square": (0.0, -0.45),
    "triangle": (0.0, -0.3),
    "star": (0.0, -0.3),
    "heart": (0.42, -0.3),
    "cross": (0.0, -0.6),
}
MARK_RADIUS = 0.19
RGB = {
    "red": (225, 35, 35),
    "orange": (255, 140, 0),
    "yellow": (255, 230, 30),
    "green": (30, 150, 45),
    "cyan": (40, 215, 225),
    "blue": (35, 75, 230),
    "purple": (135, 40, 185),
    "pink": (255, 135, 190),
}


@cache
def distance_map(shape: str) -> Array:
    """Signed distance to the shape's outline.  # (GRID, GRID)"""
    axis = np.linspace(-REACH, REACH, GRID, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    if shape == "ball":
        return np.hypot(x, y) - np.float32(0.95)
    if shape == "cross":
        return np.minimum(_box(x, y, 1.0, 0.34), _box(x, y, 0.34, 1.0))
    return _polygon(x, y, outline(shape))


def outline(shape: str) -> list[tuple[float, float]]:
    """Corners of a shape of straight lines, or of an approximation by them (the heart).

    Raises ValueError at another shape.
    """
    if shape == "square":
        return [(-0.82, -0.82), (0.82, -0.82), (0.82, 0.82), (-0.82, 0.82)]
    if shape == "triangle":
        return [_polar(1.1, turn) for turn in (0, 1 / 3, 2 / 3)]
    if shape == "star":
        return [_polar(1.1 if i % 2 == 0 else 0.48, i / 10) for i in range(10)]
    if shape == "heart":
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        x = np.sin(t) ** 3
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
        return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    raise ValueError(f"no outline for {shape!r}: expected square, triangle, star or heart")


@cache
def backdrop(background: str) -> Array:
    """Grey values of a background, 0 to 255.  # (SIZE, SIZE)"""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    plain = {"white": 242, "black": 18, "grey": 128}
    if background in plain:
        return np.full((SIZE, SIZE), plain[background], np.float32)
    if background == "striped":
        lit = (x // 8) % 2 == 0
    elif background == "chequered":
        lit = (x // 16 + y // 16) % 2 == 0
    else:
        lit = np.hypot(x % 16 - 7.5, y % 16 - 7.5) > 4
    return np.where(lit, 200, 135).astype(np.float32)


def _polar(radius: float, turn: float) -> tuple[float, float]:
    angle = 2 * np.pi * turn
    return float(radius * np.sin(angle)), float(-radius * np.cos(angle))


def _box(x: Array, y: Array, width: float, height: float) -> Array:
    dx, dy = np.abs(x) - np.float32(width), np.abs(y) - np.float32(height)
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0)


def _polygon(x: Array, y: Array, corners: list[tuple[float, float]]) -> Array:
    """Distance to the nearest edge; the sign by the even-odd rule."""
    nearest = np.full(x.shape, np.inf, np.float32)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        ex, ey = bx - ax, by - ay
        along = np.clip(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - ax - along * ex, y - ay - along * ey))
        if ay != by:
            crosses = (y < ay) != (y < by)
            inside ^= crosses & (x < ax + (y - ay) * ex / ey)
    return np.where(inside, -nearest, nearest).astype(np.float32)
