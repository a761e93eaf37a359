"""The ledger: unchanged submissions are not read again, and no page ever shows the difference."""

import json
import shutil
from collections import Counter

import pytest

from leaderboard.board import build_ledger
from leaderboard.board.entries import EntryReader
from leaderboard.board.records import Kept
from leaderboard.site import builder
from leaderboard.tables.table import tables
from tests.leaderboard import generated
from tests.leaderboard.site.test_builder import tree

METRICS = generated.METRICS


class Builds:
    """Builds of one board to one place, counting which folders were hashed."""

    def __init__(self, root):
        self.submissions, self.bench = generated.board(root, systems=2, floors_of=["none"])
        self.out = root / "site"

    def incremental(self, organizers=()):
        read = Counter()

        def sha256(folder):
            read[f"{folder.parent.name}/{folder.name}"] += 1
            return generated.sha256(folder)

        context = build_ledger.context(self.bench, METRICS, organizers)
        last = build_ledger.read(self.out, context)
        known = build_ledger.known(last, self.out)
        found = EntryReader(self.bench, METRICS, sha256, organizers, known).collect(
            self.submissions
        )
        made = tables(found.entries, METRICS)
        self.kept = build_ledger.kept(last, made, self.out)
        builder.build(found, self.bench, METRICS, self.out, made, kept=self.kept)
        pages = [(row, builder.pages_of(row)) for row in found.entries]
        build_ledger.keep(self.out, context, pages, made)
        return set(read)

    def fresh(self, folder):
        found = EntryReader(self.bench, METRICS, generated.sha256).collect(self.submissions)
        builder.build(found, self.bench, METRICS, folder)
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


def test_tables_that_did_not_change_are_kept_and_the_others_written_anew(builds, tmp_path):
    builds.incremental()
    assert builds.kept == Kept()
    builds.incremental()
    assert len(builds.kept.tables) == len(builds.kept.sections) > 3
    everything = builds.kept
    changed = next(folder for folder in sorted(builds.submissions.glob("*/*-none")))
    (changed / "card.toml").write_text((changed / "card.toml").read_text() + "\n# a remark\n")
    document = json.loads((changed / "scores.json").read_text())
    document["submission"]["sha256"] = generated.sha256(changed)
    (changed / "scores.json").write_text(json.dumps(document))
    builds.incremental()
    gone = everything.tables - builds.kept.tables
    assert gone
    assert all(name.endswith("-none-unused") for name in gone)
    assert builds.kept.sections == builds.kept.tables
    assert "video" not in builds.kept.tracks
    assert tree(builds.out) == builds.fresh(tmp_path / "fresh")


def test_a_track_page_or_export_that_somebody_changed_is_written_again(builds, tmp_path):
    builds.incremental()
    (builds.out / "tracks" / "video.html").write_text("<!--[video-none-unused]-->bad")
    (builds.out / "tables" / "video-none-unused.csv").unlink()
    builds.incremental()
    assert "video" not in builds.kept.tracks
    assert "video-none-unused" not in builds.kept.tables | builds.kept.sections
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


def test_a_submission_spoilt_since_the_last_build_is_refused(builds):
    builds.incremental()
    spoilt = sorted(builds.submissions.glob("*/*"))[0]
    (spoilt / "predictions.jsonl").write_bytes(b"{  }\n")
    builds.incremental()
    assert "score them again" in (builds.out / "index.html").read_text()
