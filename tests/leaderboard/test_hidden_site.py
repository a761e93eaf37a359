"""Hidden labels: an attack on everything that a build writes finds no gold.

The board is at its worst: the submissions are scored as if labels were public, small cells and all,
and their outcomes are left beside the scores.
"""

import csv
import itertools
import json
import os
import re
from types import SimpleNamespace

import numpy as np
import pytest

from harness.metrics import METRICS
from harness.records import Card, Moment, Prediction
from harness.scoring import score_to_files
from harness.submission import write
from leaderboard.board.entries import EntryReader
from leaderboard.results.board_split import BoardSplit
from leaderboard.results.computed import BoardResults
from leaderboard.results.description import describe_metrics
from leaderboard.site.frozen.freezing import freeze
from leaderboard.site.publish import build_site
from tests.comparison.worlds import VIDEOS, world
from tests.leaderboard.html_reading import Page

NAMES = sorted(VIDEOS)
COSTS = "cost: "
SHARE, OTHER = 4, 2  # decimals
BOUNDS = {f"{bound}" for metric in METRICS.values() for bound in (metric.low, metric.high)}
# Where the gold of three turns stands in the attacker's rankings; in all others it has none.
RANKS = (23, 37, 53)


def dialogues():
    """A hundred and twenty of three video turns; of three, two end with a moment turn."""
    draw = np.random.default_rng(8)
    for n in range(120):
        turns = [f"v{number}" for number in draw.integers(60, size=3)]
        yield 1 + n % 4, " ".join([*turns, f"m{draw.integers(60)}"] if n % 3 else turns)


def ranked(gold, rank):
    """All videos in some order, the gold one at `rank`, from 1."""
    rest = [name for name in NAMES if name != gold]
    return (*rest[: rank - 1], gold, *rest[rank - 1 :])


def run(site, name, ranks, seed=None):
    """Submit and score answers: the rank of each video turn's gold; a moment where that is odd."""
    predictions = []
    for place, (turn, gold) in enumerate(zip(site.turns, site.gold, strict=True)):
        rank = ranks.get(place, 0)
        videos = ranked(gold.video_id, rank) if rank and turn.task == "video" else ()
        span = gold.moment if turn.task == "moment" and rank % 2 else None
        moments = (Moment(gold.video_id, span.start, span.end),) if span else ()
        predictions.append(Prediction(*turn.key, videos=videos, moments=moments))
    folder = site.folder / "submissions" / "team" / f"{name}-{seed or 0}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    card = Card(1, "team", name, "none", "unused", seed=seed, parameters=len(name))
    write(folder, card, predictions)
    score_to_files(folder, site.public, "test")


def computed(folder, split):
    """What the build computed."""
    return BoardResults(split.benchmark, split.split, folder / "results")


def publish(folder):
    return build_site(
        folder / "submissions", folder / "toy", folder / "site", results=folder / "results"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "open").mkdir()
    hidden = world(folder, *dialogues(), labels="hidden")
    public = world(folder / "open", *dialogues())
    assert public.header.fingerprint == hidden.header.fingerprint
    turns, gold = hidden.split().turns, hidden.gold()
    site = SimpleNamespace(folder=folder, public=public, turns=turns, gold=gold)
    draw = np.random.default_rng(1)
    for name, most, seeds in (("good", 3, (1, 2, 3)), ("fair", 9, (None,)), ("bad", 60, (None,))):
        for seed in seeds:
            run(site, name, dict(enumerate(draw.integers(1, most, size=len(turns)).tolist())), seed)
    asked = [place for place, turn in enumerate(turns) if turn.task == "video"]
    aimed = dict(zip(asked[5::100], RANKS, strict=False))
    assert len(aimed) == 3
    run(site, "attack", aimed)
    run(site, "attack less one", dict(itertools.islice(aimed.items(), 2)))
    publish(folder)
    freeze(folder / "site", "phase-1")
    publish(folder)
    site.files = sorted(path for path in (folder / "site").rglob("*") if path.is_file())
    site.rows = json.loads((folder / "site" / "leaderboard.json").read_text())["rows"]
    site.asked = len(asked)
    return site


