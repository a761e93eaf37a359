"""A comparison as LaTeX tables that need no package. No character of a name acts as a command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.comparison.compare import Comparison
from harness.comparison.differences import Difference
from harness.comparison.notes import CORRECTED
from harness.comparison.terminal import effect, percent, probability
from harness.publication.escaping import latex_cell

WHO = ("", "system", "team", "history", "candidates")
WHAT = (
    *("metric", "slice", "pair", "first", "second", "difference", r"95\,\% interval"),
    *("$d_z$", "turns", "$p$"),
)


def latex_lines(found: Comparison) -> Iterator[str]:
    """Three tables: the systems, the differences, and propagation where runs are linked.

    Figures are shares times 100; p is corrected after Holm over the pairs of a metric and slice.
    """
    yield f"% {CORRECTED}"
    if found.left_out:
        yield f"% {found.notes[-1]}"
    yield from _table("lllll", WHO, ([s.label, *map(latex_cell, (s.system, s.team)), s.history,
                                      s.candidates] for s in found.systems))  # fmt: skip
    yield from _table("lllrrrcrrr", WHAT, map(_row, found.differences))
    figures = [row for each in found.propagation for row in each.figures]
    if figures:
        yield from _table("lllrrrcrrr", WHAT, map(_row, figures))


def _table(columns: str, heading: tuple[str, ...], rows: Iterable[list[str]]) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{{columns}}}"
    yield r"\hline"
    yield " & ".join(heading) + r" \\"
    yield r"\hline"
    for row in rows:
        yield " & ".join(row) + r" \\"
    yield r"\hline"
    yield r"\end{tabular}"


def _row(row: Difference) -> list[str]:
    head = [latex_cell(row.metric), latex_cell(row.slice), f"{row.first} $-$ {row.second}"]
    if row.why is not None:
        turns = "" if row.turns is None else str(row.turns)
        return [*head, rf"\multicolumn{{5}}{{l}}{{{latex_cell(row.why)}}}", turns, ""]
    return [
        *head,
        percent(row.first_value),
        percent(row.second_value),
        _signed(percent(row.value, "+")),
        "" if row.low is None else _signed(f"[{percent(row.low, '+')}, {percent(row.high, '+')}]"),
        _signed(effect(row)),
        str(row.turns),
        probability(row),
    ]


def _signed(figure: str) -> str:
    """A figure in mathematics, where a minus is one; a dash stays as it is."""
    return figure if figure == "—" else f"${figure}$"
