"""Hidden labels: nothing that a build writes lets anyone reconstruct the gold of a turn."""

import itertools
import json
import re

import numpy as np
import pytest
from msgspec.structs import replace

from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.files import canonical
from harness.publication.disclosure import SMALLEST_CELL
from harness.records import Card, Prediction
from harness.scoring import score, score_to_files
from harness.submission import write
from leaderboard.board.entries import EntryReader
from leaderboard.board.records import Cell
from leaderboard.board.withholding import withhold_cells
from leaderboard.results.board_split import BoardSplit
from leaderboard.results.computed import BoardResults
from leaderboard.results.description import describe_metrics
from leaderboard.site.publish import build_site
from leaderboard.tables.ranked_table import tables
from tests.baselines.conftest import VIDEOS, ask, dialogue, imported
from tests.leaderboard import generated
from tests.leaderboard.conftest import read
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import tree

NAMES = list(VIDEOS)


def test_hidden_labels_withhold_small_cells_and_those_of_unknown_size(board):
    scores = board.found.entries[0].scores
    cells = {
        "a": Cell(0.5, turns=SMALLEST_CELL),
        "b": Cell(0.5, turns=SMALLEST_CELL - 1),
        "c": Cell(0.5),
    }
    metrics = dict.fromkeys("abc", generated.METRICS["R@1"])
    shown = withhold_cells(replace(scores, metrics={"all": cells}), metrics)
    assert [cell.value for cell in shown.metrics["all"].values()] == [0.5, None, None]


@pytest.mark.parametrize(
    ("name", "turns", "dialogues", "shown"),
    [
        ("R@1", 30, 1, True),
        ("R@1", 29, 29, False),
        ("success", 90, 30, True),
        ("success", 90, 29, False),
        ("nobody knows it", 90, 29, False),
    ],
)
def test_metrics_of_dialogues_need_thirty_dialogues(board, name, turns, dialogues, shown):
    scores = board.found.entries[0].scores
    cell = Cell(0.5, turns=turns, dialogues=dialogues)
    found = withhold_cells(replace(scores, metrics={"all": {name: cell}}), generated.METRICS)
    assert (found.metrics["all"][name].value is not None) == shown


def test_a_hidden_board_shows_no_small_cell_anywhere(tmp_path):
    submissions, bench = generated.board(tmp_path, systems=2, floors_of=["own"])
    for file in submissions.glob("*/*/scores.json"):
        document = json.loads(file.read_text())
        for cell in document["metrics"]["type=7"].values():
            cell |= {"turns": 29, "dialogues": 29} if cell["value"] is not None else {}
        file.write_text(json.dumps(document))
    found = read(submissions, bench._replace(labels="hidden"))
    public = read(submissions, bench)
    small = [
        cell
        for entry in found.entries
        for cells in entry.scores.metrics.values()
        for cell in cells.values()
        if cell.value is not None and (cell.turns or 0) < SMALLEST_CELL
    ]
    assert small == []
    assert any(entry.cell("R@1", "type=7").value is not None for entry in public.entries)
    assert all(entry.cell("R@1", "type=7").value is None for entry in found.entries
               if not entry.floor)  # fmt: skip
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
    build_site(root / "submissions", benchmark.folder, root / "site", results=root / "results")
    return root


def published(root):
    """What the pages are made of: every figure that a hidden board shows, by run."""
    split = BoardSplit(root / "toy")
    reader = EntryReader(
        split.bench, describe_metrics(), BoardResults(split.benchmark, "test", root / "results")
    )
    return [entry.scores.metrics for entry in reader.collect(root / "submissions").entries]


def public_slices(turns):
    """The turns of every slice that the public half of the benchmark defines, (turns,) each."""
    lengths = [sum(t.dialogue_id == turn.dialogue_id for t in turns) for turn in turns]
    marks = {
        "turn": [turn.turn for turn in turns], "type": [turn.type for turn in turns],
        "language": [turn.language for turn in turns], "length": lengths,
    }  # fmt: skip
    yield "all", np.ones(len(turns), dtype=bool)
    for name, values in marks.items():
        for value in set(values):
            yield f"{name}={value}", np.array([each == value for each in values])


def smallest_sum(shown, turns):
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
            assert sum(parts.values()) > 1, parts
            assert smallest_sum(parts, turns) >= SMALLEST_CELL


def test_the_attack_succeeds_on_the_figures_as_they_were_scored(hidden):
    turns = Benchmark(hidden / "toy").split().turns
    document = json.loads((hidden / "submissions/team/one/scores.json").read_text())
    shown = {part: cells["R@1"]["value"] is not None for part, cells in document["metrics"].items()
             if "R@1" in cells}  # fmt: skip
    assert smallest_sum(shown, turns) == 1


def test_a_build_writes_no_name_of_a_dialogue_and_no_gold(hidden):
    benchmark = Benchmark(hidden / "toy")
    written = [path for path in (hidden / "site").rglob("*") if path.is_file()]
    assert {path.suffix for path in written} <= {
        "", ".html", ".json", ".csv", ".md", ".tex", ".svg", ".yaml",
    }  # fmt: skip
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


@pytest.mark.parametrize("place", [None, "submissions/results", "site/results"])
def test_results_of_hidden_labels_lie_where_nobody_else_reads(hidden, place):
    results = None if place is None else hidden / place
    with pytest.raises(WrongUsageError, match="--results"):
        build_site(hidden / "submissions", hidden / "toy", hidden / "site", results=results)


def test_a_page_does_not_tell_whether_typed_figures_are_right(hidden):
    """Two guesses of one figure, of which one is right, leave the same site."""
    file = hidden / "submissions" / "team" / "one" / "scores.json"
    honest, sites = file.read_bytes(), []
    document = json.loads(score_document(hidden))
    for value in (document["metrics"]["all"]["R@1"]["value"], 0.123):
        document["metrics"]["all"]["R@1"]["value"] = value
        file.write_text(json.dumps(document))
        site = build_site(
            hidden / "submissions", hidden / "toy", hidden / "site", results=hidden / "results"
        )
        sites.append(tree(hidden / "site"))
    assert [row.key for row in site.differing] == ["team/one", "team/two"]
    assert {row.lines for row in site.differing} == {("it differs",)}
    file.write_bytes(honest)
    assert sites[0] == sites[1]


def score_document(hidden):
    """The scores of the run `one`, as the build computes them."""
    return canonical(score(hidden / "submissions" / "team" / "one", Benchmark(hidden / "toy"))[0])
