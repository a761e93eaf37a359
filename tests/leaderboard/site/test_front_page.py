"""The front page: what the board is, how to take part, one overview, and what does not rank."""

import pytest

from harness.challenge.challenge_file import Headline
from leaderboard.board.records import BoardContents, ChallengeAbout, LedgerMark, Standing
from leaderboard.results.dialogue_source import BrowsedDialogue
from leaderboard.site.dialogue_pages import DialogueBrowser
from leaderboard.site.front.visible_marks import visible_marks
from leaderboard.tables.overview import overview
from leaderboard.tables.ranked_table import tables
from tests.leaderboard import generated
from tests.leaderboard.conftest import build
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_dialogue_pages import source, turn
from tests.leaderboard.tables.test_overview import run


def page_of(entries, folder, name="index.html", labels="public", **board):
    """A built page of a board with these entries."""
    found = BoardContents(tuple(entries), (), (), **board)
    build(found, generated.bench(folder, labels), folder / "site")
    return Page((folder / "site" / name).read_text("utf-8"))


def systems(page):
    """The names in the first table of a page."""
    return [text for text in page.text if text.startswith("system")]


def test_a_challenge_says_who_runs_it_and_when_the_board_changed(tmp_path):
    about = ChallengeAbout("The <b>search</b>", "What it is about.", ("A lab", "B lab"), "https://a.example/x",
                  (("Data", "https://a.example/data"), ("Bad", "javascript:alert(1)")),
                  "@misc{search}", "CC BY 4.0")  # fmt: skip
    mark = LedgerMark("f" * 64, "2026-11-30T12:00:00Z")
    page = page_of([run("a/system", **{"R@1": 0.5})], tmp_path, about=about, mark=mark)
    text = " ".join(page.text)
    for part in (
        "The <b>search</b>",
        "What it is about.",
        "A lab, B lab",
        "CC BY 4.0",
        "@misc{search}",
    ):
        assert part in text, part
    assert page.text.count("2026-11-30T12:00:00Z") == 2, "as a fact, and in the mark of the ledger"
    assert "https://a.example/data" in page.attributes("href")
    assert not [each for each in page.attributes("href") if "javascript" in each]


def test_without_a_challenge_nothing_is_said_of_one(tmp_path):
    text = " ".join(page_of([run("a/system", **{"R@1": 0.5})], tmp_path).text)
    for word in ("Last updated", "Organizers", "Licence", "How to cite"):
        assert word not in text


def test_every_system_is_on_the_front_page_whatever_it_was_shown(tmp_path):
    entries = [run("a/system", **{"R@1": 0.5}), run("b/system2", **{"R@1": 0.4}),
               run("c/alone", "none", **{"R@1": 0.9})]  # fmt: skip
    page = page_of(entries, tmp_path)
    text = page.text
    assert text.index("alone") > text.index("Systems that stand in other tables alone:")
    assert "tracks/video.html#video-none-unused" in page.attributes("href")
    assert "systems/c--alone.html" in page.attributes("href")


def test_controls_have_a_section_of_their_own(tmp_path):
    entries = [run("a/system", **{"R@1": 0.5}),
               run("a/broken", control="frames shuffled", **{"R@1": 0.9})]  # fmt: skip
    page = page_of(entries, tmp_path)
    assert page.text.index("broken") > page.text.index("Controls")
    track = Page((tmp_path / "site/tracks/video.html").read_text("utf-8"))
    assert track.text.index("broken") > track.text.index("Controls")
    assert track.text.index("system") < track.text.index("Controls")


@pytest.mark.parametrize(("number", "whole"), [(100, False), (101, True)])
def test_a_long_overview_has_its_own_page(tmp_path, number, whole):
    entries = [run(f"a/system{n:03}", **{"R@1": n / number}) for n in range(number)]
    page = page_of(entries, tmp_path)
    first = systems(page)
    assert len(set(first)) == 100
    assert (tmp_path / "site/overview.html").is_file() == whole
    if whole:
        rest = Page((tmp_path / "site/overview.html").read_text("utf-8"))
        assert len(set(systems(rest))) == 101
        assert "All 101 systems" in page.text


def test_a_thousand_rows_leave_the_front_page_small(tmp_path):
    entries = [
        run(
            f"team{n}/a system with a name {n}",
            **dict.fromkeys(generated.RANKING, n / 1000),
        )
        for n in range(1_000)
    ]
    page_of(entries, tmp_path)
    assert (tmp_path / "site/index.html").stat().st_size < 300_000


@pytest.mark.parametrize("labels", ["public", "hidden"])
def test_the_example_is_one_of_the_boards_dialogues_in_the_pages_language(tmp_path, labels):
    content = source(
        [
            BrowsedDialogue("one task", 1, (turn(1, "hello"), turn(2, "another"))),
            BrowsedDialogue("中文", 1, tuple(each._replace(language="zh") for each in (
                turn(1, "找视频"), turn(2, "找片段", moment=(1.0, 2.0))))),
            BrowsedDialogue("english", 1, (turn(1, "find it"), turn(2, "end", moment=(3.0, 4.0)))),
        ],
        {},
    )  # fmt: skip
    entries = [run("a/system", **{"R@1": 0.5})]
    found = BoardContents(tuple(entries), (), ())
    browser = DialogueBrowser(lambda: content, (), lambda entry: tmp_path, lambda entry: tmp_path)
    shown = browser if labels == "public" else None
    build(found, generated.bench(tmp_path, labels), tmp_path / "site", browser=shown)
    page = Page((tmp_path / "site/index.html").read_text("utf-8"))
    if labels == "hidden":
        assert "A dialogue" not in page.text
        assert "find it" not in " ".join(page.text)
        return
    assert {"find it", "end"} <= set(page.text)
    assert "dialogues/1.html#d3" in page.attributes("href")
    assert "找视频" in Page((tmp_path / "site/index.zh.html").read_text("utf-8")).text


def test_the_headline_of_a_challenge_stands_first(tmp_path):
    about = ChallengeAbout("Search", headline=Headline("moment", "reference", "unused"))
    entries = [run("a/system", **{"R@1": 0.5}),
               run("a/localiser", "reference", **{"R@1,IoU>=0.5": 0.5})]  # fmt: skip
    page = page_of(entries, tmp_path, about=about)
    heads = [text for text in page.text if text in ("Moments", "Video search")]
    assert heads[0] == "Moments"


def test_the_front_page_explains_the_marks_that_stand_on_it_and_no_others(tmp_path):
    small, dagger = "Small numbers are the ranks", "† cannot be told apart"
    badge, dashed = "ran themselves carry a badge", "The dashed line in each bar"
    alone = run("a/system", **{"R@1": 0.5})
    floor = run("floors/random/own", floor=True, **{"R@1": 0.1})
    boards = {
        "empty": ([floor], {dashed}),
        "one": ([alone], set()),
        "own": ([alone._replace(own=True), floor], {badge, dashed}),
    }
    for name, (entries, expected) in boards.items():
        (tmp_path / name).mkdir()
        text = " ".join(page_of(entries, tmp_path / name).text)
        assert {each for each in (small, dagger, badge, dashed) if each in text} == expected, name
    pair = [alone, run("b/other", **{"R@1": 0.4})]
    both = {"a/system": (1, 2), "b/other": (1, 2)}
    for alike in ((), ("b/other",)):
        standing = Standing(ranges=both, alike=alike)
        marked = [table._replace(standing=standing) for table in tables(pair, generated.METRICS)]
        found = visible_marks(overview(marked), None)
        assert (found.ranges, found.alike) == (True, bool(alike))
