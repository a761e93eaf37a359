"""Foreign text made safe for each place where it is shown: pages, CSV, Markdown, LaTeX."""

from __future__ import annotations

import re
import string
from urllib.parse import urlsplit

NAME = 120  # characters of a name in a table
LONG = 4_000  # characters of a description
LONGEST_LINK = 2_000
# Spreadsheets take a cell that begins so for a formula; the wide forms count too in some of them.
FORMULA = tuple("=+-@\t\r|%＝＋－＠")
# An escaped mark between two letters or digits; a point between digits alone, since GitHub makes
# links of `www.example.org`.
_WITHIN_A_WORD = re.compile(r"(?<=[A-Za-z0-9])\\([_-])(?=[A-Za-z0-9])|(?<=[0-9])\\(\.)(?=[0-9])")
LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",  # \textquotedbl needs another font encoding
    "`": r"\textasciigrave{}",
    "-": "{-}",  # `--` would become a dash
    "'": "{'}",
    **{mark: "\\" + mark for mark in "&%$#_{}"},
}


def visible(text: str, cut: int = NAME) -> str:
    """One line of text in which nothing is hidden: controls and marks escaped, cut to `cut`.

    Terminal escapes, line breaks and marks that reorder or hide text show as their code.
    """
    line = text if len(text) <= cut else text[: cut - 1] + "…"
    # Printable, as Python has it: no control, mark, surrogate, unknown or separator but the space.
    return line if line.isprintable() else "".join(map(_visible, line))


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def csv_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before one."""
    safe = visible(text)
    return "'" + safe if safe.lstrip().startswith(FORMULA) else safe


def markdown_cell(text: str, cut: int = NAME) -> str:
    """Text for Markdown, tables too: all ASCII punctuation is escaped (CommonMark 0.31, 2.4)."""
    return "".join("\\" + c if c in string.punctuation else c for c in visible(text, cut))


def markdown_text(text: str, cut: int = NAME) -> str:
    """As markdown_cell, but `team_a`, `dual-encoder` and `1.5` are left as they are.

    Within a word these marks are plain text (CommonMark 0.31, 6.2), a comma is so everywhere.
    """
    return _WITHIN_A_WORD.sub(r"\1\2", markdown_cell(text, cut)).replace("\\,", ",")


def latex_cell(text: str) -> str:
    """Text for LaTeX, with no package needed: no character of it acts as a command."""
    return "".join(LATEX.get(c, c) for c in visible(text))


def link(text: str | None) -> str | None:
    """`text` if it is an ordinary http or https address, else None: it is then shown as text."""
    if text is None or len(text) > LONGEST_LINK or not re.fullmatch(r"[!-~]+", text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.hostname else None
