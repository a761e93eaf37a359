"""Whether META fits the dialogues and the video files: ids, paths, durations."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.benchmark import LEAVES, VideoFolder, VideoLine, video_of
from harness.files import shown
from harness.records import VIDEO_CONTAINERS

READERS = 8  # threads that read the headers of files
TOLERANCE = 1.0  # seconds by which META may differ from a file
THOUSANDFOLD = (990, 1010)  # how many times too long milliseconds are as seconds
MOMENTS = 10  # moments from which on their places say something of durations
FAR = 100  # how many times longer than its latest moment no seconds of a video are
_ENDING = re.compile(r"\.[A-Za-z0-9]{2,4}$")
Report = Callable[[str, str], None]


class SpanCheck:
    """Whether META's durations are of the same unit as the moments: milliseconds are far longer."""

    def __init__(self) -> None:
        self._moments = 0
        self._latest = 0.0  # the greatest share of its video after which a moment ends
        self._example = ""

    def add(self, line: VideoLine, end: float) -> None:
        """Note a moment that ends at `end` seconds of the video."""
        if line.duration is None:
            return
        self._moments += 1
        if (share := end / line.duration) > self._latest:
            self._latest = share
            self._example = (
                f"{shown(line.video_id)}, {line.duration:,.1f} s, moment to {end:,.1f} s"
            )

    def finish(self, report: Report) -> None:
        """Report durations of which not one moment reaches a hundredth."""
        if self._moments >= MOMENTS and self._latest * FAR < 1:
            report("far-durations", self._example)


def check_ids(described: Collection[str], named: Collection[str], report: Report) -> None:
    """Report what META describes by another spelling than the dialogues, or for nothing.

    described: META's ids; named: those of the dialogues. Where META describes all of the latter,
    what it has beyond them is no oddity.
    """
    undescribed = sorted(set(named) - set(described))
    unnamed = sorted(set(described) - set(named))
    if not undescribed:
        return
    spelt = {_bare(video_id): video_id for video_id in reversed(unnamed)}
    for video_id in undescribed:
        if (other := spelt.get(_bare(video_id))) is not None:
            report("near-metadata", f"{shown(video_id)}, in META {shown(other)}")
    for video_id in unnamed:
        report("unnamed-metadata", shown(video_id))


def check_files(
    videos: Mapping[str, VideoLine], folder: Path, *, present: bool, report: Report
) -> None:
    """Report videos whose path leads out of the videos' folder, and what contradicts their files.

    present: whether the files lie there already; if not, paths alone are looked at. Raises
    EnvironmentFailure if the folder that was named for the videos is none.
    """
    home, files = VideoFolder(folder), {}
    for video_id, line in videos.items():
        place = home.find(video_of(line))
        if isinstance(place, Path):
            files[video_id] = place
        elif place == LEAVES:
            report("outside-path", f"{shown(video_id)}, at {shown(line.path or '')}")
        elif present and line.path is not None:
            report("missing-file", f"{shown(video_id)}, at {shown(line.path)}")
    with ThreadPoolExecutor(READERS) as pool:
        for video_id, lengths in zip(files, pool.map(_lengths, files.values()), strict=True):
            _check_duration(videos[video_id], lengths, report)


def _check_duration(line: VideoLine, lengths: list[float], report: Report) -> None:
    declared = line.duration
    if (
        declared is None
        or not lengths
        or any(abs(declared - each) <= TOLERANCE for each in lengths)
    ):
        return
    low, high = THOUSANDFOLD
    thousandfold = any(low * each <= declared <= high * each for each in lengths)
    place = f"{shown(line.video_id)}, {declared:,.1f} s for {lengths[0]:,.1f} s"
    report("duration-milliseconds" if thousandfold else "other-duration", place)


def _lengths(path: Path) -> list[float]:
    """The durations in seconds that the header of a file states; none if it cannot be read."""
    import av

    try:
        options = {"format_whitelist": VIDEO_CONTAINERS}
        with av.open(str(path), options=options, metadata_errors="replace") as container:
            stream = container.streams.best("video")
            return list(_stated(stream, container.duration, av.time_base))
    # What PyAV raises at a damaged file; a run refuses it by name.
    except (av.FFmpegError, ValueError, IndexError, ArithmeticError, AssertionError, OSError):
        return []


def _stated(stream: object, ticks: int | None, ticks_a_second: int) -> Iterator[float]:
    length, base = getattr(stream, "duration", None), getattr(stream, "time_base", None)
    if length and base:
        yield float(length * base)
    if ticks and ticks > 0:
        yield ticks / ticks_a_second


def _bare(video_id: str) -> str:
    """An id without folders, ending and capitals."""
    return _ENDING.sub("", re.split(r"[/\\]", video_id)[-1]).casefold()
