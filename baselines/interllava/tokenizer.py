"""Texts as tokens, with the tokens that InterLLaVA adds; and a small tokenizer for the tiny one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from baselines.interllava.losses import Spelling

PLACEHOLDER = "<VIDEOTOKEN>"
ADDED = ("<VID>", "</VID>", "<VIDEO>", "</VIDEO>", PLACEHOLDER)
START, END = "<s>", "</s>"
UNKNOWN = "<unk>"
LEAST = 2  # times that a word stands in the train split, to be a token of its own
GRID = 200  # ms: the tiny configuration tells times in steps of this
# A number is one token, and so is a word with the space before it, an ideograph, any other sign.
_PIECES = r"\d+(?:\.\d+)?| ?(?:(?!\p{Han})\p{L})+|\p{Han}|\s|[^\s]"
_TIME = re.compile(r"\d+\.\d+")


class Told(NamedTuple):
    """A text's tokens, and where each begins and ends in it: [begin, end) in signs."""

    ids: list[int]
    spans: list[tuple[int, int]]


class Words:
    """A language model's tokenizer, and what of its vocabulary has a meaning here."""

    def __init__(self, tokenizer: Any, *, small: bool = False) -> None:
        """tokenizer: a fast one of `transformers`; tokens of ADDED that it lacks are added.

        small: the one below, of which times are single tokens, and a space before an added token
        is part of that; else times are spelt digit by digit.
        """
        self._small = small
        signs = [AddedToken(token, lstrip=small, special=True) for token in ADDED]
        tokenizer.add_tokens(signs, special_tokens=True)
        self._tokenizer = tokenizer
        self.placeholder = int(tokenizer.convert_tokens_to_ids(PLACEHOLDER))
        self.end = int(tokenizer.convert_tokens_to_ids(END))
        self.added = [int(tokenizer.convert_tokens_to_ids(token)) for token in ADDED]

    def __len__(self) -> int:
        """How many different tokens there are."""
        return len(self._tokenizer)

    def told(self, text: str) -> Told:
        """The tokens of a text as it stands: nothing is put before or behind it."""
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return Told(found["input_ids"], found["offset_mapping"])

    def text(self, ids: Sequence[int]) -> str:
        """Tokens as a text, without special ones."""
        said: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return said

    def token(self, word: str) -> int:
        """The id of a word that is one token."""
        return int(self._tokenizer.convert_tokens_to_ids(word))

    def spelling(self, candidates: int) -> Spelling:
        """How numbers are spelt: those of so many candidates, and digits or whole times."""
        numbers = tuple(
            tuple(self.told(f"video {number}").ids[len(self.told("video ").ids) :])
            for number in range(1, candidates + 1)
        )
        return Spelling(numbers, self._digits())

    def _digits(self) -> dict[int, float]:
        vocabulary = self._tokenizer.get_vocab()
        if not self._small:
            return {vocabulary[digit]: float(digit) for digit in "0123456789"}
        times = {token: float(word) for word, token in vocabulary.items() if _TIME.fullmatch(word)}
        # By token: a vocabulary comes in another order in every process, and sums with it.
        return dict(sorted(times.items()))


def vocabulary(texts: Iterable[str], longest: int) -> list[str]:
    """The tokens of a small tokenizer: of texts, and the times up to `longest` ms in GRID steps."""
    split = pre_tokenizers.Split(Regex(_PIECES), "isolated")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(piece for piece, _ in split.pre_tokenize_str(text))
    words = {word for word, count in counts.items() if count >= LEAST and not _TIME.fullmatch(word)}
    times = [time_word(at) for at in range(0, longest + GRID, GRID)]
    return [UNKNOWN, START, END, *ADDED, *times, *sorted(words | {str(n) for n in range(11)})]


def small(tokens: Sequence[str]) -> Words:
    """The tokenizer of a vocabulary."""
    numbers = {token: number for number, token in enumerate(tokens)}
    made = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(_PIECES), "isolated")
    made.decoder = decoders.Fuse()
    fast: Any = PreTrainedTokenizerFast
    return Words(
        fast(
            tokenizer_object=made, unk_token=UNKNOWN, bos_token=START, eos_token=END,
            pad_token=END, clean_up_tokenization_spaces=False,
        ),
        small=True,
    )  # fmt: skip


def time_word(ms: int) -> str:
    """The nearest time that the tiny configuration tells, in seconds: "5.4"."""
    return f"{(ms + GRID // 2) // GRID * GRID / 1000:.1f}"
