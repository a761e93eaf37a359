"""All networks in a trained folder of tiny InterLLaVA (trainable on IVCR-Mini only)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import Matcher
from baselines.interllava.model import with_lora
from baselines.interllava.tiny.tiny_frame_encoder import StepRelevanceHead, TinyFrameEncoder
from baselines.interllava.tiny.tiny_model import TinyNetwork
from baselines.interllava.tokenizer import small_tokenizer
from baselines.localisation.events.cross_modal_encoder import Grounder


class TinyNetworks(nn.Module):
    """The dual encoder's matcher, the grounder and the network; its names are weights' names."""

    def __init__(self, lexicon: Lexicon, values: int, vocabulary: Sequence[str]) -> None:
        """lexicon: of questions; values: of all attributes; vocabulary: of the tokenizer."""
        super().__init__()
        self.tokenizer = small_tokenizer(vocabulary)
        self.matcher = Matcher(lexicon.size, values)
        self.grounder = Grounder(lexicon.size, values, StepRelevanceHead())
        self.tiny = TinyNetwork(values, self.tokenizer)

    def add_lora(self) -> None:
        """Add LoRA adapters to the language model, and freeze the rest of it."""
        self.tiny.net.language = with_lora(self.tiny.net.language, ())

    def frame_encoder(self) -> TinyFrameEncoder:
        """The frozen frame encoder."""
        return TinyFrameEncoder(self.tokenizer, self.matcher, self.grounder)
