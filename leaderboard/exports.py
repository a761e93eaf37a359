"""The board for machines and for papers: JSON, CSV, Markdown, LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pandas as pd

from harness.files import readable
from leaderboard.figures import exact, interval, label, short, unit
from leaderboard.records import Entry
from leaderboard.standings import remarks
from leaderboard.strangers import csv_cell, latex_cell, markdown_cell
from leaderboard.table import Row, Table
from leaderboard.wording import Words

CSV_COLUMNS = (
    *("track", "history", "candidates", "rank", "floor", "team", "system"),
    *("metric", "value", "low", "high", "turns", "dialogues", "why"),
    *("best_rank", "worst_rank", "alike"),
)
BETTER = {"higher": "↑", "lower": "↓"}
DAGGER, LATEX_DAGGER = "†", r"$^{\dagger}$"
LATEX_BETTER = {"higher": r"$\uparrow$", "lower": r"$\downarrow$"}


def board(entries: Iterable[Entry]) -> bytes:
    """leaderboard.json: each entry's slice `all`, floors included, by team, system and history."""
    rows = [
        {
            "team": entry.card.team,
            "system": entry.card.system,
            "history": entry.card.history,
            "candidates": entry.card.candidates,
            "metrics": {name: _cell(cell) for name, cell in entry.scores.metrics["all"].items()},
        }
        for entry in sorted(entries, key=_order)
    ]
    return readable({"schema": 1, "rows": rows})


def _cell(cell: Any) -> dict[str, Any]:
    """A cell as scores.json has it: a defined figure keeps its bounds even where they are null."""
    if cell.value is None:
        return {name: value for name, value in msgspec.structs.asdict(cell).items()
                if value is not None or name == "value"}  # fmt: skip
    return {name: getattr(cell, name) for name in ("value", "low", "high", "turns", "dialogues")}


def _order(entry: Entry) -> tuple[str, ...]:
    card = entry.card
    return card.team, card.system, card.history, card.candidates, entry.key


def csv(tables: Sequence[Table]) -> bytes:
    """One line a figure, fractions with ten significant digits, ready for a spreadsheet.

    `best_rank`, `worst_rank`: the rank range of the row; `alike`: whether it cannot be told apart
    from the first. They are of the headline and stand in every line of the row.
    """
    lines = [
        (
            table.track.name,
            table.history,
            table.candidates,
            "" if row.rank is None else str(row.rank),
            "yes" if row.entry.floor else "no",
            csv_cell(row.entry.card.team),
            csv_cell(row.entry.card.system),
            metric.name,
            *(exact(bound) for bound in (cell.value, cell.low, cell.high)),
            *("" if size is None else str(size) for size in (cell.turns, cell.dialogues)),
            csv_cell(cell.why or ""),
            *map(str, table.range_of(row) or ("", "")),
            "yes" if table.alike(row) else "no" if table.range_of(row) else "",
        )
        for table in tables
        for row in table.rows
        for metric, cell in zip(table.columns, row.cells, strict=True)
    ]
    frame = pd.DataFrame(lines, columns=CSV_COLUMNS, dtype="str")
    return frame.to_csv(index=False, lineterminator="\n").encode()


def markdown(tables: Sequence[Table]) -> bytes:
    """One table after the other under its heading; figures as on the pages."""
    return "\n".join(line for table in tables for line in _markdown(table)).encode()


def _markdown(table: Table) -> list[str]:
    heads = [
        f"{markdown_cell(label(m.name))} ({unit(m)}) {BETTER[m.better]}" for m in table.columns
    ]
    top = ["Rank", "System", "Team", *heads[:1], "95 %", *heads[1:], "Turns", "Dialogues"]
    rows = [
        [
            _rank(row, table),
            markdown_cell(row.entry.card.system),
            markdown_cell(row.entry.card.team),
            *_numbers(row, table, DAGGER),
            *_sizes(row),
        ]
        for row in table.rows
    ]
    lines = [top, ["---:", ":---", ":---", *["---:"] * (len(top) - 3)], *rows]
    title = f"## {table.track.name}, history {table.history}, candidates {table.candidates}"
    said = [line for note in remarks(table, Words("en")) for line in (note, "")]
    return [title, "", *("| " + " | ".join(cells) + " |" for cells in lines), "", *said]


def latex(tables: Sequence[Table]) -> bytes:
    """One booktabs tabular after the other, floors in italics; needs \\usepackage{booktabs}."""
    return "\n".join(line for table in tables for line in _latex(table)).encode()


def _latex(table: Table) -> list[str]:
    heads = [
        f"{latex_cell(m.name)} {LATEX_BETTER[m.better]}".replace(
            r",IoU\textgreater{}=", r", IoU $\ge$ "
        )
        for m in table.columns
    ]
    top = ["", "System", "Team", heads[0], r"95\,\%", *heads[1:], "$n$"]
    body = [
        [
            _rank(row, table).replace("–", "--"),
            *map(_italic if row.entry.floor else str, map(latex_cell, _names(row))),
            *(cell.replace("–", "--") for cell in _numbers(row, table, LATEX_DAGGER)),
            _sizes(row)[0],
        ]
        for row in table.rows
    ]
    title = f"% {table.track.name}, history {table.history}, candidates {table.candidates}"
    return [
        title + "; shares in per cent",
        rf"\begin{{tabular}}{{rll{'r' * (len(top) - 3)}}}",
        r"\toprule",
        " & ".join(top) + r" \\",
        r"\midrule",
        *(" & ".join(cells) + r" \\" for cells in body),
        r"\bottomrule",
        r"\end{tabular}",
        *map(_under, remarks(table, Words("en"))),
        "",
    ]


def _under(remark: str) -> str:
    """A remark of ours, which needs less escaping than a stranger's name, and is not cut."""
    return r"\par{\footnotesize " + remark.replace("%", r"\%").replace(DAGGER, LATEX_DAGGER) + "}"


def _italic(text: str) -> str:
    return rf"\textit{{{text}}}"


def _names(row: Row) -> tuple[str, str]:
    return row.entry.card.system, row.entry.card.team


def _rank(row: Row, table: Table) -> str:
    if row.rank is None:
        return "floor" if row.entry.floor else "–"
    span = table.range_of(row)
    return str(row.rank) if span is None else f"{row.rank} ({span[0]}–{span[1]})"


def _numbers(row: Row, table: Table, mark: str) -> list[str]:
    first, *rest = zip(row.cells, table.columns, strict=True)
    return [
        short(first[0].value, first[1]) + (mark if table.alike(row) else ""),
        interval(*first) or "–",
        *(short(cell.value, metric) for cell, metric in rest),
    ]


def _sizes(row: Row) -> list[str]:
    sizes = (row.cells[0].turns, row.cells[0].dialogues)
    return ["–" if size is None else str(size) for size in sizes]
