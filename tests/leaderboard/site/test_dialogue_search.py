"""The search page of the dialogues: every dialogue in its table and its index, nothing but data."""

import json
import re

import pytest

from leaderboard.results.dialogue_source import BrowsedAnswer, BrowsedDialogue
from leaderboard.site.dialogue_search import search_index as index_module
from leaderboard.site.dialogue_search.search_index import search_index, split_pages
from leaderboard.site.site_paths import page_of
from tests.baselines.conftest import CAT, DOG
from tests.leaderboard.html_reading import Page
from tests.leaderboard.site.test_builder import HOSTILE
from tests.leaderboard.site.test_dialogue_pages import pages, turn
from tests.leaderboard.tables.test_ranked_table import entry

RIGHT, WRONG = BrowsedAnswer(True, CAT, None, 1), BrowsedAnswer(False, DOG, None, 2)


def index_of(page):
    """The index that stands in a page, as a browser would hand it to the script."""
    (text,) = re.findall(r'<script type="application/json" id="index">(.*?)</script>', page)
    return json.loads(text)


def several(number, text="what"):
    return [BrowsedDialogue(f"d{n}", n % 7, (turn(1, f"{text} {n}"),)) for n in range(number)]


@pytest.mark.parametrize("ending", [".html", ".zh.html"])
def test_without_a_script_the_page_is_a_table_of_all_dialogues_with_their_links(tmp_path, ending):
    made = pages(tmp_path, several(60), [entry("a/b")])
    page = Page(made[f"dialogues/search{ending}"])
    links = [a for a in page.attributes("href") if "#d" in a]
    assert links == [f"{page_of(n).partition('/')[2]}{ending}#d{n + 1}" for n in range(60)]
    for n, link in enumerate(links):
        path, _, place = link.partition("#")
        target = Page(made[f"dialogues/{path}"])
        assert target.attributes("id").count(place) == 1
        assert f"d{n}" in target.text
        assert f"what {n}" in page.text


def test_the_index_holds_each_turn_with_its_verdicts(tmp_path):
    dialogues = [
        BrowsedDialogue("x", 5, (
            turn(1, "find the cat", answers=(RIGHT, WRONG)),
            turn(2, "什么时候?", moment=(1.0, 2.0), answers=(WRONG, RIGHT)),
            turn(3, "thanks", None)._replace(task="chat", answers=(WRONG, WRONG)),
        )),
    ]  # fmt: skip
    made = pages(tmp_path, dialogues, [entry("a/b"), entry("a/c")])
    assert index_of(made["dialogues/search.html"].decode()) == {
        "languages": ["en"],
        "videos": [CAT],
        "dialogues": [[5, [
            [0, 0, "find the cat", 0, "10"], [0, 1, "什么时候?", 0, "01"], [0, 2, "thanks", -1, ""],
        ]]],
    }  # fmt: skip


def test_foreign_words_are_data_and_never_a_tag_or_a_script(tmp_path):
    closing = "</script><!-- <script> \u2028\u202e ]]> " + HOSTILE
    dialogues = [BrowsedDialogue(closing, 1, (turn(1, closing, closing, answers=(RIGHT,)),))]
    made = pages(tmp_path, dialogues, [entry(f"{HOSTILE}/{HOSTILE}")])
    raw = made["dialogues/search.html"].decode()
    page = Page(raw)
    assert [tag.name for tag in page.tags].count("script") == 3
    assert "img" not in {tag.name for tag in page.tags}
    assert not [name for tag in page.tags for name in tag.attributes if name.startswith("on")]
    assert not {"\u2028", "\u202e", "\x1b"} & set(raw)
    ((_, (found,)),) = index_of(raw)["dialogues"]
    assert found[2].startswith("</script><!-- <script> \\u2028\\u202e ]]> <script>alert(1)")


def test_the_policy_allows_the_search_and_no_other_script_and_no_request(tmp_path):
    page = Page(pages(tmp_path, several(1))["dialogues/search.html"])
    (policy,) = [t.attributes["content"] for t in page.tags if "http-equiv" in t.attributes]
    assert "default-src 'none'" in policy
    assert policy.count("'sha256-") == 3, "the style, the theme and the search"
    assert "connect-src" not in policy
    assert "unsafe" not in policy


def test_parts_cover_every_dialogue_once_and_none_is_too_large(monkeypatch):
    monkeypatch.setattr(index_module, "MOST_DIALOGUES", 4)
    monkeypatch.setattr(index_module, "MOST_TEXT", 40)
    sizes = [1, 1, 1, 1, 1, 20, 21, 100, 5, 35, 1, 39, 2]
    dialogues = [BrowsedDialogue("d", 1, (turn(1, "x" * size),)) for size in sizes]
    parts = list(split_pages(dialogues))
    assert parts == [(0, 4), (4, 6), (6, 7), (7, 8), (8, 10), (10, 12), (12, 13)]
    assert all(last - first <= 4 for first, last in parts)
    assert all(sum(sizes[a:b]) <= 40 or b - a == 1 for a, b in parts)
    assert list(split_pages([])) == [(0, 0)]


def test_several_parts_link_to_each_other_and_lead_to_the_right_dialogues(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "MOST_DIALOGUES", 40)
    made = pages(tmp_path, several(90))
    names = ["search", "search-2", "search-3"]
    rows = []
    for place, name in enumerate(names):
        page = Page(made[f"dialogues/{name}.html"])
        parts = [tag for tag in page.tags if "data-part" in tag.attributes]
        assert [tag.attributes["href"] for tag in parts] == [f"{each}.html" for each in names]
        assert ["aria-current" in tag.attributes for tag in parts].index(True) == place
        found = [a for a in page.attributes("href") if "#d" in a]
        assert len(found) == len(index_of(made[f"dialogues/{name}.html"].decode())["dialogues"])
        rows += found
    assert rows == [f"{page_of(n).partition('/')[2]}.html#d{n + 1}" for n in range(90)]


def test_a_thousand_dialogues_of_five_turns_fit_one_page_of_a_megabyte(tmp_path):
    text = "Do you have a busy video where a yellow ball appears on the left, a red square"
    dialogues = [
        BrowsedDialogue(f"d{n:06}-f46f2e79", 1, tuple(
            turn(k, f"{text} {n} {k}", f"MiniLong/{n * k:08x}.mp4", answers=(RIGHT, WRONG) * 3)
            for k in range(1, 6)))
        for n in range(1_000)
    ]  # fmt: skip
    made = pages(tmp_path, dialogues, [entry(f"a/{n}") for n in range(6)])
    assert "dialogues/search-2.html" not in made
    size = len(made["dialogues/search.html"])
    assert size < 1_200_000, f"{size:,} bytes"


def test_the_same_dialogues_give_the_same_index():
    assert search_index(several(9)) == search_index(several(9))


def test_dialogue_pages_link_to_the_search(tmp_path):
    made = pages(tmp_path, several(30))
    for name in ("1", "2"):
        assert "search.html" in Page(made[f"dialogues/{name}.html"]).attributes("href")
        assert "search.zh.html" in Page(made[f"dialogues/{name}.zh.html"]).attributes("href")
