"""Two files of predictions, line by line: the same bytes, nearly the same, or where they part."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from harness.errors import SubmissionError
from harness.files import shown
from harness.records import milliseconds
from harness.submission import PARTS, PredictionLine, predictions_in
from harness.untrusted import UnfitFileError, bounded_lines, open_untrusted
from harness.untrusted.unpacking import unpacked_stream

TOLERANCE = 10  # milliseconds by which a start or an end may differ
STATED = (
    "rankings, choices and responses the same, moments in the same videos and order, starts and "
    f"ends at most {TOLERANCE} ms apart"
)
_LINE = 1 << 20  # bytes; no valid line is longer
_DECODER = msgspec.json.Decoder(PredictionLine)
Kind = Literal["exact", "within tolerance", "differs"]


class TurnDifference(NamedTuple):
    """The first part of a turn's prediction that differs; None: there is nothing of it."""

    dialogue_id: str
    turn: int
    part: str
    recorded: Any
    again: Any


class PredictionsVerdict(NamedTuple):
    """How predictions that were made again agree with the recorded ones.

    turns: lines of the longer file. unlike: those beyond the tolerance. moved: those within it
    that have other bytes; most: the largest distance in them, in milliseconds.
    """

    turns: int
    unlike: int = 0
    moved: int = 0
    most: int = 0
    first: TurnDifference | None = None

    @property
    def kind(self) -> Kind:
        """The verdict in a word or two."""
        if self.unlike:
            return "differs"
        return "within tolerance" if self.moved else "exact"


def compare_predictions(recorded: Path, again: Path) -> PredictionsVerdict:
    """Compare the predictions in two submission folders, of the same turns in the same order.

    Raises SubmissionError if the recorded ones cannot be read.
    """
    found = PredictionsVerdict(0)
    for one, other in zip_longest(_lines(recorded), _lines(again)):
        found = found._replace(turns=found.turns + 1)
        if one == other:
            continue
        first, most = _difference(_decoded(recorded, one), _decoded(again, other))
        if first is None:
            found = found._replace(moved=found.moved + 1, most=max(most, found.most))
        else:
            found = found._replace(unlike=found.unlike + 1, first=found.first or first)
    return found


def _difference(
    one: PredictionLine | None, other: PredictionLine | None
) -> tuple[TurnDifference | None, int]:
    """Where two predictions differ beyond the tolerance, else None and by how much within it."""
    known = one or other
    assert known is not None  # noqa: S101 - the longer file has a line
    if (
        one is None
        or other is None
        or (one.dialogue_id, one.turn) != (other.dialogue_id, other.turn)
    ):
        return TurnDifference(known.dialogue_id, known.turn, "turn", _name(one), _name(other)), 0
    most = 0
    for part in PARTS:
        mine, theirs = getattr(one, part), getattr(other, part)
        if mine == theirs:
            continue
        distance = _distance(mine, theirs) if part == "moments" else None
        if distance is None or distance > TOLERANCE:
            plain = map(msgspec.to_builtins, (mine, theirs))
            return TurnDifference(one.dialogue_id, one.turn, part, *plain), 0
        most = max(most, distance)
    return None, most


def _distance(one: Any, other: Any) -> int | None:
    """The largest distance of starts and ends in ms; None if the moments are of other videos."""
    if one is None or other is None or [m.video_id for m in one] != [m.video_id for m in other]:
        return None
    pairs = zip(one, other, strict=True)
    edges = ((a.start, b.start, a.end, b.end) for a, b in pairs)
    return max(
        max(abs(milliseconds(s) - milliseconds(t)), abs(milliseconds(e) - milliseconds(f)))
        for s, t, e, f in edges
    )


def _name(line: PredictionLine | None) -> str | None:
    return None if line is None else f"{line.dialogue_id}/{line.turn}"


def _lines(folder: Path) -> Iterator[bytes]:
    names = predictions_in(folder)
    if len(names) != 1:
        raise SubmissionError(f"{folder}: expected one file of predictions, found {len(names)}")
    path = folder / names[0]
    try:
        with open_untrusted(path) as raw, unpacked_stream(raw, path.suffix) as stream:
            yield from (line.rstrip(b"\r\n") for line in bounded_lines(stream, _LINE))
    except UnfitFileError as error:
        raise SubmissionError(f"{path}: {error}") from error


def _decoded(folder: Path, line: bytes | None) -> PredictionLine | None:
    try:
        return None if line is None else _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SubmissionError(
            f"{folder}: a line of the predictions is none: {shown(str(error))[1:-1]}; "
            "`ivcr validate` lists what is wrong"
        ) from error
