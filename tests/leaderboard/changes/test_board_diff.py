"""Two sites side by side: every kind of change is named, and hostile exports are refused."""

import csv
import json
import shutil

import pytest

from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from leaderboard.board.records import Withdrawal
from leaderboard.changes.board_diff import compare_sites
from leaderboard.changes.diff_lines import diff_lines
from leaderboard.site import exports
from leaderboard.tables.ranked_table import tables
from tests.leaderboard import generated
from tests.leaderboard.tables.test_ranked_table import entry


def export(path, *entries):
    path.mkdir()
    made = tables(list(entries), generated.METRICS)
    (path / "leaderboard.csv").write_bytes(exports.csv(made))
    (path / "leaderboard.json").write_bytes(exports.board(entries))
    return path


def rewrite(site, change):
    """The CSV export with each of its lines changed by `change`; columns may come in."""
    path = site / "leaderboard.csv"
    with path.open(newline="") as stream:
        lines = [change(dict(line)) for line in csv.DictReader(stream)]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def only(diff):
    (table,) = [each for each in diff.tables if each.differs]
    return table


def test_a_site_does_not_differ_from_itself(board):
    found = compare_sites(board.site, board.site)
    assert found.matched == "folder"
    assert len(found.tables) == len(board.tables)
    assert [each.same for each in sorted(found.tables, key=lambda t: t.table)] == [
        len(table.rows) for table in sorted(board.tables, key=lambda t: t.name)
    ]
    assert not any(each.differs for each in found.tables)


def test_rows_that_are_new_gone_and_changed_are_told_apart(tmp_path):
    kept, moved, gone, new = (
        entry(name, **{"R@1": value})
        for name, value in zip("abcd", (0.5, 0.4, 0.3, 0.45), strict=True)
    )
    old = export(tmp_path / "old", kept, moved, gone)
    after = export(tmp_path / "new", kept, moved, new)
    found = only(compare_sites(old, after))
    assert [row.system for row in found.new] == [new.card.system]
    assert [row.system for row in found.gone] == [gone.card.system]
    assert (found.new[0].rank, found.gone[0].rank) == (2, 3)
    (change,) = found.changed
    assert (change.key, change.rank, change.figures) == (moved.key, (2, 3), ())
    assert found.same == 1


def test_a_figure_that_changed_stands_with_its_bounds_old_and_new(tmp_path):
    old = export(tmp_path / "old", entry("a", **{"R@1": 0.5, "R@5": 0.75}))
    new = export(tmp_path / "new", entry("a", **{"R@1": 0.25, "R@5": 0.75}))
    (change,) = only(compare_sites(old, new)).changed
    (figure,) = change.figures
    assert (figure.metric, figure.old.value, figure.new.value) == ("R@1", 0.5, 0.25)
    assert not change.moved


@pytest.mark.parametrize(("metric", "old", "new", "line"), [
    ("R@1", 0.4123, 0.5, "R@1 (%): 41.2 -> 50.0"),
    ("R@1", 0.41231, 0.41232, "R@1 (%): 41.231 -> 41.232"),
    ("MedR", 7.5, 7.25, "MedR (rank): 7.5 -> 7.2"),
])  # fmt: skip
def test_figures_are_written_as_on_the_pages(metric, old, new, line, tmp_path):
    sites = (
        export(tmp_path / name, entry("a", **{"R@1": 0.5, metric: value}))
        for name, value in (("old", old), ("new", new))
    )
    assert f"     {line}" in list(diff_lines(compare_sites(*sites)))


def test_a_rank_range_that_moved_is_a_change(tmp_path):
    rows = [entry(name, **{"R@1": value}) for name, value in (("a", 0.5), ("b", 0.4))]
    old, new = export(tmp_path / "old", *rows), export(tmp_path / "new", *rows)
    for site, worst in ((old, "2"), (new, "1")):
        rewrite(site, lambda line, w=worst: line | {"best_rank": line["rank"], "worst_rank": w})
    changes = only(compare_sites(old, new)).changed
    assert [each.span for each in changes] == [((1, 2), (1, 1)), ((2, 2), (2, 1))]
    assert "     rank 1 (1-2) -> 1 (1-1)" in list(diff_lines(compare_sites(old, new)))


def test_a_withdrawn_row_is_named_with_its_reason_and_is_not_merely_gone(tmp_path):
    rows = [entry(name, **{"R@1": 0.5}) for name in "abc"]
    old, new = export(tmp_path / "old", *rows), export(tmp_path / "new", rows[0])
    runs = [Withdrawal(rows[1].key, "2026-01-02T03:04:05Z", '=a leak, "ours"')]
    (new / "withdrawn.csv").write_bytes(exports.withdrawn(runs))
    found = only(compare_sites(old, new))
    assert [(each.key, each.why) for each in found.withdrawn] == [
        (rows[1].key, '2026-01-02T03:04:05Z: \'=a leak, "ours"')
    ]
    assert [each.key for each in found.gone] == [rows[2].key]


