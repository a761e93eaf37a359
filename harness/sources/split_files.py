"""The files of one split, written turn by turn during an import."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from harness.benchmark import CandidatesLine, GoldLine
from harness.files import canonical
from harness.records import Reference, Turn
from harness.replies import ReferenceReadings
from harness.sources.oddities import Oddities
from harness.sources.official_dialogue import ParsedDialogue, ParsedTurn


class SplitFiles:
    """turns, candidates, gold and, where labels are public, reference of one split."""

    def __init__(self, folder: Path, name: str, hidden: bool, closing: ExitStack) -> None:
        """Open the files; `closing` closes them in every case."""
        self.folder = folder / name
        self.folder.mkdir()

        def open_file(file: str) -> IO[bytes]:
            return closing.enter_context((self.folder / file).open("wb"))

        self.turns = open_file("turns.jsonl")
        self.candidates = open_file("candidates.jsonl")
        self.gold = open_file("gold.jsonl")
        self.reference = None if hidden else open_file("reference.jsonl")
        self.gold_sha256 = hashlib.sha256()
        self.video_ids: set[str] = set()
        self.digests: set[int] = set()
        self.counts: Counter[str] = Counter()

    def write(
        self, dialogue_id: str, dialogue: ParsedDialogue, odd: Oddities, readings: ReferenceReadings
    ) -> None:
        """Append one dialogue to all files."""
        self.counts["dialogues"] += 1
        for number, turn in enumerate(dialogue.turns, start=1):
            place = f"{dialogue_id}/{number}"
            if self._repeated(turn.utterance):
                odd.add("repeated-utterance", place, turn.language)
            if turn.task != "chat":
                readings.add(turn.language, turn.task, turn.answer, _position(turn), turn.moment)
            self._write_turn(dialogue_id, number, dialogue.type, turn)

    def _repeated(self, utterance: str) -> bool:
        # 64 bits of a digest for a text: some 40 bytes a turn, whatever the texts' length.
        digest = hashlib.blake2b(utterance.encode(), digest_size=8).digest()
        mark = int.from_bytes(digest, "big")
        if mark in self.digests:
            return True
        self.digests.add(mark)
        return False

    def _write_turn(self, dialogue_id: str, number: int, code: int, turn: ParsedTurn) -> None:
        self.counts["turns"] += 1
        self.counts[turn.task] += 1
        line = Turn(dialogue_id, number, code, turn.language, turn.task, turn.utterance)
        self.turns.write(canonical(line) + b"\n")
        if turn.candidates:
            lists = CandidatesLine(dialogue_id, number, turn.candidates)
            self.candidates.write(canonical(lists) + b"\n")
            self.video_ids.update(turn.candidates)
        if turn.video_id is not None:
            self.video_ids.add(turn.video_id)
        if self.reference is not None:
            shown = Reference(dialogue_id, number, turn.answer, turn.video_id)
            self.reference.write(canonical(shown) + b"\n")
        gold = GoldLine(
            dialogue_id,
            number,
            turn.video_id,
            turn.moment,
            turn.answer,
            turn.text_id,
            turn.tags,
            turn.foil,
        )
        data = canonical(gold) + b"\n"
        self.gold_sha256.update(data)
        self.gold.write(data)

    def write_corpus(self, everything: list[str] | None) -> None:
        """Write corpus.txt: `everything`, or the videos of the split's dialogues, by id."""
        corpus = sorted(self.video_ids) if everything is None else everything
        (self.folder / "corpus.txt").write_text("".join(f"{name}\n" for name in corpus), "utf-8")
        self.counts["corpus"] = len(corpus)

    def close(self) -> tuple[dict[str, int], str]:
        """Close all files; the counts, and the SHA-256 of the gold."""
        for stream in (self.turns, self.candidates, self.gold, self.reference):
            if stream is not None:
                stream.close()
        names = ("dialogues", "turns", "video", "moment", "chat", "corpus")
        return {name: self.counts[name] for name in names}, self.gold_sha256.hexdigest()


def _position(turn: ParsedTurn) -> int | None:
    """The gold video's place among the candidates, from 1; None where it is not one of them."""
    if turn.video_id not in turn.candidates:
        return None
    return turn.candidates.index(turn.video_id) + 1
