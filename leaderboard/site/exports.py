"""The board for machines and for papers: JSON, CSV, Markdown, LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pandas as pd

from harness.files import readable
from harness.publication.escaping import csv_cell, latex_cell, markdown_cell
from leaderboard.board.formatting import deviation, exact, interval, label, short, unit
from leaderboard.board.records import Cell, Entry, Withdrawal
from leaderboard.site.views.cost_plots import name_and_unit
from leaderboard.site.wording import Words
from leaderboard.tables.costs import CostKind
from leaderboard.tables.ranked_table import Table, TableRow
from leaderboard.tables.remarks import remarks

CSV_COLUMNS = (
    *("track", "history", "candidates", "rank", "floor", "team", "system"),
    *("metric", "value", "low", "high", "turns", "dialogues", "why"),
    *("best_rank", "worst_rank", "alike"),
    *("runs", "least", "greatest", "deviation"),
    *("variant", "control", "annotations"),
    "key",
)
WITHDRAWN_COLUMNS = ("key", "at", "why")
# Fields of a card that a row says only where they are given.
MARKS = ("variant", "control")
COST = "cost: "  # begins the `metric` of a line that holds a declared cost
BETTER = {"higher": "↑", "lower": "↓"}
DAGGER, LATEX_DAGGER = "†", r"$^{\dagger}$"
LATEX_BETTER = {"higher": r"$\uparrow$", "lower": r"$\downarrow$"}


def board(entries: Iterable[Entry]) -> bytes:
    """leaderboard.json: each entry's slice `all`, floors included, by team, system and history.

    A row says its `variant` and `control` where its card does.
    """
    rows = [
        {
            "team": entry.card.team,
            "system": entry.card.system,
            "history": entry.card.history,
            "candidates": entry.card.candidates,
            **{name: value for name in MARKS if (value := getattr(entry.card, name)) is not None},
            "metrics": {
                name: figure_document(cell) for name, cell in entry.scores.metrics["all"].items()
            },
        }
        for entry in sorted(entries, key=_order)
    ]
    return readable({"schema": 1, "rows": rows})


def figure_document(cell: Cell) -> dict[str, Any]:
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

    `best_rank`, `worst_rank`: the rank range of the row; `alike`: whether it does not differ
    significantly from the first. They are of the headline and stand in every line of the row.
    `runs`: how many seeds the figures are the means of; of the headline and of costs the least,
    the greatest and the standard deviation. A line whose `metric` begins with `cost: ` holds what
    the card declares. `control`: what was broken on purpose in a run that has no rank.
    `annotations`: what of the train split's labels the system learned from. `key`: the
    folders of the row's (first) run, by which `ivcr leaderboard diff` knows it again.
    """
    lines = [
        (*_csv_row(row, table), *line, *_csv_rank(row, table), *spread, *_csv_marks(row))
        for table in tables
        for row in table.rows
        for line, spread in (*_csv_figures(row, table), *_csv_costs(row, table))
    ]
    frame = pd.DataFrame(lines, columns=CSV_COLUMNS, dtype="str")
    return frame.to_csv(index=False, lineterminator="\n").encode()


def withdrawn(runs: Iterable[Withdrawal]) -> bytes:
    """withdrawn.csv: a line for each run that was withdrawn: its folders, the time, the reason."""
    lines = [tuple(map(csv_cell, (run.key, run.at, run.why))) for run in runs]
    frame = pd.DataFrame(lines, columns=WITHDRAWN_COLUMNS, dtype="str")
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _csv_row(row: TableRow, table: Table) -> tuple[str, ...]:
    return (
        *(table.track.name, table.history, table.candidates),
        "" if row.rank is None else str(row.rank),
        "yes" if row.entry.floor else "no",
        csv_cell(row.entry.card.team),
        csv_cell(row.entry.card.system),
    )


def _csv_marks(row: TableRow) -> tuple[str, ...]:
    marks = (csv_cell(getattr(row.entry.card, name) or "") for name in (*MARKS, "annotations"))
    return (*marks, csv_cell(row.entry.key))


def _csv_rank(row: TableRow, table: Table) -> tuple[str, ...]:
    span = table.range_of(row)
    alike = "yes" if table.alike(row) else "no" if span else ""
    return (*map(str, span or ("", "")), alike)


def _csv_figures(row: TableRow, table: Table) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    for metric, cell in zip(table.columns, row.cells, strict=True):
        spread = () if row.spread is None or metric is not table.columns[0] else row.spread
        yield (
            (
                metric.name,
                *map(exact, (cell.value, cell.low, cell.high)),
                *("" if size is None else str(size) for size in (cell.turns, cell.dialogues)),
                csv_cell(cell.why or ""),
            ),
            (str(len(row.runs)), *(map(exact, spread) if spread else ("", "", ""))),
        )


