"""Texts to tokens, with the special tokens that InterLLaVA adds; a small tokenizer for `tiny`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import tokenizers
from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from baselines.interllava.losses import NumberTokens

PLACEHOLDER = "<VIDEOTOKEN>"
SPECIAL = ("<VID>", "</VID>", "<VIDEO>", "</VIDEO>", PLACEHOLDER)
START, END = "<s>", "</s>"
UNKNOWN = "<unk>"
MIN_COUNT = 2  # of a word in the train split that becomes a token of its own
TIME_STEP = 200  # ms: the tiny configuration writes times in multiples of this
# A number is one token; so is a word with the space before it, an ideograph, any other character.
_PIECES = r"\d+(?:\.\d+)?| ?(?:(?!\p{Han})\p{L})+|\p{Han}|\s|[^\s]"
_TIME = re.compile(r"\d+\.\d+")


class Encoding(NamedTuple):
    """A text's token ids, and the characters of each: [begin, end) in the text."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Tokenizer:
    """A language model's tokenizer, and the ids that have a meaning in InterLLaVA."""

    def __init__(self, tokenizer: Any, *, small: bool = False) -> None:
        """tokenizer: a fast one of `transformers`; special tokens that it lacks are added.

        small: it is made by `small_tokenizer`: a time is a single token, and a space before a
        special token belongs to that token. Else times are written digit by digit.
        """
        self._small = small
        tokens = [AddedToken(token, lstrip=small, special=True) for token in SPECIAL]
        tokenizer.add_tokens(tokens, special_tokens=True)
        self._tokenizer = tokenizer
        self.placeholder = int(tokenizer.convert_tokens_to_ids(PLACEHOLDER))
        self.end = int(tokenizer.convert_tokens_to_ids(END))
        self.special_ids = [int(tokenizer.convert_tokens_to_ids(token)) for token in SPECIAL]

    def __len__(self) -> int:
        """The size of the vocabulary."""
        return len(self._tokenizer)

    def encode(self, text: str) -> Encoding:
        """The tokens of the text alone, without start and end tokens."""
        encoding = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return Encoding(encoding["input_ids"], encoding["offset_mapping"])

    def decode(self, ids: Sequence[int]) -> str:
        """Tokens to a text, without special ones."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def token_id(self, word: str) -> int:
        """The id of a word that is one token."""
        return int(self._tokenizer.convert_tokens_to_ids(word))

    def number_tokens(self, candidates: int) -> NumberTokens:
        """How numbers are written: those of so many candidates; digits, or whole times."""
        prefix = len(self.encode("video ").ids)
        numbers = tuple(
            tuple(self.encode(f"video {number}").ids[prefix:])
            for number in range(1, candidates + 1)
        )
        return NumberTokens(numbers, self._digits())

    def _digits(self) -> dict[int, float]:
        vocabulary = self._tokenizer.get_vocab()
        if not self._small:
            return {vocabulary[digit]: float(digit) for digit in "0123456789"}
        times = {token: float(word) for word, token in vocabulary.items() if _TIME.fullmatch(word)}
        # By id: the vocabulary's order changes from process to process, and sums with it.
        return dict(sorted(times.items()))


def build_vocabulary(texts: Iterable[str], longest: int) -> list[str]:
    """The tokens of a small tokenizer: of texts, and times up to `longest` ms by TIME_STEP."""
    split = pre_tokenizers.Split(Regex(_PIECES), "isolated")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(piece for piece, _ in split.pre_tokenize_str(text))
    frequent = {word for word, count in counts.items() if count >= MIN_COUNT}
    words = {word for word in frequent if not _TIME.fullmatch(word)}
    times = [time_word(at) for at in range(0, longest + TIME_STEP, TIME_STEP)]
    return [UNKNOWN, START, END, *SPECIAL, *times, *sorted(words | {str(n) for n in range(11)})]


def small_tokenizer(vocabulary: Sequence[str]) -> Tokenizer:
    """The tokenizer of a vocabulary of whole words."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    word_level = tokenizers.Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    word_level.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECES), "isolated")
    word_level.decoder = decoders.Fuse()
    fast: Any = PreTrainedTokenizerFast
    return Tokenizer(
        fast(
            tokenizer_object=word_level, unk_token=UNKNOWN, bos_token=START, eos_token=END,
            pad_token=END, clean_up_tokenization_spaces=False,
        ),
        small=True,
    )  # fmt: skip


def time_word(ms: int) -> str:
    """The nearest multiple of TIME_STEP, in seconds: "5.4"."""
    return f"{(ms + TIME_STEP // 2) // TIME_STEP * TIME_STEP / 1000:.1f}"
