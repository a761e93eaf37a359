"""InterLLaVA small enough for two cores: its sizes, and eyes that know what the question asks for.

The published frame encoder knows what most things in the world look like. What stands for it here
was trained on IVCR-Mini's train split alone: a recogniser (baselines/event_models/recogniser.py)
says what each frame shows, and because a few hundred videos do not teach a language model to look
for what a question says, each frame also tells how it agrees with the question: by the dual
encoder's matcher (baselines/event_models/matching.py) where candidates are compared, by a reader of
steps (baselines/localisation/grounding.py) where a moment is sought. A frame has three patches:
what it shows, how it agrees, and facts, which for a candidate are the matcher's scores beside the
other candidates'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import (
    Blip2QFormerConfig,
    InstructBlipQFormerConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

from baselines.event_models.event_annotations import Attribute
from baselines.event_models.event_segments import apply_actionness, log_probs, mean_pool
from baselines.event_models.matching import ROLES, Matcher, SegmentFeatures, collate_videos
from baselines.event_models.query_encoder import WIDTH, TokenizedText, collate_texts
from baselines.interllava.model import Form, Frames, InterLLaVA, VideoTokens
from baselines.interllava.prompts import SAMPLED
from baselines.interllava.tokenizer import Words, time_word
from baselines.interllava.training import Batch
from baselines.localisation.cross_modal_encoder import Grounder
from baselines.localisation.step_features import (
    KNOWN,
    STEPS,
    StepFeatures,
    VideoFeatures,
    collate_steps,
)

FRAMES = 8  # of a candidate; a moment's video has STEPS
FORM = Form(
    queries=2, video_queries=8, window=8, stride=8, positions=STEPS, numbered=True, timed=True
)
FACTS = 5  # of a candidate, see `Eyes.candidates`
HIDDEN = 128  # of the language model
MARKS = 4  # what a token can say, see `TinyNet`
GOLD, INSIDE, FIRST, LAST = range(MARKS)
WAVE = 0.2  # how much a time's word has of the wave of its time
SLOWEST, FASTEST = 0.05, 3.0  # of the waves, radians a second
Values = NDArray[np.float32]


class Sight(NamedTuple):
    """What the frames of several videos show, how they agree with the question, and facts.

    (videos, frames, ...) each; words, mask: of the Q-Former's text, (videos, frames, n). counts:
    the candidates of each question. marks: in training what tokens should say, (tokens, MARKS).
    """

    shows: Tensor
    agrees: Tensor
    facts: Tensor
    words: Tensor
    mask: Tensor
    counts: list[int]
    marks: Tensor | None = None


class Glimpse(NamedTuple):
    """A video as a candidate: FRAMES rows of probabilities, its track, its length in ms."""

    shows: Values
    track: SegmentFeatures
    length: int


class Eye(nn.Module):
    """A sight's parts as the patches that the first Q-Former reads."""

    def __init__(self, values: int, agreements: int, facts: int) -> None:
        """How wide each part is."""
        super().__init__()
        self.parts = nn.ModuleList(nn.Linear(size, WIDTH) for size in (values, agreements, facts))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, sight: Sight) -> Frames:
        """Frames of three patches."""
        parts = zip(self.parts, sight[:3], strict=True)
        patches = torch.stack([part(seen) for part, seen in parts], dim=2)
        return Frames(self.norm(patches), sight.words, sight.mask)


