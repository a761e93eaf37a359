"""The search page in a real browser: it shows what a plain loop over the dialogues finds."""

import os
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest

from leaderboard.results.dialogue_source import BrowsedAnswer, BrowsedDialogue
from leaderboard.site.dialogue_search import search_index
from tests.leaderboard.site import test_browser
from tests.leaderboard.site.test_dialogue_pages import pages, turn
from tests.leaderboard.tables.test_ranked_table import entry

By, Select = test_browser.By, test_browser.Select
chromium = test_browser.browser
pytestmark = test_browser.pytestmark
ENGLISH = ("Red star left of a ball", "a blue STAR blinks", "the category of cats", "When?")
CHINESE = ("红色五角星在左边", "蓝色圆球闪烁", "有没有类似的视频？", "什么时候ＡＢ出现")
VIDEOS = ("MiniLong/aa.mp4", "MiniShort/ab.mp4", "MiniLong/bb.mp4")
SYSTEMS = 3


def dialogue(number, draw):
    turns = []
    for place in range(1, 1 + int(draw.integers(1, 5))):
        language = "zh" if draw.random() < 0.4 else "en"
        task = str(draw.choice(["video", "moment", "chat"]))
        answers = tuple(
            BrowsedAnswer(bool(draw.random() < 0.5), None, None, None) for _ in range(SYSTEMS)
        )
        text = str(draw.choice(CHINESE if language == "zh" else ENGLISH))
        video = None if task == "chat" else str(draw.choice(VIDEOS))
        made = turn(place, text, video, answers=answers)
        turns.append(made._replace(language=language, task=task))
    return BrowsedDialogue(f"d{number}", int(draw.integers(1, 4)), tuple(turns))


@pytest.fixture(scope="module")
def content():
    draw = np.random.default_rng(5)
    return [dialogue(number, draw) for number in range(120)]


@pytest.fixture(scope="module")
def site(content, tmp_path_factory):
    """The dialogue pages of a site, the search in two parts."""
    root = tmp_path_factory.mktemp("search")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_index, "MOST_DIALOGUES", 100)
        made = pages(root, content, [entry(f"a/{n}") for n in range(SYSTEMS)])
    for path, data in made.items():
        (root / "site" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "site" / path).write_bytes(data)
    return root / "site"


def expected(content, **query):
    """Names of the dialogues that fit, by a plain loop."""
    names = []
    for each in content[:100]:
        if query.get("type") and str(each.type) != query["type"]:
            continue
        if query.get("turns") and str(len(each.turns)) != query["turns"]:
            continue
        for one in each.turns:
            words = query.get("words", "").lower().split()
            text = one.utterance.lower().replace("ａｂ", "ab")
            verdicts = [
                one.task != "chat" and one.answers[number - 1].right == (wanted == "1")
                for number in range(1, SYSTEMS + 1)
                if (wanted := query.get(f"s{number}"))
            ]
            if (
                all(word in text for word in words)
                and query.get("video", "").lower() in (one.video or "").lower()
                and query.get("language", one.language) == one.language
                and query.get("task", one.task) == one.task
                and all(verdicts)
            ):
                names.append(each.name)
                break
    return names


def visible_rows(browser):
    rows = browser.find_elements(By.CSS_SELECTOR, "#dialogues tbody tr")
    return [row for row in rows if row.is_displayed()]


def names(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('#dialogues tbody tr')].filter((row) => !row.hidden)"
        ".map((row) => row.querySelector('th code').textContent)"
    )


QUERIES = [
    {},
    {"words": "star"},
    {"words": "STAR red"},
    {"words": "cat"},
    {"words": "五角星"},
    {"words": "球闪"},
    {"words": "ab出"},
    {"words": "nobody says this"},
    {"type": "2"},
    {"turns": "3", "type": "1"},
    {"language": "zh", "task": "moment"},
    {"task": "chat"},
    {"video": "minilong"},
    {"video": "ab.mp4", "words": "star", "task": "video"},
    {"s1": "1", "s2": "0"},
    {"s1": "0", "s2": "0", "s3": "0", "task": "moment"},
    {"s3": "1", "words": "左边", "language": "zh", "turns": "4"},
    {"task": "chat", "s1": "0"},
]


@pytest.mark.parametrize("query", QUERIES, ids=urlencode)
def test_what_an_address_asks_for_is_what_a_plain_loop_finds(chromium, site, content, query):
    chromium.get((site / "dialogues/search.html").as_uri() + "?" + urlencode(query))
    found = expected(content, **query)
    assert names(chromium) == found
    text = chromium.find_element(By.CSS_SELECTOR, "#filter output").text
    assert text == (f"{len(found)} dialogues shown" if found else "No dialogue fits.")
    assert chromium.get_log("browser") == []


