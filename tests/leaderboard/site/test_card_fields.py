"""What a card says of its run: variant, settings, and a control that is never ranked."""

import csv
import io
import json

import pytest
from msgspec.structs import replace

from leaderboard.board.records import BoardContents
from leaderboard.site import exports
from leaderboard.site.dialogue_pages import leading_entries
from tests.leaderboard import generated
from tests.leaderboard.conftest import build
from tests.leaderboard.html_reading import Page
from tests.leaderboard.tables.test_ranked_table import entry, video

HOSTILE = "<script>alert(1)</script>"


def run(key, value, **fields):
    row = entry(key, **{"R@1": value})
    return row._replace(card=replace(row.card, system="one system", **fields))


ROWS = (
    run("team/best", 0.9, control="captions shuffled", seed=1, code="baselines/floors/random.py"),
    run(
        "team/good",
        0.7,
        variant="two stages",
        settings={"depth": 3, "reranker": "x"},
        annotations="annotated events",
    ),
    run("team/poor", 0.4, variant=HOSTILE, settings={HOSTILE: HOSTILE}),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("fields")
    build(BoardContents(ROWS, (), ()), generated.bench(root), root / "site")
    return root / "site"


def test_a_control_has_no_rank_and_takes_none_away():
    table = video(ROWS)
    assert [(row.entry.key, row.rank) for row in table.rows] == [
        ("team/best", None),
        ("team/good", 1),
        ("team/poor", 2),
    ]
    assert table.floor is None
    assert [row.key for row in leading_entries([table])] == ["team/good", "team/poor"]


def test_a_control_and_its_system_are_no_seeds_of_one_row():
    same = run("team/again", 0.8, seed=2)
    assert len(video([*ROWS, same]).rows) == 4


def test_pages_mark_a_control_and_show_the_variant_behind_the_name(site):
    text = Page((site / "index.html").read_text("utf-8")).text
    assert "control: captions shuffled" in text
    assert text[text.index("two stages") - 1] == "one system"
    html = (site / "index.html").read_text("utf-8")
    assert '<span class="variant"><bdi>two stages</bdi></span>' in html
    assert HOSTILE not in html
    assert HOSTILE in text


def test_rows_say_which_annotations_they_needed(site):
    html = (site / "index.html").read_text("utf-8")
    assert html.count('<span class="tag">annotated events</span>') == 1
    assert "标注事件" in (site / "index.zh.html").read_text("utf-8")
    (line,) = [
        line for line in csv.DictReader(io.StringIO(exports.csv([video(ROWS)]).decode()))
        if line["variant"] == "two stages"
    ]  # fmt: skip
    assert line["annotations"] == "annotated events"


def test_a_systems_page_lists_its_settings(site):
    text = Page((site / "systems" / "team--good.html").read_text("utf-8")).text
    place = text.index("Settings of this run")
    assert text[place + 1 : place + 5] == ["depth", "3", "reranker", "x"]
    assert "Settings of this run" not in (site / "systems" / "team--best.html").read_text("utf-8")
    hostile = (site / "systems" / "team--poor.html").read_text("utf-8")
    assert HOSTILE not in hostile
    assert Page(hostile).text.count(HOSTILE) == 3  # its variant, a name and a value


def test_a_systems_page_shows_how_to_make_the_run_of_a_baseline_again(site):
    ours = Page((site / "systems" / "team--best.html").read_text("utf-8")).text
    theirs = Page((site / "systems" / "team--good.html").read_text("utf-8")).text
    assert "ivcr reproduce team/best --benchmark B --check" in ours
    assert not any("ivcr reproduce" in text for text in theirs)
    assert "ivcr validate team/good --benchmark B" in "\n".join(theirs)


def test_exports_say_the_variant_and_the_control():
    table = video(ROWS)
    lines = csv.DictReader(io.StringIO(exports.csv([table]).decode()))
    assert [(line["rank"], line["variant"], line["control"]) for line in lines] == [
        ("", "", "captions shuffled"),
        ("1", "two stages", ""),
        ("2", HOSTILE, ""),
    ]
    markdown, latex = exports.markdown([table]).decode(), exports.latex([table]).decode()
    assert "| – | one system (control: captions shuffled) |" in markdown
    assert "| 1 | one system (two stages) |" in markdown
    assert r"one system (\textless{}script\textgreater{}" in latex
    rows = json.loads(exports.board(ROWS))["rows"]
    assert [row.get("variant") for row in rows] == [None, "two stages", HOSTILE]
    assert "control" not in rows[1]