class Relevance(nn.Module):
    """A localiser's head that says of each step whether it is in the moment."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, 1)

    def forward(self, state: Tensor) -> Tensor:
        """Logits (n, STEPS) of states (n, STEPS, WIDTH)."""
        inside: Tensor = self.layer(state)[..., 0]
        return inside

    def loss(self, state: Tensor, gist: Tensor, gold: Tensor) -> Tensor:
        """Binary cross entropy; gold: (n, 2) fractions of the video."""
        centres = (torch.arange(STEPS, device=gold.device) + 0.5) / STEPS
        inside = (centres >= gold[:, :1]) & (centres < gold[:, 1:])
        return nn.functional.binary_cross_entropy_with_logits(self(state), inside.float())

    def spans(self, state: Tensor, gist: Tensor) -> tuple[Tensor, Tensor]:
        """The run of steps whose logits sum to most: (n, 1, 2), and that sum, (n, 1)."""
        sums = nn.functional.pad(self(state).cumsum(1), (1, 0))
        runs = (sums[:, None, :] - sums[:, :, None]).masked_fill(
            torch.ones(STEPS + 1, STEPS + 1, device=state.device).tril().bool(), -torch.inf
        )
        best, place = runs.flatten(1).max(1)
        found = torch.stack([place // (STEPS + 1), place % (STEPS + 1)], dim=1) / STEPS
        return found[:, None], best[:, None]


class Eyes(nn.Module):
    """All that is looked with, frozen: what agrees with a question was learnt before."""

    def __init__(self, words: Words, matcher: Matcher, grounder: Grounder) -> None:
        super().__init__()
        self.matcher, self.grounder = matcher, grounder
        self._words = words
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def candidates(
        self, asked: Sequence[TokenizedText], shown: Sequence[Sequence[Glimpse]]
    ) -> Sight:
        """The candidates of several questions, one after the other.

        Facts: how far the matcher's score is behind the best candidate's, its share among them, and
        by how much each of its three parts is above their mean.
        """
        every = [glimpse for each in shown for glimpse in each]
        wanted = self.matcher.query_weights(collate_texts(asked))
        parts = torch.stack(
            self.matcher.score_parts(wanted, collate_videos([e.track for e in every]))
        )
        owner = torch.tensor([at for at, each in enumerate(shown) for _ in each])
        own = parts[:, owner, torch.arange(len(every))] * (self.matcher.scale.exp() / 4)
        facts = [_beside(part) for part in torch.split(own, [len(each) for each in shown], 1)]
        shows = torch.from_numpy(log_probs(np.stack([each.shows for each in every])))
        agrees = torch.einsum("nrv,nfv->nfr", wanted.roles[owner], shows)
        words, mask = self._told([_times(each.length, FRAMES) for each in every])
        told = torch.cat(facts)[:, None].expand(-1, FRAMES, -1)
        return Sight(shows, agrees, told, words, mask, [len(each) for each in shown])

    @torch.no_grad()
    def steps(
        self, asked: Sequence[TokenizedText], scenes: Sequence[StepFeatures], lengths: Sequence[int]
    ) -> Sight:
        """The videos in which moments are sought; facts: those of steps, and the reader's logit."""
        laid = collate_steps(scenes)
        state, _ = self.grounder.encoder(collate_texts(asked), laid)
        inside = self.grounder.head(state)
        words, mask = self._told([_times(length, STEPS) for length in lengths])
        facts = torch.cat([laid.known, inside[..., None]], dim=2)
        return Sight(laid.shows, state, facts, words, mask, [1] * len(asked))

    def number_words(self, numbers: Sequence[int]) -> list[list[int]]:
        """For each candidate its number's word, once a token."""
        return [[self._words.token(str(number))] * FORM.tokens(FRAMES) for number in numbers]

    def time_words(self, length: int) -> list[int]:
        """The times of the frames of a moment's video of `length` ms, as words."""
        return [self._words.token(word) for word in _times(length, STEPS)]

    def _told(self, times: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """The Q-Former's text of each frame; all are of one length, as a time is one token."""
        ids = [[self._words.told(SAMPLED.format(time=at)).ids for at in each] for each in times]
        words = torch.tensor(ids)
        return words, torch.ones_like(words)


def _beside(parts: Tensor) -> Tensor:
    """The facts of the candidates of one question, (n, FACTS), from their scores' parts, (3, n)."""
    total = parts.sum(0)
    above = parts - parts.mean(1, keepdim=True)
    return torch.stack([(total - total.max()) / 10, total.softmax(0), *(above / 10)], dim=1)


def glimpse(
    rows: Values, track: SegmentFeatures, length: int, attributes: tuple[Attribute, ...]
) -> Glimpse:
    """A video as a candidate, from its recogniser's rows."""
    edges = np.arange(FRAMES + 1) * len(rows) // FRAMES
    first, after = edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)
    first = np.minimum(first, len(rows) - 1)
    shows = mean_pool(apply_actionness(rows, attributes), first, np.minimum(after, len(rows)))
    return Glimpse(shows, track, length)


