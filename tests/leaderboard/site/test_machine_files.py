"""What programs read of a site: documents by their schemas, the feed, badges, frames, exports.

Figures are compared with the CSV files of the same build; forms of others with their own readers.
"""

import copy
import csv
import importlib.util
import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from importlib.resources import files as package_files
from itertools import groupby
from urllib.parse import urldefrag

import numpy as np
import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from msgspec.structs import replace

from harness.challenge.challenge_file import Headline
from leaderboard.board.records import (
    BoardContents,
    BoardEvent,
    ChallengeAbout,
    LedgerMark,
    Withdrawal,
)
from leaderboard.site.builder import entry_pages
from leaderboard.site.feeds.api_documents import SCHEMAS, schema_bytes
from leaderboard.site.feeds.badges import NO_RANK, rank_text
from leaderboard.site.feeds.eval_results import hub_dataset, plain_number
from leaderboard.site.site_paths import slug
from leaderboard.tables.ranked_table import tables
from leaderboard.tables.ranks import with_standings
from tests.leaderboard import generated
from tests.leaderboard.conftest import build, read
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import HOSTILE, hostile_board
from tests.leaderboard.tables.test_ranked_table import entry

ATOM = "{http://www.w3.org/2005/Atom}"
SVG = "{http://www.w3.org/2000/svg}"
MARK = LedgerMark("ab" * 32, "2026-03-04T12:00:00Z")
ABOUT = ChallengeAbout(
    "Find <it> & more",
    organizers=("A. Example", "B. Example"),
    links=(("Data", "https://example.org/data"),),
    citation="@misc{x}",
    licence="CC BY 4.0",
    headline=Headline("video", "own", "unused"),
)


def events(keys):
    first, second, *_ = keys
    return (
        BoardEvent("2026-03-01T12:00:00Z", "accepted", first),
        BoardEvent("2026-03-02T12:00:00Z", "replaced", first),
        BoardEvent("2026-03-02T12:00:00Z", "accepted", second),
        BoardEvent("2026-03-03T12:00:00.5Z", "rescored", first, "a label was <wrong>"),
        BoardEvent("2026-03-04T12:00:00Z", "withdrawn", "gone/run", "a bug & more"),
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A challenge's site with rank ranges and seeds: its folder, contents, tables, benchmark."""
    root = tmp_path_factory.mktemp("machine")
    submissions, bench = generated.board(root, systems=7)
    generated.seeds(submissions, bench)
    design = generated.turn_by_turn(submissions, bench, np.random.default_rng(1))
    found = read(submissions, bench)
    where = generated.outcomes_of
    made = with_standings(tables(found.entries, generated.METRICS), where, lambda: design, {})
    keys = [row.key for row in found.entries[1:3]]
    found = found._replace(
        mark=MARK,
        about=ABOUT,
        events=events(keys),
        withdrawn=(Withdrawal("gone/run", "2026-03-04T12:00:00Z", "a bug & more"),),
    )
    build(found, bench, root / "site", made, scorer="7 numpy:2")
    return root / "site", found, made, bench


def document(folder, name):
    return json.loads((folder / "api/v1" / name).read_bytes())


def schema_of(path):
    name = {"tables": "table", "systems": "system"}.get(path.parent.name, path.stem)
    return json.loads(schema_bytes(name))


def closed(schema):
    """The schema, but keys that it does not name are refused: what is written is described."""
    schema = copy.deepcopy(schema)

    def close(node):
        if isinstance(node, dict):
            if "properties" in node and node.get("additionalProperties") is None:
                # A card has the keys that its makers gave.
                node["additionalProperties"] = "leave out are absent" in str(
                    node.get("description")
                )
            list(map(close, node.values()))
        elif isinstance(node, list):
            list(map(close, node))

    close(schema)
    return schema


def documents(folder):
    found = [path for path in (folder / "api/v1").rglob("*.json") if path.parent.name != "schema"]
    assert found
    return found


def check_documents(folder):
    kinds = set()
    for path in documents(folder):
        schema = schema_of(path)
        kinds.add(schema["title"])
        found = json.loads(path.read_bytes())
        assert found["schema"] == 1
        Draft202012Validator(closed(schema)).validate(found)
        Draft202012Validator(schema).validate({**found, "later": 1})  # what v1 may add
    return kinds


def test_every_document_is_as_its_schema_says_which_lies_beside_it(site):
    folder = site[0]
    assert len(check_documents(folder)) == len(SCHEMAS)
    for name in SCHEMAS:
        shipped = schema_bytes(name)
        assert (folder / f"api/v1/schema/{name}.json").read_bytes() == shipped
        Draft202012Validator.check_schema(json.loads(shipped))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tables/video-none-unused.json", lambda d: d["rows"][0].pop("rank_range")),
        ("tables/video-none-unused.json", lambda d: d["rows"][0].update(rank="1")),
        ("systems.json", lambda d: d["systems"][0]["marks"].pop("control")),
        ("events.json", lambda d: d["events"][0].update(what="scored")),
        ("board.json", lambda d: d.update(schema=2)),
    ],
)
def test_a_schema_refuses_what_the_promise_forbids(site, name, change):
    path = site[0] / "api/v1" / name
    found, validator = json.loads(path.read_bytes()), Draft202012Validator(schema_of(path))
    assert validator.is_valid(found)
    change(found)
    assert not validator.is_valid(found)


