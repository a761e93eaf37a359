"""The small InterLLaVA over features, ready to answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import torch

from baselines.base import Provenance, View
from baselines.encoders.weights_report import check_names
from baselines.features.feature_sets import FeatureSet
from baselines.interllava.listwise.listwise_data import choice_example, moment_example
from baselines.interllava.listwise.listwise_examples import (
    ListwiseCollator,
    ListwiseExample,
    chat_example,
)
from baselines.interllava.listwise.listwise_network import ListwiseNetwork
from baselines.interllava.model import with_lora
from baselines.interllava.prompts import PROMPTS_SHA256
from baselines.interllava.queries import TurnQuery
from baselines.interllava.settings import PLACES, InterLLaVASettings
from baselines.interllava.tokenizer import small_tokenizer
from baselines.interllava.training import single_reply
from baselines.localisation.moment_inputs import (
    InputFacts,
    QueryTokens,
    check_text,
    open_same_features,
    text_reader,
)
from baselines.ranking import Corpus
from baselines.training.checkpoints import Checkpoint
from baselines.vlm.parsing import NO_VIDEO
from harness.chat.messages import Reply


class ListwiseSystem:
    """A trained folder and the features of the corpus' videos; replies one by one."""

    def __init__(self, settings: InterLLaVASettings, stored: Checkpoint, view: View) -> None:
        """Make a stored folder ready; settings: those of the training, overridden by given ones.

        Raises WrongUsageError if features or text encoder are not those of the training,
        EnvironmentFailure if the folder's weights do not fit, MissingInputError if no video of the
        corpus has features.
        """
        facts = msgspec.convert(stored.facts["inputs"], InputFacts)
        text = text_reader(settings, facts.pieces, view)
        check_text(settings, facts, text)
        features = open_same_features(settings, facts, view.corpus, view)
        Corpus(view).readable(features)
        if settings.control == "videos_permuted":
            features = features.permuted(view.seed)
        if settings.control == "frames_shuffled":
            features = features.shuffled(view.seed)
        self._features, self._tokenizer = features, small_tokenizer(stored.facts["vocabulary"])
        self._network = ListwiseNetwork(facts.inputs, self._tokenizer, ranks=settings.ranks)
        self._network.net.language = with_lora(self._network.net.language, ())
        check_names(settings.checkpoint, self._network.state_dict(), stored.weights,
                    next_step="train again")  # fmt: skip
        self._network.load_state_dict(stored.weights)
        self._network.eval()
        tokens = self._network.candidate_tokens
        self._collate = ListwiseCollator(self._tokenizer, cache(text.encode), tokens)
        self.provenance = _provenance(stored, facts, text, features)

    def reply(self, questions: Sequence[TurnQuery]) -> list[Reply]:
        """A reply to each question; it depends on that question alone."""
        return [self._reply(question) for question in questions]

    @torch.inference_mode()
    def _reply(self, question: TurnQuery) -> Reply:
        example = self._example(question)
        if example is None:
            return Reply(why=NO_VIDEO)
        return single_reply(self._network, self._tokenizer, self._collate([example]))

    def _example(self, question: TurnQuery) -> ListwiseExample | None:
        """The question with the videos that have features; None if it needs one and has none."""
        query, video_id = question.query, question.video_id or ""
        if question.task == "chat":
            return chat_example(query, None)
        if question.task == "video":
            return choice_example(query, self._features, self._features)
        if video_id not in self._features:
            return None
        listed = video_id in query.candidates
        number = query.candidates.index(video_id) + 1 if listed else 1
        return moment_example(query, self._features, video_id, number)


def _provenance(
    stored: Checkpoint, facts: InputFacts, text: QueryTokens, features: FeatureSet
) -> Provenance:
    details: dict[str, Any] = features.details
    settings = {name: of for name, of in stored.settings.items() if name not in PLACES}
    return Provenance(
        parameters=sum(weight.numel() for weight in stored.weights.values()) + text.parameters,
        training_data=(
            stored.facts["benchmark"],
            *(f"features {folder['name']}" for folder in details["folders"]),
            *((f"text encoder {facts.text}",) if facts.text else ()),
        ),
        annotations="gold spans",
        details={
            "checkpoint": stored.sha256,
            "features": details,
            "prompts_sha256": PROMPTS_SHA256,
            "trained": {"settings": settings, "seed": stored.facts["seed"]},
            **({"text": facts.text} if facts.text else {}),
        },
    )
