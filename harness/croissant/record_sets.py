"""The records of a benchmark's files as RecordSets: what each field is, and where it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from harness.benchmark import Benchmark, Header
from harness.croissant.distribution import EVENTS
from harness.croissant.vocabulary import INTEGER, NUMBER, SPLIT_CLASSES, TEXT, Node
from harness.records import SPLITS, Video

_SPLIT_NAME, _SPLIT_CLASS = "splits/name", "splits/url"


class FieldColumn(NamedTuple):
    """A key of a file's lines: its name, type and meaning; `shape`: of an array, -1 is any."""

    name: str
    kind: str
    meaning: str
    shape: str | None = None


_TURN = (
    FieldColumn("dialogue_id", TEXT, "The dialogue."),
    FieldColumn("turn", INTEGER, "The number of the turn in its dialogue, from 1."),
)
_COLUMNS = {
    "turns": (
        *_TURN,
        FieldColumn("type", INTEGER, "The type code of the dialogue."),
        FieldColumn("language", TEXT, "The language of the utterance: en or zh."),
        FieldColumn(
            "task", TEXT, "video: find the video; moment: find the span; chat: no retrieval."
        ),
        FieldColumn("utterance", TEXT, "What the user says."),
    ),
    "candidates": (
        *_TURN,
        FieldColumn(
            "candidates", TEXT, "Ids of videos that a first stage gives, best first.", "-1"
        ),
    ),
    "reference": (
        *_TURN,
        FieldColumn("answer", TEXT, "The reference answer."),
        FieldColumn("video_id", TEXT, "The gold video; null in chat turns."),
    ),
    "gold": (
        *_TURN,
        FieldColumn("video_id", TEXT, "The right video; null in chat turns."),
        FieldColumn("moment", NUMBER, "Start and end, seconds from the first frame, or null.", "2"),
        FieldColumn("answer", TEXT, "The reference answer."),
        FieldColumn("text_id", TEXT, "The source's own name of the text, or null."),
        FieldColumn("tags", TEXT, "Labels of the turn.", "-1"),
        FieldColumn(
            "foil", TEXT, "The video that is most easily taken for the right one, or null."
        ),
    ),
}
_MEANINGS = {
    "turns": "The turns of all dialogues, in order.",
    "candidates": "The candidate videos of each turn.",
    "reference": "What reference history shows of turns that were answered.",
    "gold": "The right answers, one for each turn.",
}
_VIDEO = (
    FieldColumn("video_id", TEXT, "The video."),
    FieldColumn("duration", NUMBER, "Its length in seconds, or null where it is not known."),
)


def record_sets(benchmark: Benchmark, files: Collection[str]) -> list[Node]:
    """The RecordSets of a benchmark of which participants have the `files`."""
    header = benchmark.header
    found = [_splits(header), *_types(header), _videos(benchmark.videos.values())]
    for split in (name for name in SPLITS if name in header.splits):
        if f"{split}/corpus.txt" in files:
            found.append(_corpus(split))
        found += [_lines(split, name) for name in _COLUMNS if f"{split}/{name}.jsonl" in files]
    if EVENTS in files:
        found.append(_events((benchmark.folder / EVENTS).read_bytes()))
    return found


def _splits(header: Header) -> Node:
    names = [name for name in SPLITS if name in header.splits]
    return {
        **_record_set("splits", "The splits of the benchmark."),
        "dataType": "cr:Split",
        "key": {"@id": _SPLIT_NAME},
        "field": [
            _field(_SPLIT_NAME, TEXT, "The name of the split."),
            _field(_SPLIT_CLASS, "sc:URL", "What the split is for."),
        ],
        "data": [{_SPLIT_NAME: name, _SPLIT_CLASS: SPLIT_CLASSES[name]} for name in names],
    }


def _types(header: Header) -> list[Node]:
    """The names of type codes, where there are some."""
    if not header.type_names:
        return []
    codes = sorted((int(code), name) for code, name in header.type_names.items())
    return [
        {
            **_record_set("types", "The type codes of dialogues that have a name."),
            "dataType": "sc:Enumeration",
            "key": {"@id": "types/code"},
            "field": [
                _field("types/code", INTEGER, "The code."),
                _field("types/name", TEXT, "Its name."),
            ],
            "data": [{"types/code": code, "types/name": name} for code, name in codes],
        }
    ]


