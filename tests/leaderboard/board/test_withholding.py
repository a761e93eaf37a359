"""Hidden labels: nothing that a build writes lets anyone reconstruct the gold of a turn."""

import itertools
import json
import re

import numpy as np
import pytest

from harness.benchmark import Benchmark
from harness.cli.leaderboard import bench_of, build_site, hashing, metrics
from harness.records import Card, Prediction
from harness.scoring import score_to_files
from harness.submission import write
from leaderboard.board.entries import EntryReader
from leaderboard.board.records import Cell
from leaderboard.board.withholding import SMALLEST_CELL, withheld
from leaderboard.tables.table import tables
from tests.baselines.conftest import VIDEOS, ask, dialogue, imported
from tests.leaderboard import generated
from tests.leaderboard.conftest import read
from tests.leaderboard.html_reading import Page

NAMES = list(VIDEOS)


def test_hidden_labels_withhold_small_cells_and_those_of_unknown_size(board):
    scores = board.found.entries[0].scores
    cells = {
        "a": Cell(0.5, turns=SMALLEST_CELL),
        "b": Cell(0.5, turns=SMALLEST_CELL - 1),
        "c": Cell(0.5),
    }
    kept = withheld(
        type(scores)(1, "", "ivcr", scores.benchmark, scores.submission, {"all": cells})
    )
    assert [cell.value for cell in kept.metrics["all"].values()] == [0.5, None, None]


def test_a_hidden_board_shows_no_small_cell_anywhere(tmp_path):
    submissions, bench = generated.board(tmp_path, systems=2, floors_of=["own"])
    found = read(submissions, bench._replace(labels="hidden"))
    small = [
        cell
        for entry in found.entries
        for cells in entry.scores.metrics.values()
        for cell in cells.values()
        if cell.value is not None and (cell.turns or 0) < SMALLEST_CELL
    ]
    assert found.entries
    assert small == []
    assert tables(found.entries, generated.METRICS)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    """A built board of two runs on eighty turns with hidden labels, at its worst: their scores were
    made as if labels were public, small cells and all, and their outcomes left beside them.

    One turn of the eighty is Chinese, and one dialogue alone has its type: a figure over all turns
    less the figure of the others would be that of this turn.
    """
    root = tmp_path_factory.mktemp("hidden")
    samples = [
        dialogue(
            ask(f"find clip {n}", NAMES[n % 4]),
            ask("再找一个" if n == 7 else f"and then {n}", NAMES[n % 3]),
            code=2 if n == 9 else 1,
        )
        for n in range(40)
    ]
    benchmark = imported(root, samples, labels="hidden")
    (root / "public").mkdir()
    public = imported(root / "public", samples)
    assert public.header.fingerprint == benchmark.header.fingerprint
    draw = np.random.default_rng(5)
    for name in ("one", "two"):
        folder = root / "submissions" / "team" / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        turns = benchmark.split().turns
        given = [
            Prediction(turn.dialogue_id, turn.turn, videos=tuple(draw.permutation(NAMES).tolist()))
            for turn in turns
        ]
        write(folder, Card(1, "team", name, "none", "unused"), given)
        score_to_files(folder, public, "test")
        assert (folder / "scores.outcomes.npz").is_file()
    build_site(root / "submissions", benchmark, root / "site")
    return root


def published(root):
    """What the pages are made of: every figure that a hidden board shows, by run."""
    benchmark = Benchmark(root / "toy")
    bench = bench_of(benchmark, "test")
    reader = EntryReader(bench, metrics(), hashing(benchmark, "test"))
    return [entry.scores.metrics for entry in reader.collect(root / "submissions").entries]


def public_slices(turns):
    """The turns of every slice that the public half of the benchmark tells, (turns,) each."""
    lengths = [sum(t.dialogue_id == turn.dialogue_id for t in turns) for turn in turns]
    marks = {
        "turn": [turn.turn for turn in turns], "type": [turn.type for turn in turns],
        "language": [turn.language for turn in turns], "length": lengths,
    }  # fmt: skip
    yield "all", np.ones(len(turns), dtype=bool)
    for name, values in marks.items():
        for value in set(values):
            yield f"{name}={value}", np.array([each == value for each in values])


