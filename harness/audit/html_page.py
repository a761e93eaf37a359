"""An audit as one self-contained HTML page; everything that it shows is escaped."""

from __future__ import annotations

import re
from typing import Any

from harness.audit.attribution import Attribution
from harness.audit.result import NOTES, Audit
from harness.audit.steps import BY_TURN, OVERALL, REPAIRS
from harness.audit.text_report import effective_parts, percent
from harness.protocols.official import OfficialCount
from harness.publication.disclosure import TOO_SMALL

SUMMARY = ("figure", "official", "sound, all turns", "sound, turns that are asked")
PARTS = ("defect", "points", "up", "down", "counted", "what it does")
# Headings of the columns that hold numbers, and what a number looks like: "-0.992", "35.86 (1/3)".
NUMBERS_BELOW = (*SUMMARY[1:], *PARTS[1:-1])
NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?( \([\d,]+/[\d,]+\))?|—")
EXAMPLE = {
    "utterance": "question",
    "reference": "reference answer",
    "judged": "answer that was judged",
    "own": "answer of the turn",
    "official_reading": "read officially",
    "sound_reading": "read by us",
}
Rows = list[tuple[str, ...]]


def page(found: Audit) -> bytes:
    """The page as UTF-8; it needs no other file and runs no script."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("harness.audit"),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["numeric"] = _is_numeric
    return environment.get_template("audit.html").render(_values(found)).encode()


def _values(found: Audit) -> dict[str, Any]:
    """The values of the template."""
    return {
        "title": f"Audit of an official result file on {found.heading['benchmark']}",
        "heading": [(name, _text(value)) for name, value in found.heading.items()],
        "overall": [
            _summary(found, figure, explained)
            for figure, explained in found.attributed.figures.get("all", {}).items()
        ],
        "parts": [
            (name, [_parts(found, name, figure, each) for figure, each in row.items()])
            for name, row in found.attributed.figures.items()
        ],
        "examples": [_example(row) for row in found.attributed.examples],
        "conversion": found.conversion.lines(),
        "notes": NOTES,
        "withheld": TOO_SMALL,
        "summary_heads": SUMMARY,
        "part_heads": PARTS,
        "overall_order": OVERALL,
        "turn_order": BY_TURN,
    }


def _summary(found: Audit, figure: str, explained: Attribution) -> tuple[str, ...]:
    official = found.official["all"][figure]
    if ("all", figure) in found.small:
        return figure, TOO_SMALL, "", ""
    first = percent(explained.official)
    if official.why is not None:
        first = f"none: {official.why}; carried on past it, {first}"
    return figure, first, percent(explained.sound), percent(explained.sound_items)


def _parts(found: Audit, name: str, figure: str, explained: Attribution) -> tuple[str, Rows]:
    """The caption of a figure's parts, and their rows; none where the figure is withheld."""
    official: OfficialCount = found.official[name][figure]
    rows: Rows = []
    if (name, figure) not in found.small:
        rows.append(("sound, asked", percent(explained.sound_items), "", "", "", ""))
        for part in reversed(list(effective_parts(explained))):
            numbers = (f"{count:,}" for count in (part.up, part.down, part.added))
            effect = f"{100 * float(part.effect):+.3f}"
            rows.append((part.defect, effect, *numbers, REPAIRS[part.defect]))
        end = ("official figure", percent(explained.official), "", "", "", official.why or "")
        rows.append(end)
    return f"{figure}, {name}", rows


def _example(row: dict[str, Any]) -> tuple[str, str, Rows]:
    summary = f"{row['defect']}: {row['dialogue_id']}, turn {row['turn']}, moved {row['moved']}"
    return summary, row["figure"], [(label, _text(row[name])) for name, label in EXAMPLE.items()]


def _is_numeric(value: str) -> bool:
    return value in NUMBERS_BELOW or NUMBER.fullmatch(value) is not None


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _printable(value: Any) -> Any:
    """Text without controls and direction marks; the template's own markup as it is."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in value
    )
