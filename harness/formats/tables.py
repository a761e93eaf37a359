"""Tables as people save them: encodings, separators, headings and empty cells.

A heading's capitals, blanks and hyphens do not count. Commas, semicolons or tabs separate the
columns, whichever the heading shows; a line `sep=;` before it decides, as in Excel.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from harness.errors import SubmissionError
from harness.files import shown
from harness.formats.conversion import DropLog, text_lines
from harness.submission import PARTS, PREDICTION_KEYS
from harness.validation.suggestions import Suggestions

NAMING = PREDICTION_KEYS[:2]
# What pandas, R, numpy and spreadsheets write where there is nothing.
EMPTY = frozenset(
    ("nan", "NaN", "NAN", "None", "none", "null", "NULL", "NA", "N/A", "#N/A", "<NA>", "NaT")
)
SEPARATORS = {",": ",", ";": ";", "\t": "a tab"}
COLUMNS = 1000  # of a table
_SEP = re.compile(r'"?sep=([,;|\t])"?', re.IGNORECASE)
Row = dict[str, str]


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


_COLUMNS = {_plain(name): name for name in PREDICTION_KEYS}
_near_column = Suggestions(PREDICTION_KEYS)


def rows(path: Path, log: DropLog) -> Iterator[tuple[str, Row]]:
    """Place and cells by column of every row that is not empty.

    Raises EnvironmentFailure if the file cannot be read, SubmissionError if it is no such table.
    """
    lines = text_lines(path)
    skipped, first, separator = 0, next(lines, ""), ""
    if named := _SEP.fullmatch(first.strip("\r\n")):
        separator = named[1]
        log.notes.append("the first line (sep=) is passed over")
    while named or (first and not first.strip()):
        skipped, first, named = skipped + 1, next(lines, ""), None
    separator = separator or max(SEPARATORS, key=lambda each: _known_columns(first, each))
    if separator != ",":
        log.notes.append(f"{SEPARATORS.get(separator, separator)} separates the columns")
    table = csv.reader(chain([first], lines), strict=True, delimiter=separator)
    try:
        heading = _checked_heading(next(table, []), f"{path}:{skipped + 1}", log)
        for cells in table:
            place = f"{path}:{skipped + table.line_num}"
            if all(cell.strip() in EMPTY or not cell.strip() for cell in cells):
                log.counts["empty rows, passed over"] += 1
            else:
                yield place, _row(heading, cells, separator, place, log)
    except csv.Error as error:
        raise SubmissionError(f"{path}:{skipped + table.line_num}: not CSV: {error}") from error


def _known_columns(line: str, separator: str) -> int:
    cells = next(csv.reader([line], delimiter=separator), [])
    return sum(_plain(cell) in _COLUMNS for cell in cells)


def _checked_heading(cells: Sequence[str], place: str, log: DropLog) -> list[str]:
    """The columns by their names here; one that is not known is dropped or, near one, refused."""
    if len(cells) > COLUMNS:
        raise SubmissionError(f"{place}: expected at most {COLUMNS} columns, found {len(cells):,}")
    heading = [_COLUMNS.get(_plain(cell), cell.strip()) for cell in cells]
    for name in NAMING:
        if name not in heading:
            found = ", ".join(map(shown, heading[:8])) or "nothing"
            raise SubmissionError(
                f"{place}: expected a column {name}, found {found}; the first line names the "
                f"columns: {', '.join(PREDICTION_KEYS)}"
            )
    for name in PREDICTION_KEYS:
        if heading.count(name) > 1:
            raise SubmissionError(f"{place}: column {shown(name)} occurs twice; keep one")
    for name in heading:
        if name not in PREDICTION_KEYS:
            nearest = _near_column.nearest(name)
            if nearest and nearest not in heading:
                raise _unknown_column(place, [name], f"; did you mean {nearest}?")
            log.counts[f"column {shown(name)}, dropped"] += 1
    if not set(PARTS) & set(heading):
        raise _unknown_column(place, [name for name in heading if name not in NAMING], "")
    return heading


def _unknown_column(place: str, found: Sequence[str], hint: str) -> SubmissionError:
    step = hint or "; name them so, one row a turn, its list in one cell"
    return SubmissionError(
        f"{place}: expected answers in columns {', '.join(PARTS)}, found "
        f"{', '.join(map(shown, found[:8])) or 'none'}{step}"
    )


def _row(heading: list[str], cells: list[str], separator: str, place: str, log: DropLog) -> Row:
    if any(cell.strip() for cell in cells[len(heading) :]) or len(cells) < len(heading):
        raise SubmissionError(
            f"{place}: expected {len(heading)} cells as in the heading, found {len(cells)}; "
            f'put a cell that holds {SEPARATORS.get(separator, separator)} into quotation marks "'
        )
    row = dict(zip(heading, cells, strict=False))
    for part in PARTS:
        if row.get(part, "").strip() in EMPTY:
            row[part] = ""
            log.counts["cells that say nan, None or the like, read as empty"] += 1
    return row
