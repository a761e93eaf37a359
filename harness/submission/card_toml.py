"""A card as TOML."""

from __future__ import annotations

import tomli_w

from harness.errors import WrongUsageError
from harness.files import plain, shown
from harness.records import Card


def toml_card(card: Card) -> str:
    """The card as TOML, keys in the order of the record, those without a value left out.

    Tables come last: in TOML all keys after a table's heading belong to it. NumPy's values are
    written as plain ones. Raises WrongUsageError at a value that TOML does not have.
    """
    values = {key: getattr(card, key) for key in card.__struct_fields__}
    return tomli_w.dumps(
        {key: _plain(key, value) for key, value in values.items() if value is not None}
    )


def _plain(key: str, value: object) -> object:
    try:
        found = plain(value)
        tomli_w.dumps({key: found})
    except (TypeError, ValueError) as error:
        raise WrongUsageError(
            f"card: {key}: expected text, numbers, and lists or tables of them, found "
            f"{shown(repr(value))} ({error})"
        ) from error
    return found
