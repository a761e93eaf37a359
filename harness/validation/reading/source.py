"""A file of a submission: how the one reader of strangers' files finds it, as rules say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from harness.untrusted import Reason, UnfitFileError, read_unpacked
from harness.validation.rules.card import CARD_NOT_UTF8, LARGE_CARD, NO_CARD, NOT_TOML
from harness.validation.rules.rule import Fault
from harness.validation.rules.text_files import (
    CHANGED,
    EXPANDS,
    LINK_OUT,
    MANY_MEMBERS,
    NOT_COMPRESSED,
    NOT_PLAIN,
    TOO_LARGE,
    TRUNCATED,
    UNREADABLE,
)

FILE_CODES: dict[Reason, str] = {
    "not plain": NOT_PLAIN,
    "link out": LINK_OUT,
    "unreadable": UNREADABLE,
    "changed": CHANGED,
    "too large": TOO_LARGE,
    "not compressed": NOT_COMPRESSED,
    "truncated": TRUNCATED,
    "expands": EXPANDS,
    "members": MANY_MEMBERS,
}
CARD_CODES: dict[Reason, str] = {
    **FILE_CODES,
    "absent": NO_CARD,
    "too large": LARGE_CARD,
    "not UTF-8": CARD_NOT_UTF8,
    "nested": NOT_TOML,
    "syntax": NOT_TOML,
}


class Hash(Protocol):
    """An object that takes bytes, as those of hashlib do."""

    def update(self, data: bytes, /) -> None:
        """Take `data` in."""


@contextmanager
def faults(codes: dict[Reason, str]) -> Iterator[None]:
    """Give what is wrong with a file its code. Raises Fault where it cannot be taken."""
    try:
        yield
    except UnfitFileError as error:
        raise Fault(codes[error.reason], error.text) from error


def read_chunks(path: Path, limit: int) -> Iterator[bytes]:
    """The uncompressed bytes of a predictions file, by its suffix, at most `limit` of them.

    Raises Fault where the file breaks a rule; what came before is sound.
    """
    with faults(FILE_CODES):
        try:
            yield from read_unpacked(path, limit)
        except UnfitFileError as error:
            if error.reason != "too large":
                raise
            raise Fault(TOO_LARGE, _too_large(limit)) from error


def _too_large(limit: int) -> str:
    return (
        f"expected at most {limit >> 20:,} MiB uncompressed for this split, found more; "
        "give at most 100 videos and 100 moments a turn, one line a turn"
    )
