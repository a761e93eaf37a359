"""A line of predictions in the file: seconds, and no key without a value."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from harness.errors import WrongUsageError
from harness.files import shown
from harness.records import Moment, Prediction, Task

_ENCODER = msgspec.json.Encoder()


class MomentLine(Struct, frozen=True):
    """A moment in a predictions line; seconds."""

    video_id: str
    start: float
    end: float


class PredictionLine(Struct, frozen=True, omit_defaults=True):
    """A predictions line in the file: parts that are not given are left out."""

    dialogue_id: str
    turn: int
    videos: tuple[str, ...] | None = None
    moments: tuple[MomentLine, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None


PREDICTION_KEYS = PredictionLine.__struct_fields__
MOMENT_KEYS = MomentLine.__struct_fields__
PARTS = PREDICTION_KEYS[2:]
# The parts of which a turn of its task needs one.
ANSWERED_BY: dict[Task, tuple[str, ...]] = {
    "video": ("videos", "choice"),
    "moment": ("moments",),
    "chat": ("response",),
}


def line(prediction: Prediction) -> bytes:
    """One prediction as a line of the file, with its newline; same value, same bytes.

    Raises WrongUsageError at what is no Prediction.
    """
    if not isinstance(prediction, Prediction):
        raise WrongUsageError(
            f"a line of predictions: expected a Prediction (harness.records), found "
            f"{shown(repr(prediction))}; make one for each turn"
        )
    moments = prediction.moments
    return (
        _ENCODER.encode(
            PredictionLine(
                prediction.dialogue_id,
                prediction.turn,
                prediction.videos,
                None if moments is None else tuple(map(_moment_line, moments)),
                prediction.choice,
                prediction.response,
            )
        )
        + b"\n"
    )


def _moment_line(moment: Moment) -> MomentLine:
    return MomentLine(moment.video_id, moment.start / 1000, moment.end / 1000)
