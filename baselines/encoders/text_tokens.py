"""Texts as rows, one a token: the last hidden states of any text model of `transformers`.

BERT, XLM-R and their like, T5's encoder, decoders such as Qwen's, the text half of a model of the
CLIP kind, and folders of sentence-transformers, with their own pooling and prompt for queries. The
text model is not trained here. A text goes through it alone, so that its rows depend on no other
text, and one that is too long loses its beginning. Only safetensors are read, and no code of a
checkpoint is run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from baselines.encoders.resolve import loading, locate_checkpoint
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown

# The library's factories carry no types of their own.
AutoModel: Any = transformers.AutoModel
AutoTokenizer: Any = transformers.AutoTokenizer
CACHED_STATES = 1 << 14  # texts: their states may have hundreds of rows
CACHED_VECTORS = 1 << 16  # texts
UNUSED = "pooler"  # of the weights, a part that hidden states do not pass through
MODULES = "modules.json"  # what a folder of sentence-transformers has and no other one
FULL_LENGTH = ("siglip_text_model", "siglip2_text_model")  # trained on texts padded to their length
NO_LIMIT = 1 << 16  # what tokenizers without a limit tell is far above it

Rows = NDArray[np.float32]


class TokenRows(NamedTuple):
    """What a text model makes of one text: tokens, (n, width), and one vector, (width,)."""

    tokens: Rows
    pooled: Rows


class TextTokens:
    """A loaded text model: maps a text to rows.

    width: of a token's row. pooled_width: of a text's vector, which is another one in some models
    of sentence-transformers. key: names weights and tokenizer. parameters: the number of weights.
    """

    def __init__(self, encode: Callable[[str], TokenRows], *, key: str, parameters: int) -> None:
        """encode: what the model makes of one text, which it gets alone."""
        self.key, self.parameters = key, parameters
        self._states = lru_cache(CACHED_STATES)(lambda text: _fixed(encode(text)))
        self._pooled = lru_cache(CACHED_VECTORS)(lambda text: self._states(text).pooled)
        self.width, self.pooled_width = (part.shape[-1] for part in self._states("a"))

    def tokens(self, text: str) -> Rows:
        """The last hidden states, marks of the tokenizer included: (tokens, width), read-only."""
        return self._states(text).tokens

    def pooled(self, text: str) -> Rows:
        """One vector, (pooled_width,): as sentence-transformers has it, else the tokens' mean."""
        return self._pooled(text)


def load_text_tokens(
    checkpoint: str, revision: str | None, note: Callable[[str], None] | None = None
) -> TextTokens:
    """Load a text model: a folder, or a name and revision that `hf download` has fetched.

    Raises EnvironmentFailure if it is absent or damaged, WrongUsageError if it reads no text or if
    a revision is given for a folder.
    """
    folder, key = locate_checkpoint(checkpoint, revision)
    if (folder / MODULES).is_file():
        loaded = _sentence_model(checkpoint, revision)
    else:
        loaded = _transformer(checkpoint, folder, key)
    if note is not None:
        note(f"{checkpoint}: texts as rows of {loaded.width}, {loaded.parameters:,} weights")
    return loaded


def _sentence_model(checkpoint: str, revision: str | None) -> TextTokens:
    from baselines.encoders.sentence_model import load_sentence_model  # it takes seconds to import

    model, key = load_sentence_model(checkpoint, revision)

    def encode(text: str) -> TokenRows:
        found: Any = model.encode_query([text], output_value=None, show_progress_bar=False)
        states, vector = found[0]["token_embeddings"], found[0]["sentence_embedding"]
        kept = found[0]["attention_mask"].bool()
        return TokenRows(_array(states[kept]), _array(vector))

    return TextTokens(encode, key=key, parameters=_count(model))


def _transformer(checkpoint: str, folder: Path, key: str) -> TextTokens:
    with loading(checkpoint, folder):
        network, report = AutoModel.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder)
    _check_weights(checkpoint, report["missing_keys"])
    half = _text_half(checkpoint, network)
    half.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    tokenizer.truncation_side = "left"  # the latest words of a dialogue matter most
    longest = _longest(tokenizer, half)
    padding = "max_length" if half.config.model_type in FULL_LENGTH else False

    @torch.inference_mode()
    def encode(text: str) -> TokenRows:
        inputs = tokenizer(
            text, return_tensors="pt", truncation=longest is not None, max_length=longest,
            padding=padding, return_token_type_ids=False,
        ).to(half.device)  # fmt: skip
        if not inputs["input_ids"].shape[1]:  # tokenizers without marks, of the empty text
            return TokenRows(np.zeros((1, width), np.float32), np.zeros(width, np.float32))
        states = half(**inputs).last_hidden_state[0]  # (tokens, width)
        return TokenRows(_array(states), _array(states.mean(0)))

    width = int(half.config.hidden_size)
    return TextTokens(encode, key=key, parameters=_count(half))


def _text_half(checkpoint: str, network: Any) -> Any:
    """The part of a model that reads texts. Raises WrongUsageError if there is none."""
    if hasattr(network, "text_model"):
        return network.text_model
    if network.config.is_encoder_decoder:
        return network.get_encoder()
    if network.main_input_name != "input_ids":
        raise WrongUsageError(
            f"{checkpoint}: is a model of type {shown(network.config.model_type)}, which reads no "
            "text; name a text model, such as intfloat/multilingual-e5-small"
        )
    return network


def _longest(tokenizer: Any, network: Any) -> int | None:
    """The most tokens of a text; models after RoBERTa count positions from behind the padding."""
    places = getattr(network.config, "max_position_embeddings", None)
    embeddings = getattr(network, "embeddings", None)
    before = getattr(embeddings, "padding_idx", None)
    limits = [tokenizer.model_max_length]
    if places is not None:
        limits.append(places - (0 if before is None else before + 1))
    longest = min(limits)
    return longest if longest < NO_LIMIT else None


def _check_weights(checkpoint: str, missing: Any) -> None:
    lacking = sorted(name for name in missing if UNUSED not in name.split("."))
    if lacking:
        raise EnvironmentFailure(
            f"{checkpoint}: lacks {len(lacking)} weights, such as {lacking[0]}; fetch it again"
        )


def _array(rows: Any) -> Rows:
    return np.ascontiguousarray(rows.float().cpu().numpy())


def _fixed(rows: TokenRows) -> TokenRows:
    for part in rows:
        part.flags.writeable = False
    return rows


def _count(network: Any) -> int:
    return sum(weight.numel() for weight in network.parameters())