def _csv_costs(row: TableRow, table: Table) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Declared costs, `why` holding what is no number."""
    for kind, amount in zip(table.costs, row.amounts, strict=True):
        if amount is not None:
            text = amount.text if amount.value is None else ""
            line = (csv_cell(COST + _cost(kind)), exact(amount.value), *("",) * 4, csv_cell(text))
            spread = map(exact, amount.spread) if amount.spread else ("",) * 3
            yield line, (str(len(row.runs)), *spread)


def _cost(kind: CostKind) -> str:
    name, measure = name_and_unit(kind, Words("en"))
    return f"{name} ({measure})" if measure else name


def join_exports(parts: Sequence[bytes], ending: str) -> bytes:
    """Exports of single tables put together: what the export of all these tables would be."""
    if ending != "csv":
        return b"\n".join(parts)
    head = parts[0].partition(b"\n")[0] + b"\n" if parts else csv([])
    return head + b"".join(part.partition(b"\n")[2] for part in parts)


def markdown(tables: Sequence[Table]) -> bytes:
    """One table after the other under its heading; figures as on the pages."""
    return "\n".join(line for table in tables for line in _markdown(table)).encode()


def _markdown(table: Table) -> list[str]:
    heads = [
        f"{markdown_cell(label(m.name))} ({unit(m)}) {BETTER[m.better]}" for m in table.columns
    ]
    costs = [markdown_cell(_cost(kind)) for kind in table.costs]
    top = ["Rank", "System", "Team", *heads[:1], "95 %", *heads[1:], "Turns", "Dialogues", *costs]
    rows = [
        [
            _rank(row, table),
            markdown_cell(row.entry.card.system) + _marks(row, markdown_cell) + _seeds(row, table),
            markdown_cell(row.entry.card.team),
            *_numbers(row, table, DAGGER),
            *_sizes(row),
            *map(markdown_cell, _amounts(row)),
        ]
        for row in table.rows
    ]
    lines = [top, ["---:", ":---", ":---", *["---:"] * (len(top) - 3)], *rows]
    title = f"## {table.track.name}, history {table.history}, candidates {table.candidates}"
    notes = [line for note in _remarks(table) for line in (note, "")]
    return [title, "", *("| " + " | ".join(cells) + " |" for cells in lines), "", *notes]


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
    costs = [latex_cell(_cost(kind)) for kind in table.costs]
    top = ["", "System", "Team", heads[0], r"95\,\%", *heads[1:], "$n$", *costs]
    body = [
        [
            _rank(row, table).replace("–", "--"),
            *_latex_names(row, table),
            *(cell.replace("–", "--") for cell in _numbers(row, table, LATEX_DAGGER)),
            _sizes(row)[0],
            *map(latex_cell, _amounts(row)),
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
        *map(_under, _remarks(table)),
        "",
    ]


def _remarks(table: Table) -> list[str]:
    return list(map(Words("en").remark, remarks(table)))


def _under(remark: str) -> str:
    """A remark of ours, which needs less escaping than a foreign name, and is not cut."""
    return r"\par{\footnotesize " + remark.replace("%", r"\%").replace(DAGGER, LATEX_DAGGER) + "}"


def _italic(text: str) -> str:
    return rf"\textit{{{text}}}"


def _latex_names(row: TableRow, table: Table) -> tuple[str, str]:
    system, team = (
        _italic(name) if row.entry.floor else name
        for name in map(latex_cell, (row.entry.card.system, row.entry.card.team))
    )
    seeds = _seeds(row, table).replace("–", "--")
    return system + _marks(row, latex_cell) + seeds, team


def _marks(row: TableRow, escape: Callable[[str], str]) -> str:
    """The variant, and what was broken on purpose, behind the name of a system."""
    card = row.entry.card
    variant = "" if card.variant is None else f" ({escape(card.variant)})"
    return variant if card.control is None else f"{variant} (control: {escape(card.control)})"


def _seeds(row: TableRow, table: Table) -> str:
    """How many seeds share a row and how they differ, behind the name of its system."""
    if len(row.runs) < 2:
        return ""
    metric, text = table.columns[0], f"{len(row.runs)} seeds"
    if row.spread is not None:
        low, high = (short(value, metric) for value in row.spread[:2])
        text += f": {low}–{high}, SD {deviation(row.spread.deviation, metric)}"
    return f" ({text})"


def _amounts(row: TableRow) -> list[str]:
    return ["–" if amount is None else amount.text for amount in row.amounts]


def _rank(row: TableRow, table: Table) -> str:
    if row.rank is None:
        return "floor" if row.entry.floor else "–"
    span = table.range_of(row)
    return str(row.rank) if span is None else f"{row.rank} ({span[0]}–{span[1]})"


def _numbers(row: TableRow, table: Table, mark: str) -> list[str]:
    first, *rest = zip(row.cells, table.columns, strict=True)
    return [
        short(first[0].value, first[1]) + (mark if table.alike(row) else ""),
        interval(*first) or "–",
        *(short(cell.value, metric) for cell, metric in rest),
    ]


def _sizes(row: TableRow) -> list[str]:
    sizes = (row.cells[0].turns, row.cells[0].dialogues)
    return ["–" if size is None else str(size) for size in sizes]
