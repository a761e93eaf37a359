"""The words of the interface, in English and Chinese."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from leaderboard.tables.remarks import Remark

LANGUAGES = ("en", "zh")
HTML_LANGUAGE = {"en": "en", "zh": "zh-Hans"}


class Words:
    """`words("table.rank")` in one language; named gaps are filled by keyword."""

    def __init__(self, language: str) -> None:
        """`language` is one of LANGUAGES."""
        self.language = language

    def __call__(self, key: str, **gaps: object) -> str:
        """The words under `key`. Raises KeyError for a key that wording.toml does not have."""
        text = wording()[key][self.language]
        return text.format(**gaps) if gaps else text

    def remark(self, remark: Remark) -> str:
        """A remark in this language. Raises KeyError for a key that wording.toml does not have."""
        if remark.key.startswith("unit."):
            return self.unit(remark.key.removeprefix("unit."))
        gaps = {
            name: self.remark(gap) if isinstance(gap, Remark) else gap
            for name, gap in remark.gaps.items()
        }
        return self(remark.key, **gaps)

    def unit(self, name: str) -> str:
        """A metric's unit in this language, as it stands where the interface has no word for it."""
        return wording().get(f"unit.{name}", {}).get(self.language, name)

    def cost(self, name: str) -> str:
        """A cost's name in this language, as the card has it where the interface has no word."""
        return wording().get(f"cost.{name}", {}).get(self.language, name)


@cache
def wording() -> dict[str, dict[str, str]]:
    """wording.toml as {"table.rank": {"en": ..., "zh": ...}}."""
    tables: dict[str, dict[str, Any]] = tomllib.loads(
        files("leaderboard.site").joinpath("templates/wording.toml").read_text("utf-8")
    )
    return {
        f"{section}.{name}": dict(texts)
        for section, table in tables.items()
        for name, texts in table.items()
    }
