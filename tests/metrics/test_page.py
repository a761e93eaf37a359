"""The documentation page and the listing come from the METRICS table."""

from pathlib import Path

import pytest

from harness.metrics import METRICS
from harness.metrics.page import listing, page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def test_the_page_is_what_the_table_gives():
    assert PAGE.read_text("utf-8") == page(), (
        "run `ivcr metrics --format markdown > docs/metrics.md`"
    )


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_a_reader_must_know(name):
    metric = METRICS[name]
    assert metric.low < metric.high
    assert metric.formula
    assert metric.source
    assert metric.over
    assert f"{name}: {metric.formula}" in listing()


def test_rows_of_the_page_have_as_many_cells_as_its_heading():
    rows = [line for line in page().splitlines() if line.startswith("|")]
    assert len(rows) == len(METRICS) + 3 * 2
    assert {row.replace("\\|", "").count("|") for row in rows} == {9}