def _videos(videos: Iterable[Video]) -> Node:
    """The videos; keys that no line has are no field."""
    known = list(videos)
    texts = sorted({key for video in known for key in video.text})
    columns = list(_VIDEO)
    if any(video.source for video in known):
        columns.append(FieldColumn("source", TEXT, "The collection that the video comes from."))
    if any(video.path is not None for video in known):
        columns.append(FieldColumn("path", TEXT, "Its file, relative to the folder, or null."))
    fields = [_column("videos", "videos.jsonl", each) for each in columns]
    if texts:
        fields.append(_inner("videos/text", "videos.jsonl", "text", dict.fromkeys(texts, TEXT)))
    return {
        **_record_set("videos", "All videos of the benchmark."),
        "key": {"@id": "videos/video_id"},
        "field": fields,
    }


def _corpus(split: str) -> Node:
    name = f"{split}/corpus"
    source = {"fileObject": {"@id": f"{name}.txt"}, "extract": {"fileProperty": "lines"}}
    return {
        **_record_set(name, f"The videos that may be ranked in split {split}."),
        "key": {"@id": f"{name}/video_id"},
        "field": [{**_field(f"{name}/video_id", TEXT, "The video."), "source": source}],
    }


def _lines(split: str, of: str) -> Node:
    name = f"{split}/{of}"
    constant = {
        **_field(f"{name}/split", TEXT, "The split."),
        "references": {"field": {"@id": _SPLIT_NAME}},
        "value": split,
    }
    return {
        **_record_set(name, f"{_MEANINGS[of]} Split {split}."),
        "key": [{"@id": f"{name}/{column.name}"} for column in _TURN],
        "field": [
            constant,
            *(_column(name, f"{name}.jsonl", column) for column in _COLUMNS[of]),
        ],
    }


def _events(data: bytes) -> Node:
    """The annotated events; which attributes they have is the data's own."""
    lines = [msgspec.json.decode(line, type=dict[str, Any]) for line in data.splitlines()]
    name = EVENTS.removesuffix(".jsonl")
    events = [event for line in lines for event in line.get("events", ())]
    others = sorted({key for line in lines for key in line} - {"events", "video_id"})
    columns = [FieldColumn("video_id", TEXT, "The training video.")]
    columns += [
        FieldColumn(key, _kind([line.get(key) for line in lines]), f"{key}.") for key in others
    ]
    kinds = {key: _kind([event.get(key) for event in events])
             for key in sorted({key for event in events for key in event})}  # fmt: skip
    nested = {**_inner(f"{name}/events", EVENTS, "events", kinds), "isArray": True}
    return {
        **_record_set(name, "What happens when in each training video; times are seconds."),
        "key": {"@id": f"{name}/video_id"},
        "field": [*(_column(name, EVENTS, column) for column in columns), nested],
    }


def _kind(values: Sequence[Any]) -> str:
    return NUMBER if all(isinstance(value, (int, float)) for value in values) else TEXT


def _inner(name: str, file: str, column: str, kinds: dict[str, str]) -> Node:
    """A field whose values are tables with these keys."""
    source = {"fileObject": {"@id": file}, "extract": {"column": column}}
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": f"{column}.",
        "subField": [
            {
                **_field(f"{name}/{key}", kind, f"{key}."),
                "source": {**source, "transform": {"jsonPath": key}},
            }
            for key, kind in kinds.items()
        ],
    }


def _record_set(name: str, meaning: str) -> Node:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "description": meaning}


def _column(record_set: str, file: str, column: FieldColumn) -> Node:
    array = {} if column.shape is None else {"isArray": True, "arrayShape": column.shape}
    return {
        **_field(f"{record_set}/{column.name}", column.kind, column.meaning),
        **array,
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }


def _field(name: str, kind: str, meaning: str) -> Node:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": meaning,
        "dataType": kind,
    }