def test_tables_say_what_the_csv_of_the_same_build_says(site):
    folder = site[0]
    lines = list(csv.DictReader((folder / "leaderboard.csv").read_text("utf-8").splitlines()))
    by_table = groupby(lines, lambda line: (line["track"], line["history"], line["candidates"]))
    names = [table["name"] for table in document(folder, "tables.json")["tables"]]
    compared = 0
    for name, (key, group) in zip(names, by_table, strict=True):
        table = document(folder, f"tables/{name}.json")
        assert (table["track"], table["history"], table["candidates"]) == key
        rows = [(key, list(own)) for key, own in groupby(group, lambda line: line["key"])]
        assert [row["key"] for row in table["rows"]] == [key for key, _ in rows]
        assert table["size"] == len(rows)
        for row, (_, own) in zip(table["rows"], rows, strict=True):
            first = own[0]
            assert (row["rank"] or "", row["team"]) == (
                int(first["rank"]) if first["rank"] else "", first["team"],
            )  # fmt: skip
            span = [int(first[name]) for name in ("best_rank", "worst_rank") if first[name]]
            assert (row["rank_range"] or []) == span
            assert row["marks"]["floor"] == (first["floor"] == "yes")
            assert len(row["runs"]) == int(first["runs"])
            figures = [line for line in own if not line["metric"].startswith("cost: ")]
            assert list(row["figures"]) == sorted(line["metric"] for line in figures)
            for line in figures:
                cell = row["figures"][line["metric"]]
                for column in ("value", "low", "high", "turns", "dialogues"):
                    shown = None if line[column] == "" else float(line[column])
                    assert cell.get(column) == shown, (row["key"], line["metric"], column)
                    compared += 1
            costs = [line for line in own if line["metric"].startswith("cost: ")]
            assert [cost["value"] for cost in row["costs"]] == [
                float(line["value"]) if line["value"] else None for line in costs
            ]
    assert compared > 1000
    assert any(table.standing.ranges for table in site[2])


def test_tables_say_what_the_page_of_the_track_says(site):
    folder = site[0]
    table = document(folder, "tables/video-none-unused.json")
    page = (folder / "tracks/video.html").read_text("utf-8")
    section = page[page.index('id="video-none-unused"') :].split("</section>")[0]
    shown = re.findall(r'<td class="first">(?:<data value="([^"]+)"|<span class="(und))', section)
    assert [float(value) if value else None for value, _ in shown] == [
        row["figures"]["R@1"]["value"] for row in table["rows"]
    ]
    spans = re.findall(r"</span>(\d+)–(\d+)</small>", section)
    assert [list(map(int, span)) for span in spans] == [
        row["rank_range"] for row in table["rows"] if row["rank_range"]
    ]