def test_the_queries_above_tell_something(content):
    sizes = [len(expected(content, **query)) for query in QUERIES]
    assert sizes[0] == 100
    assert sum(0 < size < 100 for size in sizes) >= 14


def test_typing_searches_and_a_result_shows_the_turn_that_fits_and_leads_to_its_dialogue(
    chromium, site
):
    chromium.get((site / "dialogues/search.html").as_uri())
    form = chromium.find_element(By.ID, "filter")
    form.find_element(By.NAME, "words").send_keys("圆球")
    Select(form.find_element(By.NAME, "task")).select_by_value("moment")
    rows = visible_rows(chromium)
    assert 0 < len(rows) < 100
    for row in rows:
        said = row.find_element(By.CSS_SELECTOR, "td.text bdi")
        assert (said.text, said.get_attribute("lang")) == ("蓝色圆球闪烁", "zh")
    name, link = rows[-1].find_element(By.TAG_NAME, "code").text, rows[-1].find_element(
        By.TAG_NAME, "a"
    )  # fmt: skip
    link.click()
    place = urlsplit(chromium.current_url).fragment
    assert chromium.find_element(By.CSS_SELECTOR, f"#{place} h2 code").text == name
    chromium.back()
    form = chromium.find_element(By.ID, "filter")
    form.find_element(By.NAME, "words").clear()
    first = chromium.find_element(By.CSS_SELECTOR, "#dialogues td.text bdi")
    assert first.is_displayed() or names(chromium)


@pytest.fixture(scope="module")
def host(site):
    """The site on a server of this machine: pages opened from files cannot change their address."""
    with test_browser.served(site) as address:
        yield address


def test_the_search_stands_in_the_address_of_this_page_and_of_the_others(chromium, host, content):
    chromium.get(f"{host}/dialogues/search.html")
    form = chromium.find_element(By.ID, "filter")
    form.find_element(By.NAME, "words").send_keys("star")
    Select(form.find_element(By.NAME, "s2")).select_by_value("0")
    found = expected(content, words="star", s2="0")
    assert names(chromium) == found
    assert urlsplit(chromium.current_url).query == "words=star&s2=0"
    chromium.find_element(By.CSS_SELECTOR, "a[hreflang=zh-Hans]").click()
    address = urlsplit(chromium.current_url)
    assert (address.path, address.query) == ("/dialogues/search.zh.html", "words=star&s2=0")
    assert names(chromium) == found
    chromium.find_elements(By.CSS_SELECTOR, "a[data-part]")[1].click()
    address = urlsplit(chromium.current_url)
    assert (address.path, address.query) == ("/dialogues/search-2.zh.html", "words=star&s2=0")
    assert set(names(chromium)) <= {each.name for each in content[100:]}


@pytest.mark.parametrize("query", ["type=99&language=xx&task=%00", "words=%3Cscript%3E", "s1=7&%"])
def test_an_address_of_somebody_else_breaks_nothing(chromium, host, query):
    chromium.get_log("browser")
    chromium.get(f"{host}/dialogues/search.html?{query}")
    assert chromium.find_element(By.CSS_SELECTOR, "#filter output").text
    assert [line for line in chromium.get_log("browser") if "favicon" not in line["message"]] == []


def test_without_javascript_all_dialogues_are_listed(chromium, site):
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get((site / "dialogues/search.html").as_uri() + "?words=star")
        assert len(visible_rows(chromium)) == 100
        assert not chromium.find_element(By.ID, "filter").is_displayed()
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("page", ["search.html", "search.zh.html"])
def test_the_page_fits_its_window(chromium, site, page, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chromium.get((site / "dialogues" / page).as_uri())
    wide, there = chromium.execute_script(
        "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
    )
    cut = chromium.execute_script(
        "return [...document.querySelectorAll('#dialogues tbody td.text')].filter("
        "cell => cell.offsetParent && cell.getBoundingClientRect().right > innerWidth).length"
    )
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (wide, cut) == (there, 0)


@pytest.mark.skipif(
    not os.environ.get("AXE"), reason="needs AXE, the path of axe.min.js (npm package axe-core)"
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_to_say(chromium, site, theme):
    axe = Path(os.environ["AXE"]).read_text("utf-8")
    for page in ("search.html", "search-2.zh.html"):
        chromium.get((site / "dialogues" / page).as_uri() + "?words=star")
        chromium.execute_script(f"localStorage.setItem('theme', '{theme}')")
        chromium.refresh()
        chromium.execute_script(axe)
        found = chromium.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
