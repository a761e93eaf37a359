"""InterLLaVA, the paper's own system: frames become tokens among a language model's words.

A Q-Former reads each frame with a text that says when it was sampled, a sliding one reads windows
of frames, a linear layer brings both among the words of a causal language model with LoRA adapters
(baselines/interllava/model.py). A video turn is shown its candidates, a moment turn its video; the
reply names "video 3" or "5.0s-10.0s" and is read as `endpoint`'s are. Its losses are those of the
paper, the ones of number and span with a gradient (`losses=spelt`), as published without one
(`argmax`), or left out (`words`). `config=tiny` is trained from scratch on IVCR-Mini, beginning
with a trained dual encoder, whose comparison of question and candidates its tokens tell: what the
language model adds to that is shown by `ivcr compare`. `config=full` takes the published files.
Reads: frames, utterances, up to two earlier turns with their answers. Ignores: texts of videos,
sound. It names a candidate in any case. docs/assistants.md has commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from baselines.base import About, Answer, Baseline, Provenance, Query, TrainerConfig, View
from baselines.interllava import prompts
from baselines.interllava.published import published_system
from baselines.interllava.published.published_files import POSITIONS
from baselines.interllava.queries import Asks, Question
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.tiny import tiny_system
from baselines.vlm.assistant import Assistant
from harness.chat.messages import Reply
from harness.errors import WrongUsageError
from harness.records import Moment

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "checkpoint", "train_labels"),
    explains=True,
    candidates="used",
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2512.01312",
)


class _System(Protocol):
    """What is asked."""

    provenance: Provenance

    def ask(self, questions: Sequence[Question]) -> list[Reply]: ...


class InterLLaVABaseline(Baseline):
    """Chooses, grounds and answers by what the network says."""

    settings_type = InterLLaVASettings
    _settings: InterLLaVASettings

    def __init__(self, settings: InterLLaVASettings) -> None:
        """Keep the settings. Raises WrongUsageError if a number is out of range."""
        if not settings.weight >= 0:
            raise WrongUsageError("interllava: --set weight: expected 0 or more")
        for name in ("frames", "moment_frames"):
            if not 1 <= getattr(settings, name) <= POSITIONS:
                raise WrongUsageError(f"interllava: --set {name}: expected 1 to {POSITIONS}")
        self._settings = settings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train, and write the checkpoint folder."""
        chosen = self._settings
        if chosen.config == "full":
            published_system.learnt(chosen, view, config)
        else:
            tiny_system.learnt(chosen, view, config, _start(chosen))

    def prepare(self, view: View) -> None:
        """Load the weights and watch the corpus' videos; raises what the configuration raises."""
        chosen = self._settings
        self._system: _System = (
            published_system.FullSystem(chosen, view)
            if chosen.config == "full"
            else tiny_system.TinySystem(chosen, view)
        )
        self._assistant = Assistant(self._system.ask, Asks(), view.videos)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query; it depends on that query alone."""
        return self._assistant.answer(queries)

    def explain(self, told: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """Its own words of a moment that another has found, whose times stand in them."""
        return [
            replace(said, response=prompts.retold(said.response or "", span=_seconds(moment)))
            for said, (_, moment) in zip(self._assistant.explain(told), told, strict=True)
        ]

    def provenance(self) -> Provenance:
        """The trained folder by its hash, how it was trained, the frames by their hashes."""
        return self._system.provenance


def _seconds(moment: Moment) -> tuple[float, float]:
    return moment.start / 1000, moment.end / 1000


def _start(chosen: InterLLaVASettings) -> Path:
    if not chosen.start:
        raise WrongUsageError(
            "interllava: config=tiny begins with a dual encoder: train one with `ivcr baseline "
            "train dual_encoder --benchmark B --out FOLDER`, then give --set start=FOLDER"
        )
    return Path(chosen.start)