def test_the_board_says_what_it_is_and_every_place_is_there(site):
    folder, found, made, bench = site
    board = document(folder, "board.json")
    assert board["benchmark"]["fingerprint"] == bench.fingerprint
    assert board["challenge"]["citation"] == "@misc{x}"
    assert board["ledger"] == {"head": "ab" * 32, "last_event": "2026-03-04T12:00:00Z"}
    assert board["scorer"] == "7 numpy:2"
    assert board["headline"] == "video-own-unused"
    assert bench.gold_sha256 not in (folder / "api/v1/board.json").read_text()
    ranked = next(row.entry for table in made for row in table.rows if row.rank == 1)
    gaps = {"slug": slug(ranked), "name": made[0].name, "track": made[0].track.name,
            "document": "board"}  # fmt: skip
    assert {"events", "feed"} <= board["files"].keys()
    for place in board["files"].values():
        path = folder / "api/v1" / urldefrag(place.format(**gaps))[0]
        assert path.resolve().is_file(), place
    systems = document(folder, "systems.json")["systems"]
    assert [row["key"] for row in systems] == [row.key for row in found.entries]
    assert [event["key"] for event in document(folder, "events.json")["events"]] == [
        event.key for event in found.events
    ]


def test_a_run_has_its_card_and_the_figures_that_its_page_shows(site):
    folder, found, *_ = site
    for row in found.entries:
        shown = document(folder, f"systems/{slug(row)}.json")
        assert shown["card"]["system"] == row.card.system
        assert shown["figures"]["all"].keys() == row.scores.metrics["all"].keys()
        for part, cells in shown["figures"].items():
            if part != "all":
                assert cells.keys() <= {"R@1", "C-R@1", "R@1,IoU>=0.5"}
            for name, cell in cells.items():
                assert cell["value"] == row.cell(name, part).value
    assert {"turn=1", "type=3", "language=zh"} <= shown["figures"].keys()


def check_feed(data):
    """What RFC 4287 requires of a feed and of each entry (4.1.1, 4.1.2); the root."""
    root = ET.fromstring(data)
    assert root.tag == f"{ATOM}feed"
    for node in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(node.findall(ATOM + name)) == 1
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", node.findtext(f"{ATOM}id"))
        assert datetime.fromisoformat(node.findtext(f"{ATOM}updated")).utcoffset() is not None
        links = node.findall(f"{ATOM}link[@rel='alternate']")
        assert len(links) == 1
        assert "author" not in {child.tag for child in node}  # of the feed, below
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    ids = [node.text for node in root.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids))
    return root


def test_the_feed_tells_the_events_newest_first_with_their_times(site):
    folder, found, *_ = site
    root = check_feed((folder / "feed.atom").read_bytes())
    entries = root.findall(f"{ATOM}entry")
    times = [node.findtext(f"{ATOM}updated") for node in entries]
    assert times == [event.at for event in reversed(found.events)]
    assert root.findtext(f"{ATOM}updated") == times[0]
    titles = [node.findtext(f"{ATOM}title") for node in entries]
    assert titles[0] == "Withdrawn: gone/run"
    assert [title.partition(":")[0] for title in titles] == [
        "Withdrawn", "Scored again", "New", "New version", "New",
    ]  # fmt: skip
    assert "a label was <wrong>" in entries[1].findtext(f"{ATOM}content")
    assert root.findtext(f"{ATOM}title") == "Find <it> & more"
    for node in root.iter(f"{ATOM}link"):
        assert (folder / node.attrib["href"]).is_file()


def test_a_feed_reader_of_others_finds_the_same(site):
    feedparser = pytest.importorskip("feedparser", reason="needs feedparser, no dependency")
    read_back = feedparser.parse((site[0] / "feed.atom").read_bytes())
    assert not read_back.bozo
    assert read_back.version == "atom10"
    assert [each.updated for each in read_back.entries] == [
        event.at for event in reversed(site[1].events)
    ]


