"""Eight dialogues of a video turn among three candidates and a moment turn, with random frames."""

from dataclasses import dataclass

import numpy as np
import torch

from baselines.base import Query
from baselines.event_models.matching import ROLES
from baselines.interllava import prompts, tokenizer
from baselines.interllava.tiny.tiny_model import FACTS, FRAMES, TOKEN_CONFIG, VisualInputs
from baselines.interllava.training import TurnBatch
from baselines.interllava.video_marks import candidate_marks, step_marks
from baselines.localisation.events.step_features import KNOWN
from baselines.localisation.heads import STEPS

VALUES = 4  # of all attributes
LENGTH = 12_000  # ms of every video
TEXTS = [f"{shape} {letter}" for shape in ("ball", "star", "cross", "heart") for letter in "ab"]
NUMBERS = [at % 3 + 1 for at in range(8)]
SPANS = [(at, at + 3 + at % 2) for at in range(8)]  # seconds


@dataclass
class Dialogues:
    """Batches to train on, the same turns without answers, and their gold numbers or spans."""

    tokenizer: tokenizer.Tokenizer
    videos: TurnBatch
    moments: TurnBatch
    questions: list[TurnBatch]
    gold: list[list]


def eight():
    answers = ["It is video 2.", "It is at 1.0s-2.0s."]
    small = tokenizer.small_tokenizer(
        tokenizer.build_vocabulary([*TEXTS, *answers, prompts.TEMPLATES] * 2, LENGTH)
    )
    rng = torch.Generator().manual_seed(0)

    def times(frames):
        return [tokenizer.time_word((2 * at + 1) * LENGTH // (2 * frames)) for at in range(frames)]

    def visual(videos, frames, agreements, facts, marks):
        text = [small.encode(prompts.FRAME_TIME.format(time=at)).ids for at in times(frames)]
        ids = torch.tensor([text] * videos)
        parts = [torch.randn(videos, frames, n, generator=rng) for n in (VALUES, agreements, facts)]
        return VisualInputs(*parts, ids, torch.ones_like(ids), [videos // 8] * 8, marks)

    def batch(task, prompt, video_words, seen, answers):
        rows = [
            prompts.encode_row(small, prompt(Query("d", 1, "en", task, text)), video_words, answer)
            for text, answer in zip(TEXTS, answers, strict=True)
        ]
        tokens = prompts.pad_rows(rows, small.end)
        return TurnBatch(task, tokens, seen, [row.answer for row in rows])

    candidates = visual(
        24,
        FRAMES,
        ROLES,
        FACTS,
        candidate_marks([(n, 3) for n in NUMBERS], TOKEN_CONFIG.token_count(FRAMES)),
    )
    golds = [np.array(span, np.float32) * 1000 / LENGTH for span in SPANS]
    steps = visual(8, STEPS, 64, KNOWN + 1, step_marks(golds))
    tokens = TOKEN_CONFIG.token_count(FRAMES)
    video = ("video", lambda query: prompts.choice_prompt(query, (1, 2, 3)),
             [[small.token_id(str(n))] * tokens for n in (1, 2, 3)], candidates)  # fmt: skip
    moment = ("moment", lambda query: prompts.grounding_prompt(query, 1),
              [[small.token_id(word) for word in times(STEPS)]], steps)  # fmt: skip
    return Dialogues(
        small,
        batch(*video, [prompts.rewrite_answer(answers[0], n) for n in NUMBERS]),
        batch(*moment, [prompts.rewrite_answer(answers[1], span=span) for span in SPANS]),
        [batch(*video, [None] * 8), batch(*moment, [None] * 8)],
        [NUMBERS, [(1000 * start, 1000 * end) for start, end in SPANS]],
    )
