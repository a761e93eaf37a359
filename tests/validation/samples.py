"""A small benchmark and a valid submission to it, written from the format's description."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from harness.benchmark import fingerprint

VIDEOS = [f"v/{letter}.mp4" for letter in "abcdefghijkl"] + [f"v/{n}.mp4" for n in range(100)]
UNDATED = "v/l.mp4"
ELSEWHERE = "v/train.mp4"
SECONDS = 30.0
CANDIDATES = VIDEOS[:10]
TURNS = [
    ("d1", 1, "video"),
    ("d1", 2, "moment"),
    ("d1", 3, "chat"),
    ("d2", 1, "video"),
    ("d2", 2, "video"),
]
CARD = """\
schema = 1
team = "A team"
system = "A system"
history = "own"
candidates = "used"
kind = "predictions"
"""
LINES = [
    {"dialogue_id": "d1", "turn": 1, "videos": VIDEOS[:3], "choice": ["v/b.mp4", "v/a.mp4"]},
    {"dialogue_id": "d1", "turn": 2, "moments": [{"video_id": "v/a.mp4", "start": 1, "end": 2.5}]},
    {"dialogue_id": "d1", "turn": 3, "response": 'He said: "it is 门" \\ {'},
    {"dialogue_id": "d2", "turn": 1, "videos": VIDEOS[:12]},
    {"dialogue_id": "d2", "turn": 2, "choice": ["v/c.mp4"]},
]


def encoded(line: object) -> bytes:
    """A line as most tools write it: with a space after commas and colons."""
    return json.dumps(line, ensure_ascii=False).encode("utf-8")


def write_benchmark(folder: Path) -> Path:
    """Two dialogues, 112 videos (one without a duration), and a dialogue of val. It has no gold."""
    test = folder / "test"
    test.mkdir(parents=True)
    videos = [
        {"video_id": name, "duration": None if name == UNDATED else SECONDS, "source": "v"}
        for name in [*VIDEOS, ELSEWHERE]
    ]
    _jsonl(folder / "videos.jsonl", videos)
    (test / "corpus.txt").write_text("".join(f"{name}\n" for name in VIDEOS), "utf-8")
    rest = {"type": 1, "language": "en", "utterance": "the one with the door"}
    names = [{"dialogue_id": dialogue, "turn": turn} for dialogue, turn, _ in TURNS]
    tasks = [task for _, _, task in TURNS]
    _jsonl(
        test / "turns.jsonl",
        [{**name, "task": task, **rest} for name, task in zip(names, tasks, strict=True)],
    )
    _jsonl(test / "candidates.jsonl", [{**names[n], "candidates": CANDIDATES} for n in (0, 4)])
    other = [{"dialogue_id": "d8", "turn": turn, "task": "video", **rest} for turn in (1, 2)]
    (folder / "val").mkdir()
    _jsonl(folder / "val" / "turns.jsonl", other)
    _jsonl(folder / "val" / "candidates.jsonl", [])
    (folder / "val" / "corpus.txt").write_text(f"{ELSEWHERE}\n", "utf-8")
    header = {
        "schema": 1,
        "name": "small",
        "version": "1",
        "labels": "hidden",
        "sources": [{"file": "x", "sha256": hashlib.sha256(b"").hexdigest(), "importer": "t"}],
        "type_names": {},
        "splits": {"test": {"turns": len(TURNS)}, "val": {"turns": len(other)}},
        "fingerprint": fingerprint(folder),
        "gold_sha256": {},
    }
    (folder / "benchmark.json").write_bytes(encoded(header))
    return folder


def write_submission(folder: Path, card: str = CARD, lines: list[bytes] | None = None) -> Path:
    """A valid submission, but for what is given."""
    folder.mkdir(parents=True)
    (folder / "card.toml").write_text(card, "utf-8")
    given = list(map(encoded, LINES)) if lines is None else lines
    (folder / "predictions.jsonl").write_bytes(b"".join(line + b"\n" for line in given))
    return folder


def _jsonl(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_bytes(b"".join(encoded(row) + b"\n" for row in rows))
