"""How sure ranks are: ranges from outcomes turn by turn, and from nothing else."""

import csv
import dataclasses
import io
import json
import shutil
import zipfile

import numpy as np
import pytest

from harness.records import Card
from harness.statistics import Design, board, paired
from leaderboard.board.entries import EntryReader
from leaderboard.board.records import Standing
from leaderboard.site import exports
from leaderboard.site.wording import Words
from leaderboard.tables import ranks
from leaderboard.tables.packing import against_first
from leaderboard.tables.ranked_table import tables
from leaderboard.tables.remarks import remarks
from tests.leaderboard import generated
from tests.leaderboard.conftest import build
from tests.leaderboard.html_reading import Page

TURNS = 120
DESIGN = Design.of(np.arange(TURNS) // 3, np.arange(TURNS), np.ones(TURNS), draws=999)
WEIGHTS = np.ones(TURNS)
RIGHT = {
    "best": WEIGHTS,
    "close": np.where(np.arange(TURNS) < 2, 0.0, 1.0),
    "worst": np.where(np.arange(TURNS) < 2, 1.0, 0.0),
}


def cell(value):
    """A figure of all turns without an interval."""
    return {"value": value, "low": None, "high": None, "turns": TURNS, "dialogues": TURNS // 3}


class Runs:
    """Runs whose R@1 is given turn by turn; `table` is theirs, with its standing."""

    def __init__(self, root):
        bench = generated.bench(root / "benchmark")
        self.bench = bench._replace(counts={**bench.counts, "turns": TURNS})
        self.folder = root / "submissions"
        for name, right in RIGHT.items():
            self.put(name, right)

    def put(self, name, right, floor=False):
        shutil.rmtree(self.where(name), ignore_errors=True)
        cells = {"R@1": cell(right.mean())}
        card = Card(1, "team", name, "none", "unused")
        folder = self.bench.floors / name / "none" if floor else self.folder / "team" / name
        generated.put(folder, self.bench, card, {"all": cells})
        generated.outcomes(folder, {"R@1": (right, WEIGHTS)})
        return folder

    def where(self, name):
        return self.folder / "team" / name

    def found(self):
        return EntryReader(self.bench, generated.METRICS, generated.TypedResults()).collect(
            self.folder
        )

    def tables(self, known=None, design=lambda: DESIGN, where=None):
        made = tables(self.found().entries, generated.METRICS)
        by_name = lambda entry: self.where(entry.card.system)  # noqa: E731
        return ranks.with_standings(made, where or by_name, design, known or {})

    @property
    def standing(self):
        (table,) = self.tables()
        return table.standing


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def test_two_of_three_cannot_be_told_apart_and_the_third_can(runs):
    # best and close differ in one dialogue of three turns alone.
    standing = runs.standing
    assert standing.ranges == {"team/best": (1, 2), "team/close": (1, 2), "team/worst": (3, 3)}
    assert standing.alike == ("team/close",)
    assert standing.without == {}


def test_ranges_are_those_of_the_board_of_the_same_turns(runs):
    draw = np.random.default_rng(3)
    shares = (0.5, 0.55, 0.7, 0.72, 0.9)
    right = RIGHT | {f"run-{n}": (draw.random(TURNS) < p) * 1.0 for n, p in enumerate(shares)}
    for name in right.keys() - RIGHT.keys():
        runs.put(name, right[name])
    expected = board(DESIGN, np.array(list(right.values())), WEIGHTS)
    names = [f"team/{name}" for name in right]
    standing = runs.standing
    assert standing.ranges == {
        name: (int(best), int(worst))
        for name, best, worst in zip(names, expected.best, expected.worst, strict=True)
    }
    assert standing.detectable == pytest.approx(expected.detectable, rel=1e-12)


def test_floors_take_no_part(runs):
    before = runs.standing
    runs.put("floor", RIGHT["close"] * 0.5, floor=True)
    (table,) = runs.tables()
    assert len(table.rows) == 4
    assert table.standing.ranges == before.ranges


def test_a_row_without_outcomes_has_no_range_and_may_stand_anywhere(runs):
    (runs.where("close") / "scores.outcomes.npz").unlink()
    standing = runs.standing
    assert standing.ranges == {"team/best": (1, 2), "team/worst": (2, 3)}
    assert standing.alike == ()
    assert standing.without == {"absent": 1}


def bomb(folder):
    """An array that declares more than memory holds."""
    with zipfile.ZipFile(folder / "scores.outcomes.npz", "a") as archive:
        head = io.BytesIO()
        layout = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
        np.lib.format.write_array_header_1_0(head, layout)
        archive.writestr("table.npy", head.getvalue())


def linked(folder):
    path = folder / "scores.outcomes.npz"
    path.rename(folder.parent / ".other")
    path.symlink_to(folder.parent / ".other")


SPOILT = {
    "no archive": lambda f: (f / "scores.outcomes.npz").write_bytes(b"PK"),
    "declares too much": bomb,
    "a link out": linked,
    "objects": lambda f: changed(f, table=np.array([[print]])),
    "other turns": lambda f: generated.outcomes(
        f, {"R@1": (np.tile(RIGHT["close"], 2), np.tile(WEIGHTS, 2))}
    ),
    "no table": lambda f: changed(f, table=np.ones(TURNS)),
    "another figure": lambda f: generated.outcomes(f, {"R@1": (RIGHT["worst"], WEIGHTS)}),
    "another metric": lambda f: generated.outcomes(f, {"R@5": (RIGHT["close"], WEIGHTS)}),
    "another submission": lambda f: changed(f, sha256=np.array("0" * 64)),
    "another gold": lambda f: changed(f, gold_sha256=np.array("0" * 64)),
    "not a number": lambda f: changed(f, table=np.full((2, TURNS), np.nan)),
    "other weights": lambda f: generated.outcomes(
        f, {"R@1": (2 * RIGHT["close"], 2 * WEIGHTS)}
    ),
    "a place outside": lambda f: changed(f, start=np.array([7])),
}  # fmt: skip


def changed(folder, **arrays):
    generated.outcomes(folder, {"R@1": (RIGHT["close"], WEIGHTS)}, **arrays)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", SPOILT)
def test_outcomes_that_do_not_hold_give_no_range_and_hurt_nobody_else(runs, what):
    SPOILT[what](runs.where("close"))
    standing = runs.standing
    assert standing.without == {"broken": 1}
    assert standing.ranges == {"team/best": (1, 2), "team/worst": (2, 3)}


def test_a_standing_is_kept_until_a_file_that_it_rests_on_changes(runs):
    (table,) = runs.tables()
    known = {table.name: table.standing}
    (kept,) = runs.tables(known, design=lambda: pytest.fail("nothing changed"))
    assert kept.standing is table.standing
    runs.put("close", RIGHT["worst"])
    (again,) = runs.tables(known)
    assert again.standing == runs.standing != table.standing


def test_too_many_rows_and_figures_of_a_corpus_are_not_tested(runs, monkeypatch):
    monkeypatch.setattr(ranks, "LARGEST", 2)
    assert runs.standing == Standing(runs.standing.digest, without={"many": 3})
    folder = runs.put("speaks", RIGHT["best"])
    document = json.loads((folder / "scores.json").read_text())
    document["metrics"]["language=en"] = {"BLEU-4": cell(20.0)}
    (folder / "scores.json").write_text(json.dumps(document))
    response = next(table for table in runs.tables() if table.track.name == "response-en")
    assert response.standing.without == {"corpus": 1}


def test_a_pair_is_the_paired_difference_as_it_is_shown(runs, tmp_path):
    made = runs.tables()
    found = paired(DESIGN, RIGHT["best"], RIGHT["worst"], WEIGHTS)
    pair = against_first(made[0].standing.pairs)[1]
    assert (pair.first, pair.second) == ("team/best", "team/worst")
    assert (pair.value, pair.low, pair.high) == pytest.approx(found.interval(), abs=0.00051)
    assert pair.effect == pytest.approx(found.effects[0], abs=0.0051)
    build(runs.found(), runs.bench, tmp_path / "site", made)
    page = Page((tmp_path / "site" / "compare" / "video-none-unused.html").read_text("utf-8"))
    # The first against the others: right in 120, 118 and 2 of 120 turns.
    values = [tag.attributes["value"] for tag in page.tags if tag.name == "data"]
    assert values == ["0", "0.017", "0.983"]
    assert {"+1.7", "+98.3"} <= set(page.text)
    assert page.text.count("told apart") == 1
    assert page.text.count("not told apart") == 1


def test_seeds_stand_for_their_mean_turn_by_turn(runs):
    """A system whose two seeds are each right where the other is not is right in half of each."""
    before = runs.standing
    halves = np.arange(TURNS) % 2 * 1.0
    for seed, right in ((1, halves), (2, 1 - halves)):
        folder = runs.where(f"seed-{seed}")
        cells = {"R@1": cell(right.mean())}
        card = Card(1, "team", "halves", "none", "unused", seed=seed)
        generated.put(folder, runs.bench, card, {"all": cells})
        generated.outcomes(folder, {"R@1": (right, WEIGHTS)})
    (table,) = runs.tables(where=lambda entry: runs.folder / entry.key)
    row = next(row for row in table.rows if row.entry.card.system == "halves")
    assert [run.card.seed for run in row.runs] == [1, 2]
    assert row.cells[0].value == 0.5
    numerators = np.array([RIGHT["best"], RIGHT["close"], np.full(TURNS, 0.5), RIGHT["worst"]])
    expected = board(DESIGN, numerators, WEIGHTS)
    assert table.standing.ranges[row.entry.key] == (expected.best[2], expected.worst[2])
    assert table.standing.detectable == pytest.approx(expected.detectable)
    assert table.standing.digest != before.digest


def test_large_tables_rest_on_fewer_draws_and_say_so(runs, monkeypatch):
    monkeypatch.setattr(ranks, "FINE", 2)
    monkeypatch.setattr("leaderboard.tables.remarks.FINE", 2)
    monkeypatch.setattr(ranks, "COARSE", 99)
    monkeypatch.setattr("leaderboard.tables.remarks.COARSE", 99)
    (table,) = runs.tables()
    fewer = board(dataclasses.replace(DESIGN, draws=99), np.array(list(RIGHT.values())), WEIGHTS)
    found = [pair.p for pair in against_first(table.standing.pairs)]
    assert found == pytest.approx(fewer.ps[0, 1:], abs=1e-4)
    assert "rest on 99 draws" in " ".join(map(Words("en").remark, remarks(table)))


def test_every_format_shows_the_range_and_marks_what_cannot_be_told_apart(runs, tmp_path):
    found, made = runs.found(), runs.tables()
    lines = csv.DictReader(io.StringIO(exports.csv(made).decode()))
    assert {tuple(line[name] for name in ("system", "best_rank", "worst_rank", "alike"))
            for line in lines} == {("best", "1", "2", "no"), ("close", "1", "2", "yes"),
                                   ("worst", "3", "3", "no")}  # fmt: skip
    markdown, latex = exports.markdown(made).decode(), exports.latex(made).decode()
    assert "| 2 (1–2) | close | team | 98.3† |" in markdown
    assert "† cannot be told apart from the first." in markdown
    assert r"2 (1--2) & close & team & 98.3$^{\dagger}$ &" in latex
    assert r"together at 5 \% (max-T" in latex
    build(found, runs.bench, tmp_path / "site", made)
    page = Page((tmp_path / "site" / "tracks/video.html").read_text("utf-8"))
    assert page.text.count("†") == 1
    points = f"{100 * made[0].standing.detectable:.1f} points"
    assert any(points in text for text in page.text)