def test_a_frozen_board_holds_what_was_published_and_nothing_else(site):
    place = site.folder / "site" / "frozen" / "phase-1"
    assert place in {path.parent for path in site.files}, "the attacks below read it too"
    published = {
        path.relative_to(site.folder / "site"): path.read_bytes()
        for path in site.files
        if not path.is_relative_to(site.folder / "site" / "frozen")
    }
    for path in site.files:
        if path.is_relative_to(place) and path.name not in ("manifest.json", "SHA256SUMS"):
            name = path.relative_to(place)
            if path.parent != place or not path.name.startswith("index."):
                assert published[name] == path.read_bytes(), name


def test_a_second_build_shows_the_same_with_what_it_remembers(site):
    before = {path: path.read_bytes() for path in site.files}
    publish(site.folder)
    assert {path: path.read_bytes() for path in site.files} == before
    # One run changed: its tables are made again, from remembered figures of the others.
    card = site.folder / "submissions" / "team" / "fair-0" / "card.toml"
    os.utime(card, ns=(1, 1))
    publish(site.folder)
    assert {path: path.read_bytes() for path in site.files} == before


def decimals(value):
    return len(f"{value:.10g}".partition(".")[2])


def allowed(metric):
    return SHARE if METRICS[metric].unit == "share" else OTHER


def test_the_json_has_two_decimals_no_interval_and_no_count_of_answers(site):
    assert len(site.rows) == 7
    for row in site.rows:
        assert row["metrics"].keys() == METRICS.keys()
        for name, cell in row["metrics"].items():
            assert cell.get("low") is None
            assert cell.get("high") is None
            assert cell["value"] is None or decimals(cell["value"]) <= allowed(name)
            if METRICS[name].answers_count:
                assert (cell.get("turns"), cell.get("dialogues")) == (None, None), name
    shown = [row["metrics"] for row in site.rows]
    assert any(cells["P(right|wrong)"]["value"] is not None for cells in shown)
    assert all(cells["R@1"]["turns"] == site.asked for cells in shown)


def test_the_tables_for_spreadsheets_have_no_more(site):
    files = [path for path in site.files if path.suffix == ".csv"]
    assert len(files) > 4
    lines = [line for path in files for line in csv.DictReader(path.read_text().splitlines())]
    assert any(line["deviation"] for line in lines)
    assert {line["best_rank"] for line in lines} > {"1"}  # ranges may stay
    for line in lines:
        assert (line["low"], line["high"]) == ("", "")
        metric = line["metric"]
        if metric.startswith(COSTS):
            continue
        for column in ("value", "least", "greatest", "deviation"):
            text = line[column]
            assert not text or decimals(float(text)) <= allowed(metric), (metric, column)
        if METRICS[metric].answers_count:
            assert (line["turns"], line["dialogues"]) == ("", "")


def test_pages_draw_and_write_no_interval(site):
    pages = [path for path in site.files if path.suffix == ".html"]
    assert len(pages) > 20
    for path in pages:
        page = Page(path.read_text("utf-8"))
        kinds = {tag.attributes.get("class") for tag in page.tags if tag.name in ("path", "line")}
        assert not kinds & {"span", "whisker", "whiskers"}, path.name
        texts = [part for part in page.text if "SD" not in part]
        assert not {"95 % interval", "95% 区间"} & {part.strip() for part in texts}, path.name
        assert not [part for part in texts if re.search(r"\d\.\d+ ?– ?\d+\.\d", part)], path.name
        values = [tag.attributes["value"] for tag in page.tags if tag.name == "data"]
        assert all(decimals(float(value)) <= SHARE for value in values), path.name
        # The detectable difference is the width of an interval.
        assert "four times in five" not in " ".join(texts)


