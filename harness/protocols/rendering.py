"""A submission as the official result file that it would have been.

One entry for each item, with the raw utterance as `user_q`. A video turn answers "video K", K being
the place, among the turn's candidates, of the first of `choice`, else of the first of `videos` that
is a candidate; a moment turn answers "Xs-Ys" for its first moment, in whatever video that is
(defect D14); an abstention answers nothing. Turns that are no item (types 0 and 7, failed first
stage, past the seventh) have no entry, as in any result file.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.protocols.items import items
from harness.protocols.result_file import ResultEntry
from harness.protocols.source import SourceSplit, SourceTurn
from harness.records import Prediction, TurnKey


def entries_of(
    source: SourceSplit, predictions: Mapping[TurnKey, Prediction]
) -> tuple[ResultEntry, ...]:
    """The entries of a submission, in item order; a turn without a prediction answers nothing."""
    return tuple(
        ResultEntry(
            item.source_turn.utterance,
            _output(
                item.source_turn, predictions.get(TurnKey(item.dialogue.dialogue_id, item.turn))
            ),
        )
        for item in items(source)
    )


def _output(turn: SourceTurn, prediction: Prediction | None) -> str:
    if prediction is None:
        return ""
    if turn.task == "video":
        chosen = _chosen(turn, prediction)
        return "" if chosen is None else f"video {turn.candidates.index(chosen) + 1}"
    if not prediction.moments:
        return ""
    moment = prediction.moments[0]
    return f"{_seconds(moment.start)}s-{_seconds(moment.end)}s"


def _chosen(turn: SourceTurn, prediction: Prediction) -> str | None:
    named = prediction.choice or prediction.videos or ()
    return next((name for name in named if name in turn.candidates), None)


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"
