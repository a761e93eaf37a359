"""The ledger: unchanged submissions are not read again, and no page ever shows the difference."""

import ast
import json
import shutil
from pathlib import Path

import pytest

import leaderboard
from leaderboard.board.build_ledger import (
    CODE,
    MODULES,
    build_context,
    read_ledger,
    unchanged_entries,
)
from leaderboard.board.entries import EntryReader
from leaderboard.results.computed import NotComputed
from leaderboard.site.builder import SiteContents, build, entry_pages
from leaderboard.site.ledger_writing import unchanged_tables, write_ledger
from leaderboard.tables.ranked_table import tables
from tests.leaderboard import generated
from tests.leaderboard.site.test_builder import tree

METRICS = generated.METRICS


class Builds:
    """Builds of one board to one place, counting which folders were read."""

    def __init__(self, root):
        self.submissions, self.bench = generated.board(root, systems=2, floors_of=["none"])
        self.out = root / "site"

    def incremental(self, organizers=()):
        results = generated.TypedResults()
        context = build_context(self.bench, METRICS, organizers, "scorer 1")
        ledger = read_ledger(self.out, context)
        known = unchanged_entries(ledger, self.out)
        reader = EntryReader(self.bench, METRICS, results, organizers, known)
        found = reader.collect(self.submissions)
        made = tables(found.entries, METRICS)
        self.unchanged = unchanged_tables(ledger, made, self.out)
        build(SiteContents(found, self.bench, METRICS, made, unchanged=self.unchanged), self.out)
        write_ledger(self.out, context, [(row, entry_pages(row)) for row in found.entries], made)
        read = [f"{folder.parent.name}/{folder.name}" for folder in results.computed]
        assert len(read) == len(set(read))
        return set(read)

    def fresh(self, folder):
        found = EntryReader(self.bench, METRICS, generated.TypedResults()).collect(self.submissions)
        build(SiteContents(found, self.bench, METRICS, tables(found.entries, METRICS)), folder)
        return tree(folder)


@pytest.fixture
def builds(tmp_path):
    return Builds(tmp_path)


def test_an_unchanged_board_is_not_read_again_and_gives_the_same_bytes(builds, tmp_path):
    assert builds.incremental()
    assert builds.incremental() == set()
    assert tree(builds.out) == builds.fresh(tmp_path / "fresh")


def test_only_what_changed_is_read_again(builds, tmp_path):
    builds.incremental()
    gone, changed = sorted(builds.submissions.glob("*/*"))[:2]
    shutil.rmtree(gone)
    scores = json.loads((changed / "scores.json").read_text())
    scores["metrics"]["all"]["R@1"]["value"] = scores["metrics"]["all"]["R@1"]["low"]
    (changed / "scores.json").write_text(json.dumps(scores))
    assert builds.incremental() == {f"{changed.parent.name}/{changed.name}"}
    assert tree(builds.out) == builds.fresh(tmp_path / "fresh")


def test_files_of_unchanged_tables_stay_and_the_others_are_written_again(builds, tmp_path):
    builds.incremental()
    assert not builds.unchanged
    builds.incremental()
    everything = builds.unchanged
    assert len(everything) > 3
    changed = next(folder for folder in sorted(builds.submissions.glob("*/*-none")))
    (changed / "card.toml").write_text((changed / "card.toml").read_text() + "\n# a remark\n")
    document = json.loads((changed / "scores.json").read_text())
    document["submission"]["sha256"] = generated.sha256(changed)
    (changed / "scores.json").write_text(json.dumps(document))
    builds.incremental()
    gone = everything - builds.unchanged
    of_tables = {name for name in gone if not name.startswith("tracks/")}
    assert of_tables
    assert all(name.endswith("-none-unused") for name in of_tables)
    tracks = {name.removesuffix("-none-unused") for name in of_tables}
    assert gone - of_tables == {f"tracks/{name}" for name in tracks}
    assert tree(builds.out) == builds.fresh(tmp_path / "fresh")


def test_a_track_page_or_export_that_somebody_changed_is_written_again(builds, tmp_path):
    builds.incremental()
    (builds.out / "tracks" / "video.html").write_text("bad")
    (builds.out / "tables" / "video-none-unused.csv").unlink()
    builds.incremental()
    assert not {"video-none-unused", "tracks/video"} & builds.unchanged
    assert tree(builds.out) == builds.fresh(tmp_path / "fresh")


def test_a_page_that_somebody_changed_or_removed_is_written_again(builds, tmp_path):
    builds.incremental()
    first, second = sorted((builds.out / "systems").glob("team-1*.zh.html"))[:2]
    first.write_text("changed by hand")
    second.unlink()
    assert len(builds.incremental()) == 2
    assert tree(builds.out) == builds.fresh(tmp_path / "fresh")


def test_another_context_or_a_broken_ledger_makes_everything_new(builds):
    everything = builds.incremental()
    assert builds.incremental(organizers=["team-1"]) == everything
    builds.out.with_name(".site.ledger.json").write_bytes(b"{")
    assert builds.incremental(organizers=["team-1"]) == everything


def test_another_scorer_makes_everything_new(builds):
    assert read_ledger(builds.out, "") is None
    builds.incremental()
    contexts = {build_context(builds.bench, METRICS, (), scorer) for scorer in ("1", "2")}
    assert len(contexts) == 2


def test_a_run_whose_result_is_gone_is_computed_again(builds, monkeypatch):
    everything = builds.incremental()
    monkeypatch.setattr(generated.TypedResults, "places", {})
    assert builds.incremental() == everything


def test_a_submission_spoilt_since_the_last_build_is_refused(builds, monkeypatch):
    builds.incremental()
    spoilt = sorted(builds.submissions.glob("*/*"))[0]
    (spoilt / "predictions.jsonl").write_bytes(b"{  }\n")

    def compute(self, folders):
        assert folders == [spoilt]
        return {spoilt: NotComputed("predictions.jsonl:1: no turn", fault=False)}

    monkeypatch.setattr(generated.TypedResults, "compute", compute)
    builds.incremental()
    assert "predictions.jsonl:1: no turn" in (builds.out / "index.html").read_text()


def harness_modules_of_pages():
    """What the board's code imports of the harness, but for what computes figures."""
    root = Path(leaderboard.__file__).parent
    for path in root.rglob("*.py"):
        if path.is_relative_to(root / "results"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("harness."):
                yield node.module


def test_pages_are_made_anew_when_any_code_that_they_are_made_by_is_another():
    found = set(harness_modules_of_pages())
    covered = {f"harness.{name.removesuffix('.py')}" for name in MODULES}
    left = {name for name in found if not name.startswith(CODE) and name not in covered}
    assert found
    assert not left
