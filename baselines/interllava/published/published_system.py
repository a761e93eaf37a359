"""Published InterLLaVA ready to answer: published files, with trained weights or as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric.utilities import move_data_to_device

from baselines.base import Provenance, View
from baselines.encoders.weights_report import check_names
from baselines.interllava import prompts
from baselines.interllava.published.published_data import FrameLoader, load_turn, make_batch
from baselines.interllava.published.published_files import PublishedModel
from baselines.interllava.published.published_network import PublishedNetwork
from baselines.interllava.published.published_training import load_model, trained_weights
from baselines.interllava.queries import TurnQuery
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.training import TurnBatch, single_reply
from baselines.training import checkpoints
from baselines.training.checkpoints import Checkpoint
from baselines.video.sampling import library
from baselines.vlm.parsing import NO_VIDEO
from harness.chat.messages import Reply
from harness.errors import WrongUsageError


class PublishedSystem:
    """Published files, with trained weights if a checkpoint is named; replies one by one."""

    def __init__(self, settings: InterLLaVASettings, view: View) -> None:
        """Load all weights.

        Raises WrongUsageError if no folder of files is named or the checkpoint belongs to other
        files, EnvironmentFailure if a file is absent or damaged.
        """
        self._model, sha256 = load_model(settings)
        trained = _load_checkpoint(settings, self._model, sha256) if settings.checkpoint else None
        self._network = PublishedNetwork(self._model).eval()
        self._network.to("cuda" if torch.cuda.is_available() else "cpu")
        self._loader = FrameLoader(view, self._model, settings)
        if settings.control == "videos_permuted":
            order = np.random.default_rng(view.seed).permutation(len(view.corpus))
            others = [view.corpus[at] for at in order]
            self._loader.replacements = dict(zip(view.corpus, others, strict=True))
        self.provenance = self._provenance(settings, sha256, trained)

    def _provenance(
        self, settings: InterLLaVASettings, sha256: str, trained: Checkpoint | None
    ) -> Provenance:
        details: dict[str, Any] = {"files": sha256, "decoder": library()}
        data = ["pre-training of the published files"]
        if trained is not None:
            details |= {"checkpoint": trained.sha256, "seed": trained.facts["seed"]}
            data.append(trained.facts["benchmark"])
        return Provenance(
            parameters=sum(weight.numel() for weight in self._network.parameters()),
            frames_per_video=(
                f"{settings.frames} of a candidate, {settings.moment_frames} for moments"
            ),
            training_data=tuple(data),
            annotations="gold spans" if trained is not None else None,
            details=details | {"prompts_sha256": prompts.PROMPTS_SHA256},
        )

    def reply(self, questions: Sequence[TurnQuery]) -> list[Reply]:
        """A reply to each question; it depends on that question alone."""
        return [self._reply(question) for question in questions]

    @torch.inference_mode()
    def _reply(self, question: TurnQuery) -> Reply:
        turn = load_turn(question.as_query(), self._loader, None, question.video_id)
        if turn is None:
            return Reply(why=NO_VIDEO)
        batch: TurnBatch = move_data_to_device(
            make_batch(self._model, [turn]), next(self._network.parameters()).device
        )
        return single_reply(self._network, self._model.tokenizer, batch)


def _load_checkpoint(
    settings: InterLLaVASettings, model: PublishedModel, sha256: str
) -> Checkpoint:
    """Load the trained weights into the model."""
    trained = checkpoints.load(Path(settings.checkpoint), baseline="interllava")
    if trained.facts.get("config") != "full" or trained.facts["files"] != sha256:
        raise WrongUsageError(
            f"{settings.checkpoint}: was not trained from these published files; name the "
            "folder that it was trained from"
        )
    check_names(
        settings.checkpoint, trained_weights(model), trained.weights, next_step="train again"
    )
    model.net.load_state_dict(trained.weights, strict=False)
    return trained
