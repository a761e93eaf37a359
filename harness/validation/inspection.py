"""The contents of a submission without its benchmark: card, sizes, counts, SHA-256."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.errors import SubmissionError
from harness.records import Card
from harness.submission import CARD, PARTS, PREDICTIONS, SubmissionDigest
from harness.validation.problem_log import ProblemLog
from harness.validation.reading.card_file import read_card
from harness.validation.reading.folder import predictions_file
from harness.validation.reading.line_stream import split_lines
from harness.validation.reading.place import require_folder
from harness.validation.reading.source import Hash, read_chunks
from harness.validation.rules.rule import Fault

LIMIT = 8 << 30  # bytes; without a benchmark there is no number of turns to go by


class SubmissionSummary(NamedTuple):
    """The contents of a submission; `problems`: those met on the way, not all that there are.

    `errors`: how many of them are no warnings.
    """

    card: dict[str, str]
    counts: dict[str, int]
    sha256: str | None
    problems: tuple[str, ...]
    errors: int


def summarise(folder: Path) -> SubmissionSummary:
    """Summarise the submission in `folder`. Raises EnvironmentFailure if it is no folder."""
    require_folder(folder)
    log, digest = ProblemLog(), SubmissionDigest()
    card, table = read_card(folder, log, digest.file(CARD))
    counts: Counter[str] = Counter()
    complete, name = True, PREDICTIONS[0]
    if table.get("kind") != "reported":
        try:
            name = predictions_file(folder)
            counts = _counts(folder / name, digest.file(PREDICTIONS[0]))
            counts["bytes in the file"] = (folder / name).stat().st_size
        except Fault as fault:
            complete = False
            log.add(fault.code, fault.text, name)
    return SubmissionSummary(
        card={} if card is None else _as_text(card),
        counts=dict(sorted(counts.items())),
        sha256=digest.hexdigest() if complete and card is not None else None,
        problems=tuple(problem.message for problem in log.problems),
        errors=sum(problem.severity == "error" for problem in log.problems),
    )


def card_of(folder: Path) -> Card | None:
    """The card in `folder`, None if it has none. Raises SubmissionError if it is not valid."""
    if not (folder / CARD).exists():
        return None
    log = ProblemLog()
    card = read_card(folder, log, None).card
    if card is None:
        first = next(problem for problem in log.problems if problem.severity == "error")
        raise SubmissionError(f"{folder / CARD}: {first.message}; mend it, or remove it")
    return card


def is_reported(folder: Path) -> bool:
    """Whether the card in `folder` is of figures from elsewhere, without predictions.

    Raises EnvironmentFailure if it is no folder.
    """
    require_folder(folder)
    return bool(read_card(folder, ProblemLog(), None).table.get("kind") == "reported")


def _as_text(card: Card) -> dict[str, str]:
    values = ((key, getattr(card, key)) for key in card.__struct_fields__)
    return {key: _text(value) for key, value in values if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {part}" for key, part in value.items())
    return str(value)


def _counts(path: Path, digest: Hash) -> Counter[str]:
    """Lines by what they hold, and uncompressed bytes."""
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    counts: Counter[str] = Counter({"lines": 0})

    def hashed() -> Iterator[bytes]:
        for chunk in read_chunks(path, LIMIT):
            digest.update(chunk)
            counts["bytes of text"] += len(chunk)
            yield chunk

    lines = unreadable = 0
    for line in split_lines(hashed()):
        lines += 1
        try:
            keys = decoder.decode(line) if line else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            keys = None
        if keys is None:
            unreadable += 1
        else:
            counts.update(f"with {part}" for part in PARTS if part in keys)
    counts["lines"] = lines
    if unreadable:
        counts["unreadable lines"] = unreadable
    return counts
