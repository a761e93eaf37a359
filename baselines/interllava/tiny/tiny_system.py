"""Tiny InterLLaVA ready to answer (trainable on IVCR-Mini only: needs annotated events)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from msgspec.structs import replace

from baselines.base import Query, View
from baselines.dialogue_context import Context
from baselines.event_models.event_annotations import value_count
from baselines.event_models.matching import global_values, segment_features, tokenize_query
from baselines.event_models.query_encoder import TokenizedText, tokenize_turns
from baselines.event_models.recogniser_checkpoints import load_checkpoint
from baselines.interllava.queries import TurnQuery
from baselines.interllava.settings import InterLLaVASettings
from baselines.interllava.tiny.tiny_batches import ExampleCollator
from baselines.interllava.tiny.tiny_checkpoint import TinyNetworks
from baselines.interllava.tiny.tiny_data import moment_example
from baselines.interllava.tiny.tiny_examples import TurnExample
from baselines.interllava.tiny.tiny_frame_encoder import candidate_features
from baselines.interllava.training import single_reply
from baselines.localisation.events.step_features import video_features
from baselines.ranking import Corpus
from baselines.vlm.parsing import NO_VIDEO
from harness.chat.messages import Reply

REMARK = (
    "Its tiny configuration passes on, in words, the ranking of the dual encoder that it began "
    "with; `ivcr compare` with that one shows that it adds nothing to it."
)


class TinySystem:
    """A trained folder and the corpus' videos; replies one by one."""

    @torch.inference_mode()
    def __init__(self, settings: InterLLaVASettings, view: View) -> None:
        """Load the folder and run its recogniser on the corpus' videos.

        Raises WrongUsageError if no folder is named, EnvironmentFailure if it is absent or damaged,
        MissingInputError if no video can be read.
        """
        trained = load_checkpoint("interllava", settings, view)
        attributes, features = trained.recogniser.attributes, trained.features
        self._lexicon = trained.lexicon
        networks = TinyNetworks(self._lexicon, value_count(attributes), trained.facts["vocabulary"])
        networks.add_lora()
        networks.load_state_dict(trained.weights)
        self._networks = networks.eval()
        self._collate = ExampleCollator(networks.tokenizer, networks.frame_encoder())
        names = Corpus(view).readable(features)
        segments = {n: segment_features(features[n], features.times[n], attributes) for n in names}
        self._values = {name: global_values(each, attributes) for name, each in segments.items()}
        videos = video_features(features, features.times, attributes)
        if settings.control == "videos_permuted":
            order = np.random.default_rng(view.seed).permutation(len(names))
            others = {name: names[at] for name, at in zip(names, order, strict=True)}
            segments = {name: segments[other] for name, other in others.items()}
            videos = {name: videos[other] for name, other in others.items()}
        self._videos, self._candidates = videos, candidate_features(videos, segments, attributes)
        self._context: Context = "last" if view.history == "none" else "all"
        self.provenance = replace(trained.provenance, remark=REMARK)

    def reply(self, questions: Sequence[TurnQuery]) -> list[Reply]:
        """A reply to each question; it depends on that question alone."""
        return [self._reply(question) for question in questions]

    @torch.inference_mode()
    def _reply(self, question: TurnQuery) -> Reply:
        example = self._example(question)
        if example is None:
            return Reply(why=NO_VIDEO)
        networks = self._networks
        return single_reply(networks.tiny, networks.tokenizer, self._collate([example]))

    def _example(self, question: TurnQuery) -> TurnExample | None:
        """The question with the videos that can be read; None if it needs one and has none."""
        query, video_id = question.query, question.video_id or ""
        if question.task == "chat":
            return TurnExample(query)
        if question.task == "video":
            return self._choice(query)
        video = self._videos.get(video_id)
        if video is None:
            return None
        utterance = tokenize_turns(self._lexicon, [(query.utterance, query.language, 0)])
        listed = video_id in query.candidates
        number = query.candidates.index(video_id) + 1 if listed else 1
        return moment_example(query, utterance, video, number)

    def _choice(self, query: Query) -> TurnExample | None:
        """A video turn; candidates that cannot be read are left out, the others keep numbers."""
        readable = {
            number: self._candidates[name]
            for number, name in enumerate(query.candidates, start=1)
            if name in self._candidates
        }
        if not readable:
            return None
        candidates, numbers = tuple(readable.values()), tuple(readable)
        return TurnExample(query, None, self._text(query), candidates, numbers)

    def _text(self, query: Query) -> TokenizedText:
        [(whole, _)] = tokenize_query(self._lexicon, query, self._context, self._values)
        return whole
