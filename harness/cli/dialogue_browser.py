"""What the leaderboard's dialogue browser is made of: gold, first answers, frame strips."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

    from harness.benchmark import Benchmark
    from harness.comparison.entrants import Entrant
    from harness.records import Gold, Span, Turn
    from leaderboard.board.records import Entry, Said
    from leaderboard.site.dialogue_pages import Dialogue, Source, Told

FRAMES, HEIGHT, GAP = 6, 54, 2  # of a strip; pixels
WIDEST = 120  # pixels of one frame
LARGEST = 4096  # pixels of a video's side
LOOKED_AT = 400  # frames decoded for one of a strip


def source(benchmark: Benchmark, split: str, folder_of: Callable[[Entry], Path]) -> Source:
    """The browser's content, of a benchmark whose labels are public."""
    from functools import cache

    from harness.outcomes import frame
    from harness.scoring import design_of
    from leaderboard.site.dialogue_pages import Source

    sources = {name: video.source for name, video in benchmark.videos.items()}
    told = frame(benchmark.split(split), benchmark.gold(split), sources)
    return Source(
        told.dialogue,
        told.type,
        told.turn,
        cache(lambda: design_of(told)),
        told.dialogues,
        lambda entries: tell(benchmark, split, [folder_of(entry) for entry in entries]),
        lambda video: strip(benchmark, video),
    )


def tell(benchmark: Benchmark, split: str, folders: Sequence[Path]) -> Iterator[Dialogue]:
    """Every dialogue of the split, in its order, with what the systems in `folders` answered."""
    from itertools import groupby

    from harness.comparison.entrants import read_entrants
    from leaderboard.site.dialogue_pages import Dialogue

    turns, gold = benchmark.split(split).turns, benchmark.gold(split)
    entrants = read_entrants(folders, benchmark, split).entrants if folders else ()
    rights = [entrant.right for entrant in entrants]
    for name, group in groupby(range(len(turns)), key=lambda row: turns[row].dialogue_id):
        rows = list(group)
        made = tuple(
            _told(benchmark, turns[row], gold[row], tuple(
                _said(entrant, bool(right[row]), row)
                for entrant, right in zip(entrants, rights, strict=True)
            ))
            for row in rows
        )  # fmt: skip
        yield Dialogue(name, turns[rows[0]].type, made)


def _told(benchmark: Benchmark, turn: Turn, gold: Gold, said: tuple[Said, ...]) -> Told:
    from leaderboard.site.dialogue_pages import Told

    video = benchmark.videos.get(gold.video_id) if gold.video_id else None
    return Told(
        turn=turn.turn,
        task=turn.task,
        language=turn.language,
        utterance=turn.utterance,
        answer=gold.answer,
        video=gold.video_id,
        moment=_seconds(gold.moment) if gold.moment else None,
        duration=video.duration / 1000 if video and video.duration else None,
        said=said,
    )


def _said(entrant: Entrant, right: bool, row: int) -> Said:
    from harness.records import ABSENT_RANK
    from leaderboard.board.records import Said

    first, rank = entrant.top_answers[row], int(entrant.outcomes.rank[row])
    moment = first.moment
    return Said(
        right=right,
        video=first.video,
        moment=(moment.video_id, (moment.start / 1000, moment.end / 1000)) if moment else None,
        rank=rank if rank < ABSENT_RANK else None,
    )


def _seconds(span: Span) -> tuple[float, float]:
    return span.start / 1000, span.end / 1000


def strip(benchmark: Benchmark, video_id: str) -> bytes | None:
    """Frames of a video side by side as a small JPEG; None where there are no sound pixels."""
    import av

    video = benchmark.videos.get(video_id)
    if video is None or video.path is None:
        return None
    path, root = (benchmark.folder / video.path).resolve(), benchmark.folder.resolve()
    if not path.is_relative_to(root) or not path.is_file():
        return None
    try:
        with av.open(str(path)) as container:
            return _jpeg(container)
    # A video that cannot be decoded is one without a strip: a stranger's file stops no build.
    except (av.FFmpegError, ValueError, IndexError):
        return None


def _jpeg(container: InputContainer) -> bytes | None:
    import av
    import numpy as np

    stream = container.streams.video[0]
    width, height = stream.width, stream.height
    if not 0 < width <= LARGEST or not 0 < height <= LARGEST or not stream.duration:
        return None
    small = min(max(2 * round(HEIGHT * width / height / 2), 2), WIDEST)
    pictures = []
    for part in range(FRAMES):
        at = int(stream.duration * (part + 0.5) / FRAMES) + (stream.start_time or 0)
        container.seek(at, stream=stream)
        for looked, picture in enumerate(container.decode(stream)):
            if looked == LOOKED_AT or picture.pts is None or picture.pts >= at:
                break
        pictures.append(picture.to_ndarray(width=small, height=HEIGHT, format="rgb24"))
    between = np.full((HEIGHT, GAP, 3), 255, dtype=np.uint8)
    parts = [part for picture in pictures for part in (between, picture)][1:]
    pixels = np.concatenate(parts, axis=1).astype(np.uint8, copy=False)
    joined = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    out = io.BytesIO()
    with av.open(out, "w", format="image2pipe") as target:
        encoder = target.add_stream("mjpeg", options={"q": "5"})
        encoder.width, encoder.height, encoder.pix_fmt = joined.width, joined.height, "yuvj420p"
        for packet in (*encoder.encode(joined), *encoder.encode()):
            target.mux(packet)
    return out.getvalue()