def test_ids_of_entries_stay_when_the_board_goes_on(site, tmp_path):
    folder, found, made, bench = site
    later = BoardEvent("2026-04-01T12:00:00Z", "accepted", "new/run")
    renamed = [row._replace(card=replace(row.card, system="Other")) for row in found.entries]
    more = found._replace(events=(*found.events, later), entries=tuple(renamed))
    build(more, bench, tmp_path / "site", made)
    before, after = (
        [node.text for node in check_feed((where / "feed.atom").read_bytes()).iter(f"{ATOM}id")]
        for where in (folder, tmp_path / "site")
    )
    assert after[0] == before[0]
    assert after[2:] == before[1:]


def test_the_front_page_links_the_feed_and_without_a_ledger_there_is_none(site, board):
    for name in ("index.html", "index.zh.html"):
        page = Page((site[0] / name).read_text("utf-8"))
        feeds = [tag for tag in page.tags if tag.attributes.get("href") == "feed.atom"]
        assert [tag.name for tag in feeds] == ["link", "a"]
        assert feeds[0].attributes["rel"] == "alternate"
        assert feeds[0].attributes["type"] == "application/atom+xml"
        without = Page((board.site / name).read_text("utf-8"))
        assert "feed.atom" not in without.attributes("href")
    assert not (board.site / "feed.atom").exists()
    assert not (board.site / "api/v1/events.json").exists()
    places = document(board.site, "board.json")["files"]
    assert not {"feed", "events"} & places.keys()


def badge_of(folder, row):
    return ET.parse(folder / f"badges/{slug(row)}.svg").getroot()


def test_a_badge_shows_the_rank_range_of_the_page_and_of_how_many(site):
    folder, found, made, _ = site
    own = next(table for table in made if table.name == "video-own-unused")
    shown = 0
    for row in own.rows:
        if row.rank is None:
            assert row.entry.floor
            assert not (folder / f"badges/{slug(row.entry)}.svg").exists()
            continue
        low, high = own.range_of(row)
        text = f"rank {low}–{high} of {own.ranked}" if low < high else f"rank {low} of {own.ranked}"
        image = badge_of(folder, row.entry)
        assert [node.text for node in image.iter(f"{SVG}text")] == ["Video search", text]
        assert image.attrib["role"] == "img"
        assert text in image.find(f"{SVG}title").text
        shown += 1
    assert shown > 1
    assert {path.stem for path in (folder / "badges").iterdir()} == {
        slug(row) for row in found.entries if not row.floor
    }


def test_seeds_of_one_row_share_its_badge(site):
    folder, found, *_ = site
    seeds = [row for row in found.entries if row.key.startswith("team-of-seeds/")]
    assert len(seeds) == 3
    assert len({(folder / f"badges/{slug(row)}.svg").read_bytes() for row in seeds}) == 1


def test_without_ranges_a_badge_has_the_plain_rank_and_none_outlives_its_run(tmp_path):
    bench = generated.bench(tmp_path)
    rows = [entry(f"t/{name}", **{"R@1": value}) for name, value in (("a", 0.5), ("b", 0.4))]
    broken = entry("t/c", **{"R@1": 0.3})
    broken = broken._replace(card=replace(broken.card, control="videos permuted"))
    undefined = entry("t/d", **{"R@1": None, "MRR": 0.5})
    build(BoardContents((*rows, broken, undefined), (), ()), bench, tmp_path / "site")
    (table,) = tables((*rows, broken, undefined), generated.METRICS)
    assert [rank_text(table, row) for row in table.rows[:2]] == ["rank 1 of 2", "rank 2 of 2"]
    names = sorted(path.name for path in (tmp_path / "site/badges").iterdir())
    assert names == [f"{slug(row)}.svg" for row in rows]
    build(BoardContents((rows[1],), (), ()), bench, tmp_path / "site")
    assert [path.name for path in (tmp_path / "site/badges").iterdir()] == names[1:]


