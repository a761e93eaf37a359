"""What a small InterLLaVA learns to say: the reference answers of the train split."""

from __future__ import annotations

from collections.abc import Sequence

from baselines.base import LabelledSplit, Query, View
from baselines.interllava import prompts
from baselines.interllava.tokenizer import MIN_COUNT, build_vocabulary
from harness.records import Language, Task

TargetAnswers = dict[tuple[Language, Task], list[str]]


def split_vocabulary(training: LabelledSplit, view: View) -> list[str]:
    """The tokens of the train split's texts and of the prompts."""
    utterances = (turn.utterance for turn in training.turns)
    answers = (gold.answer for gold in training.gold)
    longest = max(video.duration or 0 for video in view.videos.values())
    return build_vocabulary([*utterances, *answers, *[prompts.TEMPLATES] * MIN_COUNT], longest)


def chat_turns(queries: Sequence[Query], training: LabelledSplit) -> list[tuple[Query, str]]:
    """The chat turns that have an answer; queries: all turns of the split, in order."""
    return [
        (query, gold.answer)
        for query, gold in zip(queries, training.gold, strict=True)
        if query.task == "chat" and gold.answer
    ]


def target_answers(training: LabelledSplit) -> TargetAnswers:
    """Reference answers that name a number or a span, by language and task, in order."""
    answers: dict[tuple[Language, Task], set[str]] = {}
    for turn, gold in zip(training.turns, training.gold, strict=True):
        if prompts.names_target(turn.task, gold.answer):
            answers.setdefault((turn.language, turn.task), set()).add(gold.answer)
    return {key: sorted(each) for key, each in answers.items()}


def target_answer(answers: TargetAnswers, language: Language, task: Task, at: int) -> str:
    """One of the answers of a language and task, by a number of any size; if none, the default."""
    key = (language, task)
    known = answers.get(key) or [prompts.DEFAULT_ANSWERS[key]]
    return known[at % len(known)]
