"""An audit as one self-contained HTML page; everything that it shows is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any

from harness.audit.attribution import Attribution
from harness.audit.result import NOTES, WITHHELD, Audit
from harness.audit.steps import BY_TURN, OVERALL, REPAIRS
from harness.audit.text_report import effective_parts, is_withheld, percent
from harness.protocols.official import OfficialCount

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
caption { text-align: left; font-weight: 600; padding: .3rem 0 }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #ccc; text-align: left;
  vertical-align: top; max-width: 30rem; overflow-wrap: anywhere }
.number { text-align: right; overflow-wrap: normal }
tr.end td { font-weight: 600; border-top: 2px solid #555 }
code { overflow-wrap: anywhere }
dt { font-weight: 600 } dd { margin: 0 0 .6rem 0 }
details { margin: .5rem 0 } summary { cursor: pointer }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #181818 }
  th, td { border-color: #444 } }
"""
# Headings of the columns that hold numbers, and what a number looks like: "-0.992", "35.86 (1/3)".
NUMBERS_BELOW = ("official", "sound, all turns", "sound, turns that are asked", "points", "up",
                 "down", "counted")  # fmt: skip
_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?( \([\d,]+/[\d,]+\))?|—")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(found: Audit) -> bytes:
    """The page as UTF-8; it needs no other file and runs no script."""
    title = f"Audit of an official result file on {found.heading['benchmark']}"
    body = "\n".join(_body(found, title))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    ).encode()


def _body(found: Audit, title: str) -> Iterator[str]:
    yield f"<h1>{_text(title)}</h1>"
    yield (
        "<p>The published scorer of IVCR-200K has known defects. Below, its figures for one result"
        " file stand beside sound ones, with what each defect adds to or takes from a figure. The"
        " parts of a figure add up to the whole difference, exactly, in turns.</p>"
    )
    yield _table("What was audited", None, ((name, _shown(v)) for name, v in found.heading.items()))
    yield "<h2>The figures</h2>"
    yield _table(
        "Percentages, with right answers and turns",
        ("figure", "official", "sound, all turns", "sound, turns that are asked"),
        (_summary(found, figure, cell) for figure, cell in _overall(found).items()),
    )
    yield (
        "<p><b>Sound</b>: every turn joined to its own answer, replies read as a person reads them,"
        " gold taken from the data, thresholds compared exactly. A turn that the result file cannot"
        " answer is wrong over <i>all turns</i>, left out over the turns <i>that are asked</i>.</p>"
    )
    yield "<h2>What each defect moves</h2>"
    yield (
        "<p>Defects are repaired one after the other, in the order of the rows; a turn that two of"
        " them move is counted at the first. Order of the overall figures:"
        f" {_text(', '.join(OVERALL))}; of the per-turn table: {_text(', '.join(BY_TURN))}.</p>"
    )
    for name, row in found.attributed.figures.items():
        tables = [
            _parts(found, f"{figure}, {name}", found.official[name][figure], explained)
            for figure, explained in row.items()
        ]
        yield _folded(name, tables)
    yield from _rest(found)


def _overall(found: Audit) -> dict[str, Attribution]:
    return found.attributed.figures.get("all", {})


def _summary(found: Audit, figure: str, explained: Attribution) -> tuple[str, ...]:
    official = found.official["all"][figure]
    if is_withheld(found, official):
        return figure, WITHHELD, "", ""
    first = percent(explained.official)
    if official.why is not None:
        first = f"none: {official.why}; carried on past it, {first}"
    return figure, first, percent(explained.sound), percent(explained.sound_items)


def _parts(found: Audit, name: str, official: OfficialCount, explained: Attribution) -> str:
    if is_withheld(found, official):
        return f"<p>{_text(name)}: {WITHHELD}</p>"
    rows = [("sound, asked", percent(explained.sound_items), "", "", "", "")]
    for part in reversed(list(effective_parts(explained))):
        numbers = (f"{count:,}" for count in (part.up, part.down, part.added))
        effect = f"{100 * float(part.effect):+.3f}"
        rows.append((part.defect, effect, *numbers, REPAIRS[part.defect]))  # type: ignore[arg-type]
    rows.append(("official figure", percent(explained.official), "", "", "", official.why or ""))
    return _table(name, ("defect", "points", "up", "down", "counted", "what it does"), rows)


def _rest(found: Audit) -> Iterator[str]:
    yield "<h2>Examples</h2>"
    if not found.attributed.examples:
        yield "<p>None: no turn was moved, or labels are hidden.</p>"
    for row in found.attributed.examples:
        heading = f"{row['defect']}: {row['dialogue_id']}, turn {row['turn']}, moved {row['moved']}"
        yield _folded(heading, [_table(row["figure"], None, _example(row))])
    yield "<h2>The result file as a submission</h2>"
    yield "<ul>" + "".join(f"<li>{_text(x)}</li>" for x in found.conversion.lines()) + "</ul>"
    yield "<h2>Notes</h2>"
    notes = (f"<dt>{_text(name)}</dt><dd>{_text(note)}</dd>" for name, note in NOTES.items())
    yield f"<dl>{''.join(notes)}</dl>"


def _example(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = {
        "utterance": "question",
        "reference": "reference answer",
        "judged": "answer that was judged",
        "own": "answer of the turn",
        "official_reading": "read officially",
        "sound_reading": "read by us",
    }
    return ((label, _shown(row[name])) for name, label in names.items())


def _folded(summary: str, parts: list[str]) -> str:
    expanded = " open" if summary == "all" else ""
    return f"<details{expanded}><summary>{_text(summary)}</summary>{''.join(parts)}</details>"


def _table(caption: str, head: tuple[str, ...] | None, rows: Iterable[tuple[str, ...]]) -> str:
    heading = "" if head is None else f"<tr>{''.join(_cell(name, 'th') for name in head)}</tr>"
    lines = (f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><caption>{_text(caption)}</caption>{heading}{''.join(lines)}</table>"


def _cell(value: str, tag: str = "td") -> str:
    number = value in NUMBERS_BELOW or _NUMBER.fullmatch(value)
    kind = ' class="number"' if number else ""
    return f"<{tag}{kind}><bdi>{_text(value)}</bdi></{tag}>"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _text(value: str) -> str:
    """Text without controls and direction marks, escaped for HTML."""
    kept = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in value
    )
    return html.escape(kept)