def test_exports_without_folders_are_matched_by_names(tmp_path):
    row = entry("a", **{"R@1": 0.5})
    old, new = export(tmp_path / "old", row), export(tmp_path / "new", row)

    def keyless(line):
        line.pop("key")
        return line

    rewrite(old, keyless)
    found = compare_sites(old, new)
    assert found.matched == "names"
    assert not any(table.differs for table in found.tables)
    assert next(diff_lines(found)).startswith("note: ")


def test_leaderboard_json_gives_the_figures_alone(tmp_path):
    old = export(tmp_path / "old", entry("a", **{"R@1": 0.5}))
    new = export(tmp_path / "new", entry("a", **{"R@1": 0.25}))
    found = compare_sites(old / "leaderboard.json", new)
    (change,) = only(found).changed
    assert change.figures[0].new.value == 0.25
    assert change.rank == (None, None)
    with pytest.raises(WrongUsageError, match="two CSV or two JSON"):
        compare_sites(old / "leaderboard.json", new / "leaderboard.csv")


@pytest.mark.parametrize(("text", "found"), [
    (b"track,team\nvideo,a\n", "without the columns"),
    (b"\xff\xfe", "codec"),
    (b"", "without the columns"),
])  # fmt: skip
def test_what_is_no_export_is_refused_by_name(text, found, tmp_path):
    (tmp_path / "leaderboard.csv").write_bytes(text)
    with pytest.raises(SubmissionError, match=found):
        compare_sites(tmp_path, tmp_path)


@pytest.mark.parametrize("change", [
    {"value": "nan"}, {"value": "much"}, {"rank": "first"}, {"low": "1e999"},
])  # fmt: skip
def test_a_cell_that_is_no_number_is_refused(change, tmp_path):
    site = export(tmp_path / "site", entry("a", **{"R@1": 0.5}))
    rewrite(site, lambda line: line | change)
    with pytest.raises(SubmissionError, match="expected an export of a site"):
        compare_sites(site, site)


def test_two_rows_of_one_folder_are_refused(tmp_path):
    rows = [entry(name, **{"R@1": 0.5}) for name in "ab"]
    site = export(tmp_path / "site", *rows)
    rewrite(site, lambda line: line | {"key": "t/same"})
    with pytest.raises(SubmissionError, match="two rows of t/same"):
        compare_sites(site, site)


@pytest.mark.parametrize("document", [{}, {"rows": 3}, {"rows": [{"team": "a"}]}, []])
def test_a_json_of_another_form_is_refused(document, tmp_path):
    path = tmp_path / "leaderboard.json"
    path.write_text(json.dumps(document))
    with pytest.raises(SubmissionError, match="expected an export of a site"):
        compare_sites(path, path)


def test_a_link_out_of_the_site_is_not_read(tmp_path):
    site = export(tmp_path / "site", entry("a", **{"R@1": 0.5}))
    other = tmp_path / "other"
    other.mkdir()
    (other / "leaderboard.csv").symlink_to(site / "leaderboard.csv")
    with pytest.raises(SubmissionError, match="link out"):
        compare_sites(other, site)
    with pytest.raises(EnvironmentFailure, match="found none"):
        compare_sites(tmp_path / "absent", site)


def test_foreign_names_reach_the_terminal_escaped(tmp_path):
    old = export(tmp_path / "old", entry("a", **{"R@1": 0.5}))
    new = shutil.copytree(old, tmp_path / "new")
    rewrite(new, lambda line: line | {"system": "\x1b[2J", "key": "t/\x1b[2J"})
    text = "\n".join(diff_lines(compare_sites(old, new)))
    assert "\x1b" not in text
    assert r"\x1b[2J" in text


def test_the_command_prints_text_and_json(ivcr, tmp_path):
    old = export(tmp_path / "old", entry("a", **{"R@1": 0.5}))
    new = export(tmp_path / "new", entry("a", **{"R@1": 0.25}))
    code, out, _ = ivcr("leaderboard", "diff", old, new)
    assert (code, out.splitlines()[-1]) == (0, "1 tables differ, 0 do not")
    code, out, _ = ivcr("leaderboard", "diff", old, new, "--format", "json")
    (table,) = json.loads(out)["tables"]
    assert table["changed"][0]["figures"][0]["old"][0] == 0.5
    assert ivcr("leaderboard", "diff", tmp_path / "absent", new)[0] == 3
