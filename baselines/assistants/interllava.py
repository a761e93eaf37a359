"""InterLLaVA, the paper's own system: small, over features of any encoder, or from published files.

A Q-Former reads each frame with a text that says when it was sampled. A second one reads windows of
frames. A linear layer projects its output to video tokens, which stand among the words of a causal
language model with LoRA adapters (baselines/interllava/model.py). A video turn shows its
candidates, a moment turn its video. The reply names "video 3" or "5.0s-10.0s" and is parsed as
`endpoint`'s replies are.

The losses are those of the paper. The losses of number and span have a gradient (`losses=spelt`),
or none, as published (`argmax`), or are left out (`words`). `config=tiny` is trained from scratch.
With `reader=frames` its frames are features of any encoder, a reader of frames and question stands
in the place of the Q-Formers, and gold videos and gold spans are all that it learns from. The
language model compares all candidates in one sequence, whose order training draws anew each time;
`ranks` tells it the first stage's order. With `reader=events` it needs annotated events, which
only IVCR-Mini has, and starts from a trained dual encoder. `ivcr compare` shows what the language
model adds to its first stage (docs/assistants.md). `config=full` needs the published files.
Reads: frames, utterances, up to two earlier turns with their answers. Ignores: texts of videos,
sound. It always names a candidate. docs/assistants.md has commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from baselines.base import About, Answer, Baseline, Provenance, Query, TrainerConfig, View
from baselines.interllava.listwise import listwise_training
from baselines.interllava.listwise.listwise_system import ListwiseSystem
from baselines.interllava.prompts import rewrite_answer
from baselines.interllava.published import published_training
from baselines.interllava.published.published_files import POSITIONS
from baselines.interllava.published.published_system import PublishedSystem
from baselines.interllava.queries import QueryBuilder, TurnQuery
from baselines.interllava.settings import InterLLaVASettings, check_reader, merge_settings
from baselines.interllava.tiny import tiny_training
from baselines.interllava.tiny.tiny_system import TinySystem
from baselines.training import checkpoints
from baselines.training.checkpoints import checkpoint_folder
from baselines.vlm.assistant import Assistant
from harness.chat.messages import Reply
from harness.errors import WrongUsageError
from harness.records import Moment

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "checkpoint", "train_labels"),
    train_note="config=tiny needs features that `ivcr features build` or `import` makes and no "
    "checkpoint; with reader=events a dual encoder and annotated events, as IVCR-Mini alone has",
    explains=True,
    candidates="used",
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2512.01312",
    example=("config=tiny", "features=FEATURES"),
    train_example=("config=tiny", "features=FEATURES"),
)


class _System(Protocol):
    """One configuration, ready to answer."""

    provenance: Provenance

    def reply(self, questions: Sequence[TurnQuery]) -> list[Reply]: ...


class InterLLaVABaseline(Baseline):
    """Chooses a candidate, grounds a moment and chats by the network's replies."""

    settings_type = InterLLaVASettings
    _settings: InterLLaVASettings

    def __init__(self, settings: InterLLaVASettings) -> None:
        """Keep the settings. Raises WrongUsageError if a number is out of range."""
        if not settings.weight >= 0:
            raise WrongUsageError(
                f"interllava: --set weight: expected 0 or more, got {settings.weight:g}"
            )
        counts = {"frames": settings.frames, "moment_frames": settings.moment_frames}
        for name, count in counts.items():
            if not 1 <= count <= POSITIONS:
                raise WrongUsageError(
                    f"interllava: --set {name}: expected 1 to {POSITIONS}, got {count}"
                )
        if settings.config == "full" and settings.control == "frames_shuffled":
            raise WrongUsageError("interllava: control=frames_shuffled is one of config=tiny")
        self._settings = settings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train, and write the checkpoint folder."""
        settings = self._settings
        if settings.config == "full":
            published_training.train(settings, view, config)
            return
        check_reader(settings)
        if settings.reader == "events":
            tiny_training.train(settings, view, config, _start(settings))
        else:
            listwise_training.train(settings, view, config)

    def prepare(self, view: View) -> None:
        """Load the weights; raises what the configuration raises."""
        self._system: _System = self._load(view)
        self._assistant = Assistant(self._system.reply, QueryBuilder(), view.videos)

    def _load(self, view: View) -> _System:
        """The configuration; a small one has the reader that its folder was trained with."""
        if self._settings.config == "full":
            return PublishedSystem(self._settings, view)
        folder = checkpoint_folder(self._settings.checkpoint, "interllava")
        stored = checkpoints.load(folder, baseline="interllava")
        chosen = merge_settings(self._settings, self.given, stored.settings)
        if chosen.reader == "events":
            return TinySystem(self._settings, view)
        return ListwiseSystem(chosen, stored, view)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query; it depends on that query alone."""
        return self._assistant.answer(queries)

    def explain(self, moments: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """Its own answer to the moment turn, with the times of the moment found elsewhere."""
        return [
            replace(answer, response=rewrite_answer(answer.response or "", span=_seconds(moment)))
            for answer, (_, moment) in zip(self._assistant.explain(moments), moments, strict=True)
        ]

    def provenance(self) -> Provenance:
        """The trained folder by its hash, how it was trained, the frames by their hashes."""
        return self._system.provenance


def _seconds(moment: Moment) -> tuple[float, float]:
    return moment.start / 1000, moment.end / 1000


def _start(settings: InterLLaVASettings) -> Path:
    if not settings.start:
        raise WrongUsageError(
            "interllava: reader=events starts from a dual encoder: train one with `ivcr baseline "
            "train dual_encoder --benchmark B --out FOLDER`, then give --set start=FOLDER"
        )
    return Path(settings.start)
