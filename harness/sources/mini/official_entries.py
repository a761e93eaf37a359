"""IVCR-Mini's dialogues in the official JSON format: candidates, reference answers, entries."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.records import CANDIDATES
from harness.sources.mini.dialogues import PHRASINGS, Dialogue, DraftTurn
from harness.sources.mini.world import Script

FirstStage = Callable[[Sequence[Mapping[str, str]], Sequence[str], int], list[list[int]]]
"""Text fields of the corpus, queries, k -> the k best corpus positions a query, best first."""

# Share of Chinese answers that name their number as "在video 4中", which the official rule
# cannot read (\b does not separate a digit from an ideograph): the real data has this problem.
GLUED = 0.08


def entries(
    dialogues: Sequence[Dialogue],
    split: str,
    corpus: Sequence[Script],
    texts: Sequence[Mapping[str, str]],
    first_stage: FirstStage,
    seed: int,
) -> list[dict[str, Any]]:
    """The dialogues of one split as official samples.

    `corpus` holds the split's scripts in the order of the META file, `texts` their text fields.
    Raises ValueError if the first stage does not return ten different positions a query.
    """
    turns = [turn for dialogue in dialogues for turn in dialogue.turns]
    queries = [turn.utterance for turn in turns if _searched(turn)]
    candidate_lists = iter(first_stage(texts, queries, CANDIDATES))
    names = [script.video_id for script in corpus]
    samples = []
    for index, dialogue in enumerate(dialogues):
        rng = random.Random(f"ivcr-mini:{seed}:{split}:{index}:answers")
        conversation: list[dict[str, Any]] = []
        candidates: list[str] = []
        for turn in dialogue.turns:
            if _searched(turn):
                candidates = _candidates(turn, next(candidate_lists), names)
            conversation.append(
                {"from": "human", "value": turn.utterance, "text_id": f"mini: {turn.meaning}"}
            )
            conversation.append(_reply(rng, turn, candidates))
        samples.append({"split": split, "type": [dialogue.kind], "conversations": conversation})
    return samples


def _searched(turn: DraftTurn) -> bool:
    return turn.task != "chat" and not turn.keeps_candidates


def _candidates(turn: DraftTurn, positions: Sequence[int], names: Sequence[str]) -> list[str]:
    """The first stage's ten; a moment turn that opens has its gold video as candidate 1."""
    if len(set(positions)) != CANDIDATES:
        raise ValueError(
            f"first stage: expected {CANDIDATES} different positions, got {list(positions)}"
            f" for {turn.utterance!r}"
        )
    found = [names[position] for position in positions]
    if turn.task == "video":
        return found
    gold = turn.script.video_id
    return [gold, *(name for name in found if name != gold)][:CANDIDATES]


def _reply(rng: random.Random, turn: DraftTurn, candidates: Sequence[str]) -> dict[str, Any]:
    gold = turn.script.video_id
    if turn.task == "chat":
        return {"from": "gpt", "value": turn.answer, "video_id": gold}
    span = [time / 100 for time in turn.event] if turn.event else [-1, -1]
    reply: dict[str, Any] = {
        "from": "gpt",
        "value": _answer(rng, turn, candidates),
        "video_id": gold,
        "candidate_videos": list(candidates),
        "gt_se": span,
    }
    if turn.tags:
        reply["tags"] = list(turn.tags)
    if "pixel" in turn.tags:
        reply["foil"] = turn.script.twin
    return reply


def _answer(rng: random.Random, turn: DraftTurn, candidates: Sequence[str]) -> str:
    """The reference answer: the gold's number from 1 if it is a candidate, and the span."""
    answers = PHRASINGS[turn.language].answers
    gold = turn.script.video_id
    facts: dict[str, object] = {}
    if turn.event:
        facts["span"] = "-".join(f"{time / 100}s" for time in turn.event)
    if gold not in candidates:
        kind = "moment_none" if turn.event else "none"
    else:
        facts["n"] = candidates.index(gold) + 1
        glued = "glued_moment" if turn.event else "glued"
        plain = "moment" if turn.event else "video"
        kind = glued if glued in answers and rng.random() < GLUED else plain
    return rng.choice(answers[kind]).format(**facts)