def told(shown, turns):
    """The smallest number of turns over which some sum of published figures is known."""
    known = [mask for name, mask in public_slices(turns) if shown.get(name)]
    sums = (a.astype(int) + s * b for a, b in itertools.combinations(known, 2) for s in (1, -1))
    sizes = [np.count_nonzero(row) for row in [*map(np.asarray, known), *sums]]
    return min(size for size in sizes if size)


def test_no_sum_of_published_figures_is_over_few_turns(hidden):
    turns = Benchmark(hidden / "toy").split().turns
    for shown in published(hidden):
        for name in ("R@1", "R@5", "MRR", "C-R@1"):
            parts = {
                p: cells[name].value is not None for p, cells in shown.items() if name in cells
            }
            assert parts["all"]
            assert parts["turn=1"]
            assert told(parts, turns) >= SMALLEST_CELL


def test_the_attack_succeeds_on_the_figures_as_they_were_scored(hidden):
    turns = Benchmark(hidden / "toy").split().turns
    document = json.loads((hidden / "submissions/team/one/scores.json").read_text())
    shown = {part: cells["R@1"]["value"] is not None for part, cells in document["metrics"].items()
             if "R@1" in cells}  # fmt: skip
    assert told(shown, turns) == 1


def test_a_build_writes_no_name_of_a_dialogue_and_no_gold(hidden):
    benchmark = Benchmark(hidden / "toy")
    written = [path for path in (hidden / "site").rglob("*") if path.is_file()]
    assert {path.suffix for path in written} <= {"", ".html", ".json", ".csv", ".md", ".tex"}
    assert not (hidden / "site" / "dialogues").exists()
    assert not (hidden / "site" / "compare").exists()
    secrets = {turn.dialogue_id for turn in benchmark.split().turns}
    secrets |= {turn.utterance for turn in benchmark.split().turns} | set(NAMES)
    secrets |= {gold.answer for gold in benchmark.gold()}
    ledger = hidden / ".site.ledger.json"
    for path in (*written, ledger):
        text = path.read_text("utf-8")
        assert [secret for secret in secrets if secret in text] == [], path.name


def test_the_pages_show_no_figure_besides_those(hidden):
    figures = {
        f"{bound:.10g}"
        for shown in published(hidden)
        for cells in shown.values()
        for cell in cells.values()
        for bound in (cell.value, cell.turns, cell.dialogues)
        if bound is not None
    }
    ranks = {"1", "2"}
    for path in sorted((hidden / "site").rglob("*.html")):
        values = {tag.attributes["value"] for tag in Page(path.read_text("utf-8")).tags
                  if tag.name == "data"}  # fmt: skip
        assert values <= figures | ranks, path.name
        assert not re.search("hardest|Dialogues</a>", path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ({"all": 100, "language=en": 60, "language=zh": 40}, {"language=en", "language=zh"}),
        ({"all": 100, "language=en": 99, "language=zh": 1}, set()),
        # 5 are left of 100; without the smaller of the others 35 are.
        ({"all": 100, "type=1": 65, "type=2": 30, "type=3": 5}, {"type=1"}),
        ({"all": 100, "tag=a": 60, "tag=b": 60}, {"tag=a", "tag=b"}),
        ({"all": 100, "tag=a": 80}, set()),
        ({"all": 200, "turn=1": 100, "turn=2": 100, "cohort4:turn=1": 90}, {"turn=1", "turn=2"}),
        ({"all": 200, "turn=1": 100, "turn=2": 100, "cohort4:turn=1": 60},
         {"turn=1", "turn=2", "cohort4:turn=1"}),
    ],
)  # fmt: skip
def test_what_would_leave_too_little_is_withheld_too(board, sizes, kept):
    scores = board.found.entries[0].scores
    cells = {part: {"R@1": Cell(0.5, turns=size)} for part, size in sizes.items()}
    found = withheld(
        type(scores)(1, "", "ivcr", scores.benchmark, scores.submission, cells)
    ).metrics
    assert {part for part in found if found[part]["R@1"].value is not None} == kept | {"all"}
