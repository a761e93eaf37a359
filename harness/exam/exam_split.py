"""A split as an exam shows it: the lines of open turns, and what reference history may show.

Public files are read at the start. Gold is opened at the first exam with reference history, and of
it only reference answers and gold videos of turns that are answered leave this module.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import msgspec

from harness.benchmark import Benchmark
from harness.exam.refusals import InvalidAnswerError
from harness.records import CandidateUse, History, Prediction, Reference, Turn, TurnKey
from harness.submission import ANSWERED_BY
from harness.validation import check_line, read_public


class ExamSplit:
    """One split of the full benchmark, on the server."""

    def __init__(self, benchmark: Benchmark, split: str) -> None:
        """Read the public half. Raises EnvironmentFailure if it is not as it was written."""
        self.name, self.fingerprint = split, benchmark.header.fingerprint
        self._benchmark = benchmark
        public = benchmark.split(split)
        self._turns = public.dialogues()
        self._candidates = public.candidates
        self._public = read_public(benchmark, split)
        self._reference: dict[TurnKey, Reference] | None = None
        self._opening = threading.Lock()

    @property
    def dialogues(self) -> list[tuple[str, int]]:
        """Ids and numbers of turns, in the order of the file."""
        return [(name, len(turns)) for name, turns in self._turns.items()]

    @property
    def begins_with_gold(self) -> bool:
        """Whether reference history shows gold before any answer: a first moment turn's video."""
        return any(turns[0].task == "moment" for turns in self._turns.values())

    def turn_line(
        self, dialogue_id: str, turn: int, history: History, candidates: CandidateUse
    ) -> dict[str, Any]:
        """What an exam shows of an open turn, with the earlier turns under reference history."""
        turns = self._turns[dialogue_id]
        shown = turns[turn - 1]
        line: dict[str, Any] = {name: getattr(shown, name) for name in shown.__struct_fields__}
        if candidates == "used":
            line["candidates"] = self._candidates.get(shown.key, ())
        if history == "reference":
            if shown.task == "moment":
                line["video_id"] = self._referenced(shown.key).video_id
            line["history"] = list(self._earlier(turns[: turn - 1], candidates))
        return line

    def read_answer(self, dialogue_id: str, turn: int, body: bytes) -> Prediction:
        """The answer in a request's body: a line of predictions without its two ids.

        Raises InvalidAnswerError with the problems of validation, or if the answer does not say
        what its turn's task asks for: an abstention has to be said.
        """
        names = b'{"dialogue_id":%b,"turn":%d' % (msgspec.json.encode(dialogue_id), turn)
        inner = body.strip()
        if not (inner.startswith(b"{") and inner.endswith(b"}")):
            raise InvalidAnswerError(
                'expected a JSON object, such as {"videos":[]}', [_problem("S110", "no object")]
            )
        rest = inner[1:-1].strip()
        checked = check_line(names + (b"," + rest if rest else b"") + b"}", self._public)
        if checked.as_given is not None and checked.as_given.key != (dialogue_id, turn):
            raise InvalidAnswerError(
                "the ids stand in the address alone", [_problem("S112", "ids")]
            )
        if checked.as_given is None:
            problems = [_problem(each.code, each.text) for each in checked.errors]
            raise InvalidAnswerError(f"{problems[0]['text']} [{problems[0]['code']}]", problems)
        task = self._turns[dialogue_id][turn - 1].task
        fields = ANSWERED_BY[task]
        if all(getattr(checked.as_given, field) is None for field in fields):
            named = " or ".join(fields)
            text = f"a {task} turn: expected {named}, found none of it; an empty one abstains"
            raise InvalidAnswerError(text, [_problem("exam", text)])
        return checked.as_given

    def _earlier(
        self, turns: tuple[Turn, ...], candidates: CandidateUse
    ) -> Iterator[dict[str, Any]]:
        for turn in turns:
            reference = self._referenced(turn.key)
            line: dict[str, Any] = {
                "turn": turn.turn,
                "task": turn.task,
                "utterance": turn.utterance,
                "answer": reference.answer,
                "video_id": reference.video_id,
            }
            if candidates == "used":
                line["candidates"] = self._candidates.get(turn.key, ())
            yield line

    def _referenced(self, key: TurnKey) -> Reference:
        with self._opening:
            if self._reference is None:
                self._reference = {
                    gold.key: Reference(gold.dialogue_id, gold.turn, gold.answer, gold.video_id)
                    for gold in self._benchmark.gold(self.name)
                }
        return self._reference[key]


def _problem(code: str, text: str) -> dict[str, str]:
    return {"code": code, "text": text}
