"""What a head needs of its encoders, whichever they are: to be trained, and to answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from baselines.base import Provenance
from baselines.ranking import Embed
from baselines.retrieval_training.contrastive import TextVideoPair
from baselines.retrieval_training.encoder_pairs import EncoderPair, FrameBatch


class TrainingData(NamedTuple):
    """The encoders for training, of a `width`, and the pairs of both splits.

    facts: what the trained folder tells of the encoders. scale: initial factor of the cosines.
    save: writes what was trained beside the head into the trained folder, if it is a checkpoint.
    """

    width: int
    encoders: EncoderPair
    train: list[TextVideoPair]
    val: list[TextVideoPair]
    facts: dict[str, Any]
    scale: float
    save: Callable[[Path], None] | None


class LoadedHead(NamedTuple):
    """A trained folder, ready to answer.

    head: weights by name. width: of texts and frames. embed: a text to its vector, (width,).
    frames: ids to their frames. device: where the head computes. readable: ids of the corpus'
    videos that can be read, in order.
    """

    settings: Any
    head: dict[str, Tensor]
    width: int
    embed: Embed
    frames: Callable[[Sequence[str]], FrameBatch]
    device: torch.device
    readable: list[str]
    provenance: Provenance
