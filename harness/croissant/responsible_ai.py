"""The fields of Croissant RAI 1.0: how the data came about, what it is for, what limits it.

All of it is of what participants see. What a benchmark folder does not know of its origin is said
to be unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.croissant.vocabulary import Node
from harness.records import SPLITS
from harness.sources.mini_benchmark import NAME as MINI

_MINI_SOURCES = {"MiniLong", "MiniShort"}
_UNKNOWN = "The folder does not say; the makers of the imported files know."


class DatasetFacts(NamedTuple):
    """What the public files show: turns by language and by task, videos, those without a length.

    `rendered`: whether it is IVCR-Mini, which a program renders; `hidden`: splits whose labels are
    hidden.
    """

    languages: dict[str, int]
    tasks: dict[str, int]
    videos: int
    no_duration: int
    rendered: bool
    hidden: tuple[str, ...]


def facts_of(benchmark: Benchmark, hidden: Collection[str]) -> DatasetFacts:
    """The facts of a benchmark, from its public files alone."""
    splits = [benchmark.split(name) for name in SPLITS if name in benchmark.header.splits]
    turns = [turn for split in splits for turn in split.turns]
    videos = benchmark.videos.values()
    sources = {video.source for video in videos}
    return DatasetFacts(
        dict(sorted(Counter(turn.language for turn in turns).items())),
        dict(sorted(Counter(turn.task for turn in turns).items())),
        len(videos),
        sum(video.duration is None for video in videos),
        bool(sources) and benchmark.header.name == MINI and sources <= _MINI_SOURCES,
        tuple(name for name in SPLITS if name in hidden),
    )


def responsible_ai(facts: DatasetFacts) -> Node:
    """The RAI fields of a benchmark."""
    own = _of_mini() if facts.rendered else _of_an_import(facts)
    return {f"rai:{name}": value for name, value in {**_shared(facts), **own}.items()}


def _shared(facts: DatasetFacts) -> Node:
    turns = sum(facts.languages.values())
    languages = ", ".join(f"{name} {count}" for name, count in facts.languages.items())
    tasks = ", ".join(f"{name} {count}" for name, count in facts.tasks.items())
    return {
        "dataUseCases": [
            "Evaluation of interactive video search: a system looks for a video in a corpus, then "
            "for a moment inside it, over several turns.",
            "Training and validation on the splits that are meant for it.",
        ],
        "dataBiases": [
            f"Languages are not balanced: of {turns} turns, by language: {languages}.",
            f"Tasks are not balanced: of {turns} turns, by task: {tasks}.",
            "Turns of one dialogue often have the same right video, so a system that repeats the "
            "previous one is right surprisingly often; compare with the floors.",
        ],
        "dataPreprocessingProtocol": [
            "Dialogues in the official format are read turn by turn. A turn without a span asks "
            "for a video, one with a span for a moment, one without a target is chat.",
            "An utterance that holds a CJK ideograph is taken for Chinese, any other for English.",
            "A dialogue without an id of its own is named by its position and a hash of its "
            "utterances.",
        ],
        "dataReleaseMaintenancePlan": (
            "A benchmark does not change: another state has another fingerprint, which every score "
            "names."
        ),
    }


def _of_mini() -> Node:
    """IVCR-Mini: harness/sources/mini says the same in code."""
    return {
        "hasSyntheticData": True,
        "syntheticDataExplanation": (
            "All of it: videos, texts, dialogues and labels are made by a program from a seed."
        ),
        "dataCollection": (
            "Nothing was collected. A program draws scripts of timed events from a seed, renders "
            "each as a video of 96 by 96 pixels at 8 frames a second, and fills dialogues, texts "
            "and labels from the scripts."
        ),
        "dataCollectionType": ["Software Collection"],
        "dataCollectionRawData": "Scripts of events: shape, colour, motion, place, pace and time.",
        "dataAnnotationProtocol": [
            "Labels follow from the scripts. Two oracles check each question: one evaluates it on "
            "the scripts, one knows their words alone."
        ],
        "machineAnnotationTools": ["ivcr data mini"],
        "annotationsPerItem": "None by people.",
        "dataLimitations": [
            "Coloured shapes that move one after the other: no people, no natural scenes, no "
            "sound. Figures say nothing of how a system does on filmed videos.",
            "Utterances come from templates in English and Chinese.",
            "Titles and transcripts leave out part of what a video shows, at random.",
            "Candidate lists come from BM25 on texts and often lack the right video.",
        ],
        "dataSocialImpact": "None is known: no person and no opinion occurs.",
        "personalSensitiveInformation": ["None: nothing is about people."],
    }


def _of_an_import(facts: DatasetFacts) -> Node:
    limits = [
        "Candidate lists may lack the right video: they are what a first stage found.",
        "Labels of imported data may be wrong; `ivcr items` lists turns to look at.",
    ]
    if facts.no_duration:
        limits.append(
            f"{facts.no_duration} of {facts.videos} videos have no known duration, so rules about "
            "durations do not see them."
        )
    if facts.hidden:
        limits.append(f"Labels are withheld in: {', '.join(facts.hidden)}.")
    return {
        "dataCollection": f"Imported from files of others by `ivcr data import`. {_UNKNOWN}",
        "dataAnnotationProtocol": [_UNKNOWN],
        "dataLimitations": limits,
        "personalSensitiveInformation": [_UNKNOWN],
    }
