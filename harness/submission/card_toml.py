"""A card as TOML."""

from __future__ import annotations

import tomli_w

from harness.records import Card


def toml_card(card: Card) -> str:
    """The card as TOML, keys in the order of the record, those without a value left out.

    Tables come last: in TOML all keys after a table's heading belong to it.
    """
    values = {key: getattr(card, key) for key in card.__struct_fields__}
    return tomli_w.dumps({key: value for key, value in values.items() if value is not None})
