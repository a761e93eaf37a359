"""Writing a submission, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import EnvironmentFailure
from harness.files import open_replacement, zstd
from harness.files import write as write_file
from harness.records import Card, Prediction
from harness.replacement import remove_stale, replaced_folder
from harness.submission.card_toml import toml_card
from harness.submission.lines import line

CARD = "card.toml"
PREDICTIONS = ("predictions.jsonl", "predictions.jsonl.gz", "predictions.jsonl.zst")
WRITTEN = "predictions.jsonl.zst"


def write(folder: Path, card: Card, predictions: Iterable[Prediction]) -> None:
    """Write card.toml and predictions.jsonl.zst into `folder`, both or neither.

    The folder is made if it is absent. Same card and predictions, same bytes. Raises
    EnvironmentFailure if the folder holds predictions by another name or cannot be written.
    """
    _check(folder)
    with filled_folder(folder) as place:
        _write_into(place, card, predictions)


@contextmanager
def filled_folder(folder: Path) -> Iterator[Path]:
    """A folder that is there, or else a new one, which stands only if the block succeeds."""
    remove_stale(folder.parent)
    if os.path.lexists(folder):
        yield folder
        return
    with replaced_folder(folder, must_be_new=True, parents=True) as new:
        yield new


def predictions_in(folder: Path) -> list[str]:
    """The names of the predictions files in a submission's folder; one, if it is sound."""
    return [name for name in PREDICTIONS if os.path.lexists(folder / name)]


def _write_into(folder: Path, card: Card, predictions: Iterable[Prediction]) -> None:
    with open_replacement(folder / WRITTEN) as raw:
        with zstd.open(raw, "wb") as stream:
            for prediction in predictions:
                stream.write(line(prediction))
        # The card last of all that can fail: after it only the renaming of the predictions.
        write_file(folder / CARD, toml_card(card).encode("utf-8"))


def _check(folder: Path) -> None:
    """Refuse a folder that holds predictions by another name."""
    for name in predictions_in(folder):
        if name != WRITTEN:
            raise EnvironmentFailure(
                f"{folder}: already holds {name}, and a submission has one predictions file; "
                "remove it or name another folder"
            )
