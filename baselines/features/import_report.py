"""What an import says: how ids were matched, what is missing, what contradicts the durations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from baselines.features.feature_folder import Times
from baselines.features.video_names import NameMatches
from baselines.video.features import TOLERANCE
from harness.files import shown
from harness.records import Video

NAMED = 3  # videos in a line


def match_lines(matches: NameMatches, videos: Collection[str]) -> Iterator[str]:
    """Lines on which arrays are of which videos."""
    for form, (number, example) in matches.forms.items():
        of = next(video_id for video_id, name in matches.names.items() if name == example)
        like = "" if of == example else f" (such as {shown(example)} of {shown(of)})"
        yield f"{number:,} arrays found by ids compared {form}{like}"
    if matches.ambiguous:
        yield (
            f"{len(matches.ambiguous):,} arrays fit several videos, or a video that has one, and "
            f"are left out: {listed(matches.ambiguous)}"
        )
    if matches.unknown:
        yield (
            f"{len(matches.unknown):,} arrays are of no video of the benchmark and are left out: "
            f"{listed(matches.unknown)}"
        )
    missing = [video_id for video_id in videos if video_id not in matches.names]
    if missing:
        yield f"{len(missing):,} of {len(videos):,} videos have no features: {listed(missing)}"


def length_lines(
    times: Mapping[str, Times], rate: float | None, videos: Mapping[str, Video]
) -> Iterator[str]:
    """Lines on videos whose rows end elsewhere than the video, by more than a second and a row."""
    found: list[tuple[str, float, float]] = []
    unknown = 0
    for video_id, of in times.items():
        duration = videos[video_id].duration
        if duration is None:
            unknown += 1
            continue
        end, row = _end(of, rate)
        if abs(end - duration) > max(TOLERANCE, row):
            found.append((video_id, end / 1000, duration / 1000))
    if found:
        first, last, lasts = found[0]
        yield (
            f"{len(found):,} of {len(times):,} videos do not last as long as their rows, by more "
            f"than a second and a row: {shown(first)} lasts {lasts:,.1f} s, its rows end at "
            f"{last:,.1f} s{_others([each[0] for each in found[1:]])}; check --rate, or the times"
        )
    if unknown:
        yield (
            f"{unknown:,} of {len(times):,} videos have no duration in the benchmark, so the "
            "lengths of their rows are not checked (`ivcr data import --videos META` has them)"
        )


def _end(times: Times, rate: float | None) -> tuple[float, float]:
    """Where rows end and how long one is, in ms; the last ends as the first begins."""
    if rate is not None:
        return 1000 * len(times) / rate, 1000 / rate
    step = float(times[1] - times[0]) if len(times) > 1 else 2.0 * float(times[0])
    return float(times[0]) + float(times[-1]), step


def listed(names: Collection[str]) -> str:
    """The first names of several, and how many more there are."""
    first = [shown(name) for name, _ in zip(names, range(NAMED), strict=False)]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def _others(names: Collection[str]) -> str:
    return f"; also {listed(names)}" if names else ""
