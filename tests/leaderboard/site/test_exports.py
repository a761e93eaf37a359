"""Exports: the figures of scores.json, unchanged, in every format."""

import csv
import io
import json
import re

import pytest

from leaderboard.site import exports
from tests.leaderboard.tables.test_ranked_table import entry, video


def test_leaderboard_json_is_the_slice_all_of_every_scores_file(board):
    rows = json.loads((board.site / "leaderboard.json").read_text())["rows"]
    expected = []
    for file in [
        *board.submissions.glob("*/*/scores.json"),
        *board.bench.floors.glob("*/*/scores.json"),
    ]:
        document = json.loads(file.read_text())
        of = document["submission"]
        names = ("team", "system", "history", "candidates")
        expected.append(
            {name: of[name] for name in names} | {"metrics": document["metrics"]["all"]}
        )
    order = lambda row: [row[name] for name in ("team", "system", "history", "candidates")]  # noqa: E731
    assert rows == sorted(expected, key=order)


def test_a_figure_without_an_interval_keeps_its_null_bounds():
    (row,) = json.loads(exports.board([entry("a", **{"R@1": 0.4})]))["rows"]
    assert row["metrics"]["R@1"] == {"value": 0.4} | dict.fromkeys(
        ("low", "high", "turns", "dialogues")
    )


def test_csv_holds_every_cell_of_every_table_at_full_precision(board):
    lines = list(csv.DictReader(io.StringIO((board.site / "leaderboard.csv").read_text())))
    expected = [
        (table.track.name, row.entry.card.system, metric.name, cell.value, row.rank)
        for table in board.tables
        for row in table.rows
        for metric, cell in zip(table.columns, row.cells, strict=True)
    ]
    found = [
        (
            line["track"],
            line["system"],
            line["metric"],
            float(line["value"]) if line["value"] else None,
            int(line["rank"]) if line["rank"] else None,
        )
        for line in lines
        if not line["metric"].startswith(exports.COST)
    ]
    assert found == expected


def test_markdown_and_latex_have_one_row_an_entry_and_equal_columns(board):
    for table in board.tables:
        file = board.site / "tables" / f"{table.name}.md"
        markdown = [line for line in file.read_text().splitlines() if line.startswith("|")]
        assert len(markdown) == len(table.rows) + 2
        assert len({len(re.split(r"(?<!\\)\|", line)) for line in markdown}) == 1
        latex = (board.site / "tables" / f"{table.name}.tex").read_text()
        body = latex.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
        columns = len(re.search(r"\\begin\{tabular\}\{(\w+)\}", latex)[1])
        assert len(body) == len(table.rows)
        assert {len(re.split(r"(?<!\\)&", line)) for line in body} == {columns}


ACTIVE = {
    exports.csv: [r',"?='],
    exports.markdown: [r"(?<!\\)<", r"(?<!\\)\*", r"(?<! )(?<!\\)\|(?! )"],
    exports.latex: [r"\\input", r"(?<!\\)\$%", r"(?<!\\)_"],
}
HOSTILE = r'=HYPERLINK("x")\input{/etc/passwd} | a & b <b>_*$%'


@pytest.mark.parametrize("export", [exports.csv, exports.markdown, exports.latex])
def test_a_hostile_name_changes_no_export_but_its_own_cell(export):
    plain, hostile = (
        export([video([entry(key, **{"R@1": 0.5})])]).decode() for key in ("a", HOSTILE)
    )
    assert len(plain.splitlines()) == len(hostile.splitlines())
    changed = [line for line in hostile.splitlines() if line not in plain.splitlines()]
    assert len(changed) == 1
    for active in ACTIVE[export]:
        assert not re.search(active, changed[0])