def test_who_is_dominated_rests_on_the_ranks_that_are_published(site):
    lines = csv.DictReader(
        (site.folder / "site/tables/video-none-unused.csv").read_text().splitlines()
    )
    spans = {line["system"]: (int(line["best_rank"]), int(line["worst_rank"]), line["alike"])
             for line in lines if line["best_rank"]}  # fmt: skip
    assert len(spans) > 3
    text = (site.folder / "site/tracks/video.html").read_text("utf-8")
    assert "Differences of single pairs are not shown for this table" in text
    assert "all pairs of the table tested together at 5 % (max-T). That" not in text
    listed = re.findall(r"<tr>.*?<bdi>(.*?)</bdi>.*?</td><td class=\"text\">(.*?)</td></tr>", text)
    assert {system for system, _ in listed} == set(spans)
    firsts = {system for system, (best, worst, alike) in spans.items() if best == worst == 1}
    for system, over in listed:
        names = set(re.findall(r"<bdi>(.*?)</bdi>", over))
        assert bool(names) != ("not dominated" in over)
        for name in names:
            assert spans[name][1] < spans[system][0] or name in firsts
            assert len(name) <= len(system), "as its cost is"
    assert any("<bdi>" in over for _, over in listed)


def test_no_file_has_a_number_of_many_digits(site):
    for path in site.files:
        if path.stem.startswith("metrics"):  # formulas and ranges of metrics
            continue
        text = path.read_text("utf-8")
        if path.suffix == ".html":
            text = " ".join([*Page(text).text, *Page(text).attributes("value")])
        assert set(re.findall(r"\d\.\d{5,}", text)) <= BOUNDS, path.name
        if path.suffix in (".md", ".tex"):
            intervals = re.findall(r"(\w*:? )?\d+\.\d+(?:–|--)\d", text)
            assert set(intervals) <= {"seeds: "}, path.name
    ledger = (site.folder / ".site.ledger.json").read_text()
    for name in ("low", "high", "detectable"):
        assert set(re.findall(rf'"{name}":([^,}}]+)', ledger)) <= {"null"}
    assert re.findall(r"\d\.\d{5,}", ledger) == []


def api(site, kind):
    """The documents of api/v1 of one kind, by the name of their file."""
    folder = site.folder / "site" / "api/v1" / kind
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def figures_of(document):
    """Every cell of a document, with its metric."""
    parts = document["figures"].values() if "figures" in document else (
        row["figures"] for row in document["rows"]
    )  # fmt: skip
    return [(name, cell) for cells in parts for name, cell in cells.items()]


def test_all_that_programs_read_has_no_interval_and_no_more_digits(site):
    documents = api(site, "tables") | api(site, "systems")
    cells = [each for document in documents.values() for each in figures_of(document)]
    assert len([cell for _, cell in cells if cell["value"] is not None]) > 300
    for name, cell in cells:
        assert (cell.get("low"), cell.get("high")) == (None, None)
        assert cell["value"] is None or decimals(cell["value"]) <= allowed(name)
        if METRICS[name].answers_count:
            assert (cell.get("turns"), cell.get("dialogues")) == (None, None)
    for table in api(site, "tables").values():
        assert table["detectable"] is None
        for row in table["rows"]:
            spread = (row["spread"] or {}).values()
            assert all(decimals(value) <= allowed(table["metrics"][0]) for value in spread)
    assert any(row["spread"] for table in api(site, "tables").values() for row in table["rows"])


def test_a_run_tells_programs_what_its_page_and_the_csv_show_and_no_other_figure(site):
    shown = {}
    for name, document in api(site, "systems").items():
        page = Page((site.folder / "site" / "systems" / f"{name}.html").read_text("utf-8"))
        values = {float(text) for text in page.attributes("value")}
        shown[document["key"]] = values
        for metric, cell in figures_of(document):
            assert cell["value"] is None or cell["value"] in values, (name, metric)
    csv_values = {
        float(line["value"])
        for line in csv.DictReader((site.folder / "site/leaderboard.csv").read_text().splitlines())
        if line["value"]
    }
    records = list((site.folder / "site" / "exports").glob("*.every_eval_ever.json"))
    assert len(records) == len(shown) > 5
    for path in records:
        record = json.loads(path.read_text())
        for result in record["evaluation_results"]:
            score = result["score_details"]
            assert "uncertainty" not in score
            assert score["score"] in shown[record["model_info"]["id"]] | csv_values
            metric = result["evaluation_result_id"].split("/")[-1]
            assert bool(score["details"]) != METRICS[metric].answers_count
    for path in site.files:
        if path.name.endswith(".eval_results.yaml"):
            assert "interval" not in path.read_text()


