"""IVCR-Mini, the embedded benchmark: annotate, render, write.

The annotations depend on the seed and the first stage alone: the same bytes on every machine.
The pixels depend on the build of the encoder too, and no fingerprint covers them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from harness.files import make_folder, open_replacement
from harness.sources.mini.dialogues import PHRASINGS, make_dialogues
from harness.sources.mini.official_entries import FirstStage, entries
from harness.sources.mini.phrasing import video_text
from harness.sources.mini.render import render
from harness.sources.mini.schedule import TYPE_NAMES
from harness.sources.mini.world import SIZES, Script, make_world

Progress = Callable[[str, int, int], None]
"""Called with the stage, how many steps are done and how many there are."""

LANGUAGES = {"": PHRASINGS["en"], "_zh": PHRASINGS["zh"]}


@dataclass(frozen=True)
class MiniAnnotations:
    """Everything but the frames. `world`: the scripts in META order; `meta`, `events`: JSON
    lines."""

    world: tuple[Script, ...]
    samples: list[dict[str, Any]]
    meta: list[dict[str, Any]]
    events: list[dict[str, Any]]


@dataclass(frozen=True)
class MiniFiles:
    """The files of `build`: the official file, META, the events of training videos; type names."""

    dialogues: Path
    videos: Path
    events: Path
    type_names: dict[int, str]


def annotate(
    seed: int,
    first_stage: FirstStage,
    progress: Progress | None = None,
    *,
    train: int = SIZES["train"],
) -> MiniAnnotations:
    """All annotations of IVCR-Mini for a seed, with candidates by the given first stage.

    `train`: the number of training videos; the other splits do not depend on it. Raises ValueError
    if it is no multiple of 12.
    """
    world = make_world(seed, train)
    texts = {script.video_id: video_text(script, LANGUAGES) for script in world}
    samples: list[dict[str, Any]] = []
    for done, split in enumerate(SIZES):
        corpus = [script for script in world if script.split == split]
        dialogues = list(make_dialogues(corpus, split, seed))
        fields = [texts[script.video_id] for script in corpus]
        samples += entries(dialogues, split, corpus, fields, first_stage, seed)
        if progress:
            progress("dialogues", done + 1, len(SIZES))
    return MiniAnnotations(
        world=world,
        samples=samples,
        meta=[_meta(script, texts[script.video_id]) for script in world],
        events=[script_line(script) for script in world if script.split == "train"],
    )


def build(
    out: Path,
    *,
    seed: int,
    first_stage: FirstStage,
    train: int = SIZES["train"],
    progress: Progress | None = None,
    workers: int | None = None,
) -> MiniFiles:
    """Write IVCR-Mini's source files and videos into the folder `out`.

    `out` gets `source/ivcr-mini.json` (official format), `source/videos.jsonl` (META),
    `train/events.jsonl` (see `script_line`) and `videos/`. Every file is written under
    another name and renamed, the official file last: without it nothing can be imported. `workers`
    processes render, by default one a core; in a script of one's own, call this under
    `if __name__ == "__main__"` unless `workers` is 1. Raises EnvironmentFailure if `out` cannot be
    written.
    """
    annotations = annotate(seed, first_stage, progress, train=train)
    files = MiniFiles(
        dialogues=out / "source" / "ivcr-mini.json",
        videos=out / "source" / "videos.jsonl",
        events=out / "train" / "events.jsonl",
        type_names=dict(TYPE_NAMES),
    )
    jobs = [(script, out / video_path(script)) for script in annotations.world]
    render(jobs, progress=progress, workers=workers)
    _write(files.events, (_line(each) for each in annotations.events))
    _write(files.videos, (_line(each) for each in annotations.meta))
    _write(files.dialogues, official_lines(annotations.samples))
    return files


def official_lines(samples: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """The samples as one JSON list, one sample a line."""
    for index, sample in enumerate(samples):
        yield ("[" if index == 0 else ",") + _line(sample)
    yield "]\n"


def video_path(script: Script) -> str:
    """Where a video's file lies, relative to the benchmark folder."""
    return f"videos/{PurePosixPath(script.video_id).name}"


def script_line(script: Script) -> dict[str, Any]:
    """A script as a line of train/events.jsonl.

    {"video_id", "background", "events": [{"shape", "colour", "motion", "place", "pace",
    "start", "end"}]}: events in order of time, seconds from the first frame, words of world.py.
    """
    events = [
        event.look._asdict() | {"start": event.start / 100, "end": event.end / 100}
        for event in script.events
    ]
    return {"video_id": script.video_id, "background": script.background, "events": events}


def _meta(script: Script, text: Mapping[str, str]) -> dict[str, Any]:
    return {
        "video_id": script.video_id,
        "duration": script.duration,
        "text": dict(text),
        "path": video_path(script),
    }


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n"


def _write(path: Path, lines: Iterable[str]) -> None:
    make_folder(path.parent)
    with open_replacement(path) as stream:
        stream.writelines(line.encode("utf-8") for line in lines)