def glimpses(
    films: dict[str, VideoFeatures],
    tracks: dict[str, SegmentFeatures],
    attributes: tuple[Attribute, ...],
) -> dict[str, Glimpse]:
    """All videos as candidates."""
    return {
        name: glimpse(film.rows, tracks[name], film.length, attributes)
        for name, film in films.items()
    }


def _times(length: int, frames: int) -> list[str]:
    """When each frame was taken, in the middle of its part of the video, in seconds."""
    return [time_word((2 * at + 1) * length // (2 * frames)) for at in range(frames)]


class TinyNet(nn.Module):
    """The network with its two eyes.

    marks: the directions in which tokens say what they say: that their candidate is the gold one;
    that their frame is inside the moment, is its first, its last.
    """

    marks: Tensor

    def __init__(self, values: int, words: Words) -> None:
        """values: of all attributes together."""
        super().__init__()
        self.choosing = Eye(values, ROLES, FACTS)
        self.grounding = Eye(values, WIDTH, KNOWN + 1)
        self.net = InterLLaVA(_video_tokens(len(words)), _language(words), words.placeholder)
        self.register_buffer("marks", nn.functional.normalize(torch.randn(MARKS, HIDDEN), dim=1))

    def looked(self, batch: Batch) -> Tensor | None:
        """The tokens of a batch's videos, seen through the eye of its kind."""
        if batch.sight is None:
            return None
        eye = self.choosing if batch.kind == "video" else self.grounding
        return self.net.seen([eye(batch.sight)])

    def said(self, tokens: Tensor) -> Tensor:
        """How much tokens say of each mark, about 0 to 1: (tokens, MARKS)."""
        return tokens @ self.marks.T

    def saying(self, marks: Tensor) -> Tensor:
        """Tokens that say that: (tokens, HIDDEN)."""
        return marks @ self.marks


def _video_tokens(words: int) -> VideoTokens:
    sizes: dict[str, Any] = {
        "hidden_size": WIDTH,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "intermediate_size": 2 * WIDTH,
        "cross_attention_frequency": 1,
        "encoder_hidden_size": WIDTH,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "initializer_range": 0.1,
    }
    frame = InstructBlipQFormerConfig(vocab_size=words, max_position_embeddings=32, **sizes)
    made = VideoTokens(FORM, frame, Blip2QFormerConfig(vocab_size=1, **sizes), HIDDEN)
    _look_straight(made)
    return made


def _look_straight(tokens: VideoTokens) -> None:
    """Let each video query begin by looking at its own frame of the window."""
    places = nn.functional.normalize(torch.randn(FORM.window, WIDTH), dim=1) * 8
    with torch.no_grad():
        tokens.video_query_tokens.copy_(places[None])
        tokens.positions.weight.copy_(places.repeat(FORM.positions // FORM.window, 1))
        layers: Any = tokens.video_qformer.encoder.layer
        for layer in layers:
            look = layer.crossattention.attention
            nn.init.eye_(look.query.weight)
            nn.init.eye_(look.key.weight)
        tokens.projection.weight.mul_(0.1)


def _language(words: Words) -> LlamaForCausalLM:
    """A small Llama; its words for times begin as a wave of their time, so that near ones do."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=HIDDEN,
            intermediate_size=2 * HIDDEN,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            initializer_range=0.05,
            bos_token_id=None,
            eos_token_id=words.end,
            pad_token_id=words.end,
        )
    )
    times = words.spelling(0).digits
    embeddings: Any = model.get_input_embeddings()
    seconds = torch.tensor(list(times.values()))[:, None]
    rates = torch.exp(torch.linspace(np.log(FASTEST), np.log(SLOWEST), HIDDEN // 2))
    waves = torch.cat([(seconds * rates).sin(), (seconds * rates).cos()], dim=1)
    with torch.no_grad():
        embeddings.weight[list(times)] = WAVE * waves
    return model