def test_no_document_names_the_hash_of_the_gold(site):
    gold = json.loads((site.folder / "toy" / "benchmark.json").read_text())["gold_sha256"]["test"]
    assert len(site.files) > 60
    kinds = {path.suffix for path in site.files}
    assert kinds == {"", ".html", ".json", ".csv", ".md", ".tex", ".svg", ".yaml"}
    for path in site.files:
        assert gold not in path.read_text("utf-8"), path.name


def exact(site, name, metric):
    document = json.loads((site.folder / f"submissions/team/{name}-0/scores.json").read_text())
    return document["metrics"]["all"][metric]["value"]


def published(site, name, metric):
    (row,) = [row for row in site.rows if row["system"] == name]
    return row["metrics"][metric]["value"]


def error_of(*values):
    """The most by which a sum of values, as they are printed, differs from that of exact ones."""
    return sum(0.5 * 10.0 ** -max(decimals(value), SHARE) for value in values) + 1e-12


def triples(value, turns):
    """Three ranks, in rising order, that a mean of reciprocal ranks may come from."""
    ranks = np.array(list(itertools.combinations_with_replacement(range(1, len(NAMES) + 1), 3)))
    sums = (1 / ranks).sum(axis=1)
    near = np.abs(sums - value * turns) <= turns * error_of(value)
    return {tuple(row) for row in ranks[near].tolist()}


def test_digits_of_a_mean_tell_three_golds_and_what_is_published_none_of_them(site):
    told = triples(exact(site, "attack", "MRR"), site.asked)
    assert told == {RANKS}
    told = triples(published(site, "attack", "MRR"), site.asked)
    assert RANKS in told
    assert len(told) > 100
    for rank in RANKS:
        # No rank is in all of them, and none is left out that lies near.
        assert min(sum(rank in each for each in told), sum(rank not in each for each in told)) > 5
    assert len({rank for each in told for rank in each}) > 30


def ranks_of(value, other, turns):
    """The ranks that the gold of one turn may have, in which two submissions differ."""
    error, difference = error_of(value, other), value - other
    every = range(1, len(NAMES) + 1)
    return [rank for rank in every if abs(1 / rank - difference * turns) <= turns * error]


def test_two_submissions_that_differ_in_one_turn_do_not_tell_its_gold(site):
    rank, names = RANKS[2], ("attack", "attack less one")
    assert ranks_of(*(exact(site, name, "MRR") for name in names), site.asked) == [rank]
    told = ranks_of(*(published(site, name, "MRR") for name in names), site.asked)
    assert rank in told
    assert len(told) > 20


def test_all_slices_together_do_not_tell_it_either(site):
    split = BoardSplit(site.folder / "toy")
    reader = EntryReader(split.bench, describe_metrics(), computed(site.folder, split))
    entries = reader.collect(site.folder / "submissions").entries
    one, other = (
        next(entry for entry in entries if entry.card.system == name)
        for name in ("attack", "attack less one")
    )
    told, used = set(range(1, len(NAMES) + 1)), 0
    for part in one.scores.metrics:
        cells = [entry.cell("MRR", part) for entry in (one, other)]
        if None in cells or None in [cell.value for cell in cells]:
            continue
        values = [cell.value for cell in cells]
        if values[0] != values[1]:
            used += 1
            told &= set(ranks_of(*values, cells[0].turns))
    assert used > 3
    assert RANKS[2] in told
    assert len(told) > 10