def test_a_badge_prefers_the_columns_of_the_overview_to_other_tables(tmp_path):
    videos = [entry(f"t/{n}", **{"R@1": n / 10, "C-R@1": 0.5}) for n in range(1, 4)]
    span = {"C-R@1": 0.0, "R@1,IoU>=0.5": 0.6}
    moments = entry("t/spans", "reference", **span)
    board = BoardContents((*videos, moments), (), ())
    build(board, generated.bench(tmp_path), tmp_path / "site")
    texts = [node.text for node in badge_of(tmp_path / "site", moments).iter(f"{SVG}text")]
    assert texts == ["Moments", "rank 1 of 1"], "choice of reference history is no column"


def test_a_run_whose_row_has_no_rank_keeps_a_badge_that_says_so(tmp_path):
    """Two seeds of which one has no figure: the row's mean is undefined, the page is the run's."""
    bench = generated.bench(tmp_path)
    both = [
        row._replace(card=replace(row.card, system="s", seed=seed))
        for seed, row in enumerate(
            (entry("t/a", **{"R@1": 0.5}), entry("t/b", **{"R@1": None, "MRR": 0.5}))
        )
    ]
    build(BoardContents(tuple(both), (), ()), bench, tmp_path / "site")
    texts = [node.text for node in badge_of(tmp_path / "site", both[0]).iter(f"{SVG}text")]
    assert texts[1] == NO_RANK
    assert not (tmp_path / f"site/badges/{slug(both[1])}.svg").exists()


def test_the_page_of_a_run_shows_its_badge_with_the_snippets(site):
    folder, found, *_ = site
    for row in found.entries:
        text = (folder / f"systems/{slug(row)}.html").read_text("utf-8")
        page = Page(text)
        images = [tag.attributes for tag in page.tags if tag.name == "img"]
        assert bool(images) != row.floor
        records = {name for name in page.attributes("href") if name.startswith("../exports/")}
        assert len(records) == (0 if row.floor else 2)
        for image in images:
            assert (folder / "systems" / image["src"]).is_file()
            assert image["alt"]
            (policy,) = [t.attributes["content"] for t in page.tags if "http-equiv" in t.attributes]
            assert "img-src data: 'self' file:" in policy
            snippets = " ".join(page.text)
            assert f"](https://BOARD/badges/{slug(row)}.svg)" in snippets
            assert f'<img src="https://BOARD/badges/{slug(row)}.svg"' in snippets


def test_the_page_for_frames_has_ten_rows_and_the_floor_without_a_script(site, tmp_path):
    folder, _, made, _ = site
    table = next(table for table in made if table.name == "video-own-unused")
    for name in ("embed.html", "embed.zh.html"):
        page = Page((folder / name).read_text("utf-8"))
        (policy,) = [t.attributes["content"] for t in page.tags if "http-equiv" in t.attributes]
        assert "script" not in policy
        assert [what for what, _ in page.inline] == ["style"]
        links = [tag.attributes for tag in page.tags if tag.name == "a"]
        assert links
        assert {(link["target"], link["rel"]) for link in links} == {("_top", "noopener")}
        rows = [link["href"] for link in links if link["href"].startswith("systems/")]
        assert len(rows) == min(10, table.ranked) + 1
    texts = " ".join(Page((folder / "embed.html").read_text("utf-8")).text)
    assert "Small numbers under a rank" in texts
    many = [entry(f"t/{n:02}", **{"R@1": n / 100}) for n in range(30)]
    floor = entry("floors/random/none", floor=True, **{"R@1": 0.275})
    build(BoardContents((*many, floor), (), ()), generated.bench(tmp_path), tmp_path / "site")
    page = (tmp_path / "site/embed.html").read_text()
    assert "Small numbers" not in page, "there are none"
    found = re.findall(r'href="systems/([^"]+)\.html"', page)
    assert found == [slug(row) for row in (*many[:27:-1], floor, *many[27:19:-1])]


