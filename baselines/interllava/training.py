"""Training InterLLaVA with its three losses, and answering with it: the same small and whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import pytorch_lightning as pl
from torch import Tensor

from baselines.interllava import losses
from baselines.interllava.losses import Spelling, Spelt
from baselines.interllava.model import InterLLaVA, Rows
from baselines.interllava.tokenizer import Words
from baselines.training.fit import one_cycle
from harness.records import Task
from harness.replies import candidate_number, span

Form = Literal["spelt", "argmax", "words"]
CANDIDATES = 10
LONGEST = 48  # tokens of a reply
FIGURES = {"video": "C-R@1", "moment": "R@1,IoU>=0.5", "chat": "answered"}


class Batch(NamedTuple):
    """Turns of one kind as a network reads them; sight: what its frame encoder begins with."""

    kind: Task
    rows: Rows
    sight: Any
    spelt: list[Spelt]


class Network(Protocol):
    """A network with its frame encoder."""

    @property
    def net(self) -> InterLLaVA:
        """All behind the frame encoder."""

    def looked(self, batch: Batch) -> Tensor | None:
        """The tokens of a batch's videos: (tokens, width); None of no video."""


class LossConfig(NamedTuple):
    """How it is trained: in which form the further losses are, their weight, rate and decay."""

    form: Form
    weight: float
    rate: float
    decay: float


class Teaching(pl.LightningModule):
    """Trains a network; answers the validation turns."""

    def __init__(
        self, network: Any, words: Words, config: LossConfig,
        later: Sequence[Callable[[], Batch]] = (), gold: Sequence[Sequence[Any]] = (),
    ) -> None:  # fmt: skip
        """later: prompts of validation turns; gold: for each its number, or its span in ms."""
        super().__init__()
        self.network, self._words, self._config = network, words, config
        self.later, self._gold = later, gold
        self._spelling: Spelling = words.spelling(CANDIDATES)
        self._right: dict[Task, list[bool]] = {}
        self.figures: dict[str, float] = {}

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The loss of words, and the weighted further losses in their chosen form."""
        logits = self.network.net(batch.rows, self.network.looked(batch))
        loss = losses.of_words(logits, batch.rows.labels)
        # Which number a moment's video has was told: nothing is to be found out there.
        numberless = batch.kind == "moment"
        spelt = [each._replace(number=None) if numberless else each for each in batch.spelt]
        if self._config.form == "spelt":
            loss = loss + self._config.weight * losses.spelt(logits, spelt, self._spelling)
        elif self._config.form == "argmax":
            texts = [self._likeliest(*each) for each in zip(logits, batch.rows.labels, strict=True)]
            loss = loss + self._config.weight * losses.argmax(texts, spelt, CANDIDATES)
        return loss

    def _likeliest(self, logits: Tensor, labels: Tensor) -> str:
        """The likeliest token at each place of an answer, as a text."""
        told = logits[:-1].argmax(-1)[labels[1:] != losses.IGNORED]
        return self._words.text(told.tolist())

    def validation_step(self, which: Tensor, _: int) -> None:
        """Answer some validation batches."""
        for at in which.tolist():
            batch = self.transfer_batch_to_device(self.later[at](), self.device, 0)
            said = replies(self.network, self._words, batch)
            for text, gold in zip(said, self._gold[at], strict=True):
                self._right.setdefault(batch.kind, []).append(right(batch.kind, text, gold))

    def on_validation_epoch_end(self) -> None:
        """Log the shares of right answers."""
        self.figures = {
            FIGURES[kind]: round(sum(right) / len(right), 4) for kind, right in self._right.items()
        }
        self.log_dict(self.figures)
        self._right = {}

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Gradients of length 1 at most."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate."""
        return one_cycle(self, self._config.rate, self._config.decay)


def replies(network: Network, words: Words, batch: Batch) -> list[str]:
    """What a network says to a batch of prompts."""
    told = network.net.replies(batch.rows, network.looked(batch), LONGEST, words.end)
    return [words.text(ids) for ids in told.tolist()]


def right(kind: Task, text: str, gold: Any) -> bool:
    """Whether a reply names the gold number, or a span with an IoU of 0.5 or more (ms)."""
    if kind == "video":
        return bool(candidate_number(text, CANDIDATES).value == gold)
    read = span(text).value
    if read is None:
        return False
    common = min(read.end, gold[1]) - max(read.start, gold[0])
    return bool(2 * common >= max(read.end, gold[1]) - min(read.start, gold[0]))
