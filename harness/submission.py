"""Submissions: a folder with a card and one predictions file, and how to write one."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.errors import EnvironmentFailure
from harness.files import write as write_file
from harness.files import written_beside, zstd
from harness.records import Card, Moment, Prediction

CARD = "card.toml"
PREDICTIONS = ("predictions.jsonl", "predictions.jsonl.gz", "predictions.jsonl.zst")
WRITTEN = "predictions.jsonl.zst"
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ENCODER = msgspec.json.Encoder()


class MomentLine(Struct, frozen=True):
    """A moment as it stands in a predictions line; seconds."""

    video_id: str
    start: float
    end: float


class PredictionLine(Struct, frozen=True, omit_defaults=True):
    """A predictions line as it stands in the file: what is not given is left out."""

    dialogue_id: str
    turn: int
    videos: tuple[str, ...] | None = None
    moments: tuple[MomentLine, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None


def line(prediction: Prediction) -> bytes:
    """One prediction as a line of the file, with its newline; same value, same bytes."""
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


def write(folder: Path, card: Card, predictions: Iterable[Prediction]) -> None:
    """Write card.toml and predictions.jsonl.zst into `folder`, both or neither.

    The folder is made if it is absent. Same card and predictions, same bytes. Raises
    EnvironmentFailure if the folder holds predictions by another name or cannot be written.
    """
    made = _made(folder)
    try:
        with written_beside(folder / WRITTEN) as raw:
            with zstd.open(raw, "wb") as stream:
                for prediction in predictions:
                    stream.write(line(prediction))
            # The card last of all that can fail: after it only the renaming of the predictions.
            write_file(folder / CARD, toml_card(card).encode("utf-8"))
    except BaseException:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _made(folder: Path) -> bool:
    """Make the folder if it is absent; whether it was."""
    for name in PREDICTIONS:
        if name != WRITTEN and os.path.lexists(folder / name):
            raise EnvironmentFailure(
                f"{folder}: already holds {name}, and a submission has one predictions file; "
                "remove it or name another folder"
            )
    try:
        made = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailure(f"{folder}: cannot be made: {error.strerror or error}") from error
    return made


def toml_card(card: Card) -> str:
    """The card as TOML, keys in the order of the record, those without a value left out."""
    return "".join(f"{line}\n" for line in _toml_lines(card))


def _toml_lines(card: Card) -> Iterator[str]:
    tables: dict[str, dict[str, Any]] = {}
    for key in card.__struct_fields__:
        value = getattr(card, key)
        if isinstance(value, dict):
            tables[key] = value
        elif value is not None:
            yield f"{key} = {_toml_value(value)}"
    # Tables stand last: in TOML all keys after a table's heading belong to it.
    for key, table in tables.items():
        yield ""
        yield f"[{key}]"
        for name, value in table.items():
            yield f"{_toml_key(name)} = {_toml_value(value)}"


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _toml_text(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, str):
        return _toml_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_toml_key(key)} = {_toml_value(part)}" for key, part in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise TypeError(f"a card holds texts, numbers, lists and tables, not {type(value).__name__}")


def _toml_text(text: str) -> str:
    """A TOML basic string: quotation marks, backslashes and control characters escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\u{ord(c[0]):04x}", escaped) + '"'