def yaml_items(path):
    return yaml.safe_load(path.read_text("utf-8"))


def test_eval_results_are_read_by_the_hubs_own_parser(site):
    pytest.importorskip("huggingface_hub", reason="needs the extra baselines")
    from huggingface_hub import eval_result_entries_to_yaml, parse_eval_result_entries

    folder, found, *_ = site
    for row in found.entries:
        path = folder / f"exports/{slug(row)}.eval_results.yaml"
        assert path.is_file() != row.floor
        if row.floor:
            continue
        items = yaml_items(path)
        parsed = parse_eval_result_entries(items)
        assert eval_result_entries_to_yaml(parsed) == items
        for item in parsed:
            assert item.dataset_id == "IVCR-Mini"
            assert (item.date, item.source_url) == (None, None)
            metric = item.notes.split(" in ")[0]
            parts = [row.cell(metric, part) for part in ("all", "language=en", "language=zh")]
            assert item.value in [cell.value for cell in parts if cell]
        assert f"test-video-{row.card.history}-{row.card.candidates}" in {
            item.task_id for item in parsed
        }


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, 1.25e-7, 1e-05, 99.5, 1234567.25])
def test_every_yaml_reads_a_small_figure_as_a_number(value):
    assert yaml.safe_load(plain_number(value)) == value
    assert type(yaml.safe_load(plain_number(value))) is float


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://huggingface.co/datasets/ivcr/mini", "ivcr/mini"),
        ("https://huggingface.co/datasets/ivcr/mini/", "ivcr/mini"),
        ("https://huggingface.co/ivcr/mini", None),
        ("https://example.org/datasets/ivcr/mini", None),
        ("", None),
    ],
)
def test_the_hub_knows_a_benchmark_only_by_an_address_there(url, expected, tmp_path):
    bench = generated.bench(tmp_path)._replace(url=url)
    assert hub_dataset(bench) == expected
    row = entry("t/a", **{"R@1": 0.5})
    build(BoardContents((row,), (), ()), bench, tmp_path / "site")
    (item,) = yaml_items(tmp_path / f"site/exports/{slug(row)}.eval_results.yaml")
    assert item["dataset"]["id"] == (expected or "IVCR-Mini")
    record = json.loads((tmp_path / f"site/exports/{slug(row)}.every_eval_ever.json").read_text())
    (result,) = record["evaluation_results"]
    source = "hf_dataset" if expected else "url" if url else "other"
    assert result["source_data"]["source_type"] == source


def every_eval_schema():
    if importlib.util.find_spec("every_eval_ever") is None:
        pytest.skip(
            "needs every-eval-ever on the path: it asks for huggingface-hub<2 and rich<15, which"
            " this project's lock does not allow (docs/board_api.md has the command)"
        )
    place = package_files("every_eval_ever").joinpath("schemas/eval.schema.json")
    return json.loads(place.read_text("utf-8"))


def records(folder):
    found = sorted((folder / "exports").glob("*.every_eval_ever.json"))
    assert found
    return [json.loads(path.read_text("utf-8")) for path in found]


def test_records_are_as_every_eval_ever_publishes_its_schema(site):
    schema = every_eval_schema()
    for record in records(site[0]):
        Draft7Validator(schema).validate(record)
        assert record["schema_version"] == schema["version"]


def test_records_have_the_figures_and_say_what_is_not_known(site):
    folder, found, *_ = site
    rows = {row.key: row for row in found.entries}
    for record in records(folder):
        row = rows[record["model_info"]["id"]]
        assert record["retrieved_timestamp"] == "unknown"
        assert record["source_metadata"]["source_organization_name"] == "A. Example, B. Example"
        assert record["eval_library"]["version"] == "0.1.0"
        ids = [result["evaluation_result_id"] for result in record["evaluation_results"]]
        assert len(ids) == len(set(ids))
        for result in record["evaluation_results"]:
            track, metric = result["evaluation_result_id"].split("/")[-2:]
            part = {"response-en": "language=en", "response-zh": "language=zh"}.get(track, "all")
            cell = row.cell(metric, part)
            score = result["score_details"]
            assert score["score"] == cell.value
            assert score["uncertainty"]["confidence_interval"]["lower"] == cell.low
            config = result["metric_config"]
            assert config["min_score"] <= score["score"] <= config["max_score"]
            assert config["lower_is_better"] == (generated.METRICS[metric].better == "lower")


