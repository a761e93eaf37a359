"""How the tests read IVCR-Mini: a reader of its notation and two oracles of their own.

They share no code with the package: they parse `text_id` and evaluate it on the plain
dictionaries of the events file. test_mini_oracles.py holds them against hand-made videos, and
the package's oracles against them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import bm25s

from harness.sources.mini import MiniAnnotations, annotate
from harness.sources.mini.build import official_lines, script_line

CHINESE = re.compile("[\u4e00-\u9fff]")
WORDS = {
    "shape": ("ball", "square", "triangle", "star", "heart", "cross"),
    "colour": ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink"),
    "motion": ("spins", "bounces", "slides", "circles", "pulses", "blinks", "shakes", "flips"),
    "place": ("top", "bottom", "left", "right"),
    "pace": ("slow", "fast"),
}
FIELD = {word: field for field, words in WORDS.items() for word in words}
BACKGROUNDS = ("white", "black", "grey", "striped", "chequered", "dotted")
Video = dict[str, Any]


class Turn(NamedTuple):
    """One turn of the official file; `said` are the notes of the dialogue so far."""

    split: str
    kind: int
    number: int
    utterance: str
    note: str
    said: list[str]
    reply: dict[str, Any]

    @property
    def task(self) -> str:
        if "gt_se" not in self.reply:
            return "chat"
        return "video" if self.reply["gt_se"] == [-1, -1] else "moment"

    @property
    def tags(self) -> list[str]:
        tags: list[str] = self.reply.get("tags", [])
        return tags


def tokens(text: str) -> list[str]:
    """Words in lower case; of Chinese, single characters and pairs."""
    found: list[str] = []
    for run in re.findall(r"[a-z0-9]+|[\u4e00-\u9fff]+", text.lower()):
        if CHINESE.match(run):
            found += [*run, *(run[i : i + 2] for i in range(len(run) - 1))]
        else:
            found.append(run)
    return found


def first_stage(
    texts: Sequence[Mapping[str, str]], queries: Sequence[str], k: int
) -> list[list[int]]:
    """BM25 over all text fields, ties by position."""
    retriever = bm25s.BM25()
    retriever.index([tokens(" ".join(text.values())) for text in texts], show_progress=False)
    rankings = []
    for query in queries:
        scores = retriever.get_scores(tokens(query))
        rankings.append(sorted(range(len(texts)), key=lambda i: (-float(scores[i]), i))[:k])
    return rankings


def digest(made: MiniAnnotations) -> str:
    parts = ["".join(official_lines(made.samples)), json.dumps(made.meta), json.dumps(made.events)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def seed_zero() -> MiniAnnotations:
    """Seed 0 with the first stage above, made once a process."""
    return annotate(0, first_stage)


@cache
def corpora() -> dict[str, dict[str, Video]]:
    """Scripts by split and id, as the events file writes them."""
    found: dict[str, dict[str, Video]] = {"train": {}, "val": {}, "test": {}}
    for script in seed_zero().world:
        found[script.split][script.video_id] = json.loads(json.dumps(script_line(script)))
    return found


@cache
def all_turns() -> list[Turn]:
    """All turns of the official file."""
    return [turn for sample in seed_zero().samples for turn in read_turns(sample)]


def read_turns(sample: Mapping[str, Any]) -> Iterator[Turn]:
    entries = sample["conversations"]
    said: list[str] = []
    for i in range(0, len(entries), 2):
        human, reply = entries[i : i + 2]
        assert (human["from"], reply["from"]) == ("human", "gpt")
        label, note = human["text_id"].split(": ", 1)
        assert label == "mini"
        adds = note.startswith("... + ")
        note = note.removeprefix("... + ")
        if "gt_se" in reply and reply["gt_se"] == [-1, -1]:
            said = [*said, note] if adds else [note]
        yield Turn(
            sample["split"], sample["type"][0], i // 2 + 1, human["value"], note, list(said), reply
        )


@cache
def parsed(note: str) -> list[tuple[str, list[list[str]]]]:
    """`before(red ball; star) & events(2)` as [("before", [["red", "ball"], ["star"]]), ...]."""
    found = []
    for part in note.split(" & "):
        match = re.fullmatch(r"(\w+)\((.*)\)", part)
        assert match, part
        found.append((match[1], [side.split() for side in match[2].split("; ")]))
    return found


def fits(event: Video, words: list[str]) -> bool:
    return all(event[FIELD[word]] == word for word in words)


def holds(video: Video, name: str, sides: list[list[str]]) -> bool:
    events = video["events"]
    if name == "background":
        return bool(video["background"] == sides[0][0])
    if name == "count":
        return len(events) == int(sides[0][0])
    if name == "throughout":
        return {event["pace"] for event in events} == set(sides[0])
    found = [[event for event in events if fits(event, words)] for words in sides]
    if name == "has":
        return bool(found[0])
    if name == "before":
        return any(a["start"] < b["start"] for a in found[0] for b in found[1])
    assert name == "longer"
    return any(
        round(a["end"] - a["start"], 2) > round(b["end"] - b["start"], 2)
        for a in found[0]
        for b in found[1]
    )


def script_oracle(corpus: Mapping[str, Video], notes: Sequence[str]) -> set[str]:
    conditions = [condition for note in notes for condition in parsed(note)]
    return {
        name for name, video in corpus.items() if all(holds(video, *each) for each in conditions)
    }


def bag(video: Video) -> Counter[str]:
    return Counter([video["background"], *(e[field] for e in video["events"] for field in WORDS)])


def note_words(note: str) -> Counter[str]:
    return Counter(word for _, sides in parsed(note) for side in sides for word in side)


def find_moment(video: Video, note: str) -> Video | None:
    [(pick, [words])] = parsed(note)
    events: list[Video] = sorted(video["events"], key=lambda event: event["start"])
    if pick in ("first", "last"):
        return events[0 if pick == "first" else -1]
    if pick in ("longest", "shortest"):
        events.sort(key=lambda event: event["end"] - event["start"])
        return events[-1 if pick == "longest" else 0]
    places = [i for i, event in enumerate(events) if fits(event, words)]
    assert len(places) == 1, note
    place = places[0] + {"at": 0, "after": 1, "until": -1}[pick]
    return events[place] if 0 <= place < len(events) else None
