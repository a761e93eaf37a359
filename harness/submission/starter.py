"""A submission to start from: a valid card, and three example lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.benchmark import Benchmark, Split
from harness.errors import WrongUsageError
from harness.files import write as write_file
from harness.records import Card, Moment, Prediction, Turn, Video
from harness.submission.card_toml import toml_card
from harness.submission.lines import line
from harness.submission.writing import CARD, filled_folder

EXAMPLE = "predictions.example.jsonl"
STARTER = Card(1, "Your team", "Your system", history="own", candidates="unused")
TASKS = ("video", "moment", "chat")
_LINES = 3
_CHOICES = """\
# history: "none" (the current utterance alone), "own" (earlier utterances and the system's own
# answers) or "reference" (earlier utterances, their gold answers and gold videos).
# candidates: "used" if the system reads the candidate lists, else "unused".
#
# More keys, each as you like:
# description = "..."
# training_data = ["..."]
# annotations = "gold spans"  # of the train split: none, gold videos, gold spans, annotated events
# languages = ["en", "zh"]
# parameters = 7_000_000_000
# frames_per_video = 12
# weights = "open"  # everybody can get all weights that it uses, or it has none; else "closed"
# seed = 1
# date = "2025-12-01"
# paper = "..."
# code = "..."
# contact = "..."
# hardware = "..."
# cost = { "GPU hours" = 12, "time per turn (s)" = 0.8 }  # units in brackets, or as names
# pair = "the run that differs from this one in history alone"
# variant = "how people tell this run from other runs of the system"
# settings = { context = "last", frames = 12 }
"""


def template_keys(values: Mapping[str, object]) -> list[str]:
    """The keys of a card's values, team and system, that still say what the template says."""
    return [key for key in ("team", "system") if values.get(key) == getattr(STARTER, key)]


def start(folder: Path, benchmark: Benchmark, split: str = "test") -> None:
    """Write card.toml and predictions.example.jsonl into `folder`, which is made if absent.

    Raises WrongUsageError if there is a card already, EnvironmentFailure if nothing can be written.
    """
    if (folder / CARD).exists():
        raise WrongUsageError(f"{folder}: has a {CARD} already; name another folder")
    examples = b"".join(map(line, example_predictions(benchmark, split)))
    with filled_folder(folder) as place:
        write_file(place / EXAMPLE, examples)
        write_file(place / CARD, (toml_card(STARTER) + _CHOICES).encode("utf-8"))


def example_predictions(benchmark: Benchmark, split: str) -> list[Prediction]:
    """Three answers to turns of the split, of as many tasks as it has."""
    public = benchmark.split(split)
    first_of_task = [
        next((turn for turn in public.turns if turn.task == task), None) for task in TASKS
    ]
    chosen = {turn.key: turn for turn in first_of_task if turn is not None}
    for turn in public.turns[:_LINES]:
        if len(chosen) < _LINES:
            chosen.setdefault(turn.key, turn)
    return [_example(turn, public, benchmark.videos) for turn in chosen.values()]


def _example(turn: Turn, public: Split, videos: dict[str, Video]) -> Prediction:
    if turn.task == "video":
        return Prediction(turn.dialogue_id, turn.turn, videos=public.corpus[:3])
    if turn.task == "moment":
        moments = tuple(_beginning(name, videos) for name in public.corpus[:1])
        return Prediction(turn.dialogue_id, turn.turn, moments=moments)
    return Prediction(turn.dialogue_id, turn.turn, response="Which one do you mean?")


def _beginning(name: str, videos: dict[str, Video]) -> Moment:
    """The first five seconds of a video, or all of a shorter one."""
    video = videos.get(name)
    duration = None if video is None else video.duration
    return Moment(name, 0, 5000 if duration is None else min(5000, duration))