def hostile_challenge(tmp_path):
    bench = generated.bench(tmp_path)._replace(name=HOSTILE)
    found = hostile_board()
    key = found.entries[0].key
    found = found._replace(
        mark=MARK,
        about=ABOUT._replace(title=HOSTILE, organizers=(HOSTILE,), licence=HOSTILE),
        events=(BoardEvent("2026-03-01T12:00:00Z", "accepted", key),
                BoardEvent("2026-03-01T13:00:00Z", "withdrawn", HOSTILE, HOSTILE)),
    )  # fmt: skip
    build(found, bench, tmp_path / "site")
    return tmp_path / "site", found


def test_foreign_text_stays_text_in_every_form(tmp_path):
    folder, found = hostile_challenge(tmp_path)
    check_documents(folder)
    root = check_feed((folder / "feed.atom").read_bytes())
    assert {node.tag.removeprefix(ATOM) for node in root.iter()} == {
        "feed", "id", "title", "updated", "author", "name", "link", "rights", "entry", "content",
    }  # fmt: skip
    assert "<script>alert(1)</script>" in root.findtext(f"{ATOM}title")
    row = found.entries[0]
    for path in (folder / "badges").iterdir():
        assert "script" not in path.read_text("utf-8")
    for item in yaml_items(folder / f"exports/{slug(row)}.eval_results.yaml"):
        assert set(item) == {"dataset", "value", "notes"}
        assert "<script>" in item["dataset"]["id"]
    page = Page((folder / "embed.html").read_text("utf-8"))
    assert "script" not in {tag.name for tag in page.tags}
    assert "<script>alert(1)</script>" in " ".join(page.text)


def test_an_empty_board_has_valid_documents_and_a_page_for_frames(tmp_path):
    build(BoardContents((), (), ()), generated.bench(tmp_path), tmp_path / "site")
    assert len(check_documents(tmp_path / "site")) == 3
    board = document(tmp_path / "site", "board.json")
    assert (board["headline"], board["ledger"], board["challenge"]) == (None, None, None)
    page = Page((tmp_path / "site/embed.html").read_text("utf-8"))
    assert "No run has a figure yet." in " ".join(page.text)
    assert not (tmp_path / "site/badges").exists()


def test_a_ledger_without_an_event_gives_no_feed(tmp_path):
    board = BoardContents((), (), (), mark=LedgerMark("0" * 64, None), about=ABOUT)
    build(board, generated.bench(tmp_path), tmp_path / "site")
    assert not (tmp_path / "site/feed.atom").exists()
    assert document(tmp_path / "site", "board.json")["ledger"]["last_event"] is None


def test_files_of_an_unchanged_run_are_taken_over_and_badges_drawn_anew(site, tmp_path):
    folder, found, made, bench = site
    out = tmp_path / "site"
    build(found, bench, out, made, scorer="7 numpy:2")
    rows = tuple(row._replace(unchanged=True) for row in found.entries)
    kept = {path: (out / path).stat().st_ino for row in rows for path in entry_pages(row)}
    assert {path.rpartition(".")[2] for path in kept} == {"html", "json", "yaml"}
    last = out / "badges" / f"{slug(next(row for row in rows if not row.floor))}.svg"
    last.write_text("old")
    build(found._replace(entries=rows), bench, out, made, scorer="7 numpy:2")
    assert {path: (out / path).stat().st_ino for path in kept} == kept
    assert last.read_text() != "old"
    assert sorted(p.relative_to(out) for p in out.rglob("*")) == sorted(
        p.relative_to(folder) for p in folder.rglob("*")
    )
