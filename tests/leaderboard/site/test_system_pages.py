"""A system's figures: each once, under its track's title; those that are undefined apart."""

import pytest

from leaderboard.results.description import describe_metrics
from leaderboard.site.system_pages import figure_groups
from leaderboard.site.wording import Words
from tests.leaderboard.tables.test_ranked_table import entry

METRICS = describe_metrics()
EXPECTED = {
    "R@1": "Video search", "MedR": "Video search", "C-R@1|in": "Choice among ten",
    "mIoU": "Moments", "chrF": "Responses", "success": "Whole dialogues",
    "S@9": "Whole dialogues", "cascade:R@1": "Whole dialogues", "nsDCG": "Refinement",
}  # fmt: skip


@pytest.mark.parametrize(("history", "moments"), [("reference", "Moments"), ("own", "End to end")])
def test_each_defined_figure_stands_once_under_its_track(history, moments):
    row = entry("a/b", history=history, **dict.fromkeys(METRICS, 0.5))
    groups = figure_groups(row, METRICS, Words("en"))
    where = {metric.name: group.title for group in groups for metric, _ in group.figures}
    assert sorted(where) == sorted(METRICS)
    assert sum(len(group.figures) for group in groups) == len(METRICS)
    assert {name: where[name] for name in EXPECTED} == EXPECTED | {"mIoU": moments}
    assert len({group.title for group in groups}) == len(groups)


def test_undefined_figures_are_in_no_group():
    row = entry("a/b", **{"R@1": 0.5, "R@5": None})
    (group,) = figure_groups(row, METRICS, Words("en"))
    assert [metric.name for metric, _ in group.figures] == ["R@1"]
