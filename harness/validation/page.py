"""The page of all rules: `python -m harness.validation.page > docs/rules.md`."""

from __future__ import annotations

from harness.validation.rules.rule import Rule
from harness.validation.rules.rule_table import RULES

KINDS = {
    "S": "The submission and its files",
    "C": "The card",
    "L": "Lines",
    "T": "Turns",
    "V": "Videos",
    "M": "Moments",
    "H": "Choices among candidates",
    "R": "Responses",
}
INTRODUCTION = """\
# Rules of validation

`ivcr validate SUB --benchmark B` applies these rules in one pass and reports every problem of every
kind: the first twenty of a code in full, and all of them in the totals. An *error* makes a
submission invalid; a *warning* does not. Codes are stable. Nothing here looks at gold.

An empty list, and an empty response in a chat turn, is an abstention: valid, counted, and scored as
wrong.

Before anything is parsed, files are bounded: a card to 64 KiB, to keys of 16 parts and to lists and
tables 16 deep; `scores.json` to 4 MiB, 16 deep and a million values; `scores.outcomes.npz` to 64
entries and a table of 1,000 rows with a column for each turn; predictions as S109, S110, S115, S116
and L100 say. `docs/performance.md` has what the worst of them cost.
"""
HEADING = "| code | severity | what holds | a bad example |\n|---|---|---|---|\n"


def page() -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION]
    for letter, title in KINDS.items():
        rows = [RULES[code] for code in sorted(RULES) if code.startswith(letter)]
        parts.append(f"\n## {title}\n\n{HEADING}")
        parts.extend(map(_row, rows))
    return "".join(parts)


def _row(rule: Rule) -> str:
    bad = rule.bad.replace("|", "\\|")
    return f"| {rule.code} | {rule.severity} | {rule.states} | {bad} |\n"


if __name__ == "__main__":
    print(page(), end="")
