"""Receipts: each answer of an exam is bound to all before it by a chain of SHA-256.

A canonical answer is JSON with sorted keys, no spaces and times in whole milliseconds, as it was
given: before ends past a video's end are clipped. Two answers are equal if these bytes are. The
receipt of an answer is the SHA-256 of the JSON array [previous receipt, number, dialogue, turn,
answer]; before the first answer stands that of [exam, fingerprint of the benchmark, card].
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from harness.files import canonical
from harness.records import Moment, Prediction


def canonical_answer(prediction: Prediction) -> bytes:
    """What an answer says, as the bytes that its receipt is about."""
    return canonical(
        {
            name: value
            for name in ("videos", "choice", "response")
            if (value := getattr(prediction, name)) is not None
        }
        | ({} if prediction.moments is None else {"moments": prediction.moments})
    )


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    videos: tuple[str, ...] | None = None
    moments: tuple[Moment, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None


_DECODER = msgspec.json.Decoder(_Answer)


def prediction_of(dialogue_id: str, turn: int, answer: bytes) -> Prediction:
    """The prediction of a turn, of a canonical answer."""
    found = _DECODER.decode(answer)
    return Prediction(dialogue_id, turn, found.videos, found.moments, found.choice, found.response)


def first_receipt(exam: str, fingerprint: str, card: Mapping[str, Any]) -> str:
    """What stands before the first answer of an exam: 64 hex digits."""
    # Programs write floats differently (1e-7, 1e-07). Only a card has them: they are written as
    # Python's json does, so that a client of the standard library alone comes to the same.
    text = json.dumps(
        [exam, fingerprint, card], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def receipt(previous: str, seq: int, dialogue_id: str, turn: int, answer: bytes) -> str:
    """The receipt of an answer, 64 hex digits; `answer`: canonical."""
    value = [previous, seq, dialogue_id, turn, msgspec.Raw(answer)]
    return hashlib.sha256(canonical(value)).hexdigest()
