"""The pages in a real browser: sorting, filtering, keyboard, theme, language, no network."""

import json
import os
import re
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
from msgspec.structs import replace  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

from leaderboard.board.records import BoardContents  # noqa: E402
from leaderboard.results.dialogue_source import BrowsedAnswer, BrowsedDialogue  # noqa: E402
from leaderboard.results.frame_strips import frame_strip  # noqa: E402
from leaderboard.site.dialogue_pages import DialogueBrowser, leading_entries  # noqa: E402
from leaderboard.site.frozen.freezing import freeze  # noqa: E402
from leaderboard.tables.ranked_table import tables  # noqa: E402
from leaderboard.tables.ranks import with_standings  # noqa: E402
from tests.baselines.conftest import CAT  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402
from tests.leaderboard import generated  # noqa: E402
from tests.leaderboard.conftest import build, read  # noqa: E402
from tests.leaderboard.html_reading import Page  # noqa: E402
from tests.leaderboard.site.test_dialogue_pages import film, filmed, source, turn  # noqa: E402
from tests.leaderboard.tables.test_ranked_table import entry  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's chromium and chromium-driver"
)
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--force-prefers-reduced-motion",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,1000"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def index(browser, board):
    """The front page, freshly opened; no page of a test may say anything on the console."""
    browser.get((board.site / "index.html").as_uri())
    browser.execute_script("localStorage.clear()")
    browser.get((board.site / "index.html").as_uri())
    yield browser
    assert browser.get_log("browser") == []


@pytest.fixture
def track(index, board):
    """The page of one track's tables."""
    index.get((board.site / "tracks/video.html").as_uri())
    return index


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A site with rank ranges, compare pages, dialogues with pictures, and a frozen board."""
    root = tmp_path_factory.mktemp("whole")
    submissions, bench = generated.board(root, systems=4, floors_of=["none"])
    generated.seeds(submissions, bench)
    design = generated.turn_by_turn(submissions, bench, np.random.default_rng(1))
    found = read(submissions, bench)
    where = generated.outcomes_of
    made = with_standings(tables(found.entries, generated.METRICS), where, lambda: design, {})
    filmed(root / "cat.mp4")
    picture = frame_strip(film(root), CAT)
    answers = tuple(BrowsedAnswer(n == 0, CAT, (CAT, (1.0, 4.0 + n)), None) for n in range(6))
    turns = turn(1, answers=answers), turn(2, "什么时候?", moment=(1.0, 5.0), answers=answers)
    content = source([BrowsedDialogue(f"d{n}", 1, turns) for n in range(30)], {CAT: picture})
    browser = DialogueBrowser(lambda: content, leading_entries(made), where, where)
    build(found, bench, root / "site", made, browser=browser)
    freeze(root / "site", "phase-1")
    build(found, bench, root / "site", made, browser=browser)
    return root / "site"


def test_a_frozen_board_works_by_itself_with_its_dialogues_and_pictures(browser, whole):
    browser.get((whole / "index.html").as_uri())
    link = browser.find_element(By.CSS_SELECTOR, "#frozen tbody th a")
    browser.execute_script("arguments[0].click()", link)
    place = (whole / "frozen" / "phase-1").as_uri()
    assert browser.current_url == f"{place}/index.html"
    assert not browser.find_elements(By.ID, "frozen")
    browser.find_element(By.CSS_SELECTOR, ".bar-top a[href^=dialogues]").click()
    assert browser.current_url == f"{place}/dialogues/1.html"
    picture = browser.find_element(By.TAG_NAME, "img")
    browser.execute_script("arguments[0].scrollIntoView()", picture)
    loaded = "return arguments[0].complete && arguments[0].naturalWidth"
    assert WebDriverWait(browser, 5).until(lambda b: b.execute_script(loaded, picture)) == 490
    browser.find_element(By.CSS_SELECTOR, "nav a[href='search.html']").click()
    assert browser.current_url == f"{place}/dialogues/search.html"
    assert browser.find_elements(By.CSS_SELECTOR, "#dialogues tbody tr")


def table(browser, name="video-none-unused"):
    return browser.find_element(By.CSS_SELECTOR, f"#{name} table")


def heading(browser, text):
    return next(
        b for b in table(browser).find_elements(By.CSS_SELECTOR, "th button") if text in b.text
    )


def column(browser, place):
    """What a column shows from top to bottom; None for undefined."""
    cells = table(browser).find_elements(By.CSS_SELECTOR, f"tbody tr > :nth-child({place})")
    return [None if cell.text == "–" else float(cell.text.replace(",", "")) for cell in cells]


def names(browser):
    rows = browser.find_elements(By.CSS_SELECTOR, "section.table tbody tr")
    return [row.find_element(By.TAG_NAME, "th").text for row in rows if row.is_displayed()]


def test_figures_equal_those_of_leaderboard_json(track, board):
    rows = json.loads((board.site / "leaderboard.json").read_text())["rows"]
    expected = {
        row["metrics"]["R@1"]["value"]
        for row in rows
        if (row["history"], row["candidates"]) == ("none", "unused")
    }
    cells = table(track).find_elements(By.CSS_SELECTOR, "td.first data")
    shown = {float(cell.get_attribute("value")): cell.text for cell in cells}
    assert set(shown) == expected - {None}
    assert all(text == f"{100 * value:.1f}" for value, text in shown.items())


@pytest.mark.parametrize(("metric", "place", "first"), [("R@10", 6, True), ("MedR", 10, False)])
def test_a_click_sorts_best_first_and_again_the_other_way_with_undefined_last(
    track, metric, place, first
):
    heading(track, metric).click()
    values = [value for value in column(track, place) if value is not None]
    assert values == sorted(values, reverse=first)
    state = "descending" if first else "ascending"
    assert heading(track, metric).find_element(By.XPATH, "..").get_attribute("aria-sort") == state
    heading(track, metric).click()
    whole = column(track, place)
    values = [value for value in whole if value is not None]
    assert values == sorted(values, reverse=not first)
    assert whole[: len(values)] == values


def test_the_keyboard_alone_reaches_and_sorts_a_table(track):
    track.execute_script("document.querySelector('#filter [name=floors]').focus()")
    for _ in range(40):
        track.switch_to.active_element.send_keys(Keys.TAB)
        if track.switch_to.active_element.text.startswith("System"):
            break
    else:
        pytest.fail("no sort button within forty steps")
    track.switch_to.active_element.send_keys(Keys.ENTER)
    rows = table(track).find_elements(By.CSS_SELECTOR, "tbody th bdi:first-child")
    shown = [row.text for row in rows if row.find_element(By.XPATH, "..").tag_name == "a"]
    assert shown == sorted(shown, key=str.casefold)


def test_the_filter_hides_rows_tables_and_tracks_and_tells_how_many_are_left(track):
    everything = names(track)
    form = track.find_element(By.ID, "filter")
    words = form.find_element(By.NAME, "words")
    words.send_keys("TEAM 1")
    shown = names(track)
    assert shown
    assert all("Team 1" in name for name in shown)
    assert form.find_element(By.TAG_NAME, "output").text == f"Rows shown: {len(shown)}"
    words.clear()
    words.send_keys("nobody is called this")
    assert names(track) == []
    assert form.find_element(By.TAG_NAME, "output").text == "No row fits the filter."
    assert not any(t.is_displayed() for t in track.find_elements(By.CSS_SELECTOR, "section.track"))
    words.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert names(track) == everything
    form.find_element(By.NAME, "floors").click()
    assert names(track) == [name for name in everything if "floor" not in name]
    Select(form.find_element(By.NAME, "history")).select_by_value("own")
    shown = [t for t in track.find_elements(By.CSS_SELECTOR, "section.table") if t.is_displayed()]
    assert {t.get_attribute("data-history") for t in shown} == {"own"}


@contextmanager
def served(folder):
    """The address of a server of this machine that has a folder's files."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def host(board):
    """The site on a server of this machine: pages opened from files cannot change their address."""
    with served(board.site) as address:
        yield address


def test_a_view_is_restored_from_its_address(browser, host):
    browser.get(f"{host}/tracks/video.html")
    form = browser.find_element(By.ID, "filter")
    form.find_element(By.NAME, "words").send_keys("team")
    form.find_element(By.NAME, "floors").click()
    Select(form.find_element(By.NAME, "history")).select_by_value("own")
    part = "video-own-unused"
    heads = browser.find_elements(By.CSS_SELECTOR, f"#{part} th button")
    next(each for each in heads if "MRR" in each.text).click()
    shown, address = names(browser), browser.current_url
    assert {"words=team", "floors=hidden", "history=own"} <= set(urlsplit(address).query.split("&"))
    browser.get(f"{host}/tracks/video.html")
    assert names(browser) != shown
    browser.get(address)
    assert names(browser) == shown
    assert browser.current_url == address
    head = browser.find_element(By.CSS_SELECTOR, f"#{part} th[data-key=MRR]")
    assert head.get_attribute("aria-sort") == "descending"
    browser.find_element(By.CSS_SELECTOR, "a[hreflang=zh-Hans]").click()
    assert urlsplit(browser.current_url).path == "/tracks/video.zh.html"
    assert len(names(browser)) == len(shown)


@pytest.mark.parametrize("query", ["sort=a~b", "sort=~~", "sort=overview-title-table~rank~up",
                                   "history=nothing&floors=x&words=%3Cb%3E", "%"])  # fmt: skip
def test_an_address_of_somebody_else_breaks_nothing(browser, host, query):
    browser.get(f"{host}/index.html?{query}")
    assert browser.find_elements(By.CSS_SELECTOR, "table.overview tbody tr")
    assert [line for line in browser.get_log("browser") if "favicon" not in line["message"]] == []


def test_the_overview_sorts_by_any_column_and_filters(index):
    def shown():
        rows = index.find_elements(By.CSS_SELECTOR, "table.overview tbody tr")
        return [row for row in rows if row.is_displayed()]

    before = len(shown())
    head = index.find_element(By.CSS_SELECTOR, "table.overview th[data-key=moment]")
    head.find_element(By.TAG_NAME, "button").click()
    place = index.execute_script("return arguments[0].cellIndex", head)
    cells = [row.find_elements(By.CSS_SELECTOR, f":scope > :nth-child({place + 1}) data")
             for row in shown()]  # fmt: skip
    values = [float(found[0].get_attribute("value")) for found in cells if found]
    assert head.get_attribute("aria-sort") == "descending"
    assert values == sorted(values, reverse=True)
    assert len(values) > 2
    assert not any(cells[len(values) :]), "rows without a figure come last"
    form = index.find_element(By.ID, "filter")
    form.find_element(By.NAME, "words").send_keys("team 1")
    assert 0 < len(shown()) < before


def test_the_theme_is_kept_from_page_to_page(index, board):
    def paper():
        return index.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = paper()
    button = index.find_element(By.ID, "theme")
    button.click()
    assert "light" in button.text
    button.click()
    assert "dark" in button.text
    dark = paper()
    assert dark != light
    index.get((board.site / "metrics.html").as_uri())
    assert paper() == dark


def test_the_language_switch_leads_to_the_same_page_and_back(index):
    index.find_element(By.CSS_SELECTOR, "a[hreflang=zh-Hans]").click()
    assert index.execute_script("return document.documentElement.lang") == "zh-Hans"
    assert "视频检索" in index.find_element(By.ID, "video").text
    index.find_element(By.CSS_SELECTOR, "a[hreflang=en]").click()
    assert index.find_element(By.CSS_SELECTOR, "#video h3").text == "Video search"


@pytest.mark.parametrize("page", ["index.html", "index.zh.html", "metrics.html"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways_or_asks_the_network(index, board, page, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    index.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    index.get_log("performance")
    index.get((board.site / page).as_uri())
    wide, seen = index.execute_script(
        "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
    )
    assert wide == seen
    events = [json.loads(row["message"])["message"] for row in index.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert all(url.startswith(("file:", "data:")) for url in asked)
    index.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_figures_and_their_intervals_are_in_view_on_a_narrow_screen(index, board):
    size = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    index.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page = next(path for path in sorted((board.site / "systems").glob("*.html")))
    index.get(page.as_uri())
    places = index.execute_script(
        "return [...document.querySelector('table').querySelectorAll('td.drawn small')]"
        ".filter(each => each.textContent).map(each => each.getBoundingClientRect().right)"
    )
    index.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert places
    assert max(places) <= 390


@pytest.mark.parametrize("page", ["dialogues/1.html", "compare/video-none-unused.zh.html",
                                  "tracks/video.html"])  # fmt: skip
@pytest.mark.parametrize("width", [390, 1280])
def test_dialogues_and_comparisons_fit_their_window_and_show_their_pictures(
    browser, whole, page, width
):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get_log("browser")
    browser.get((whole / page).as_uri())
    wide, seen = browser.execute_script(
        "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
    )
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide == seen
    pictures = browser.find_elements(By.TAG_NAME, "img")
    assert bool(pictures) == page.startswith("dialogues")
    if pictures:
        browser.execute_script("arguments[0].scrollIntoView()", pictures[0])
        wide = "return arguments[0].complete && arguments[0].naturalWidth"
        loaded = WebDriverWait(browser, 5).until(lambda b: b.execute_script(wide, pictures[0]))
        assert loaded == 490  # six frames of 80 pixels, five gaps of 2
    assert browser.get_log("browser") == []


@pytest.fixture
def comparing(browser, whole):
    """The compare page of a table of five rows, and its rows as they are read."""
    browser.get((whole / "compare/video-none-unused.html").as_uri())
    yield browser
    assert browser.get_log("browser") == []


def shown(browser):
    """What stands against whom: (system, difference, interval, d, p, verdict) of visible rows."""
    rows = browser.find_elements(By.CSS_SELECTOR, "#pairs tbody tr")
    return {
        row.find_element(By.CSS_SELECTOR, "a").text: [
            cell.text for cell in row.find_elements(By.TAG_NAME, "td")
        ]
        for row in rows
        if row.is_displayed()
    }


def opposite(cells):
    """The same row, seen from the other system."""
    turned = [cell.translate(str.maketrans("+−", "−+")) for cell in cells]
    low, _, high = turned[1].partition(" to ")
    return [turned[0], f"{high} to {low}", turned[2], *cells[3:]]


def test_any_two_systems_are_compared_both_ways_and_can_be_cited(comparing):
    first = shown(comparing)
    choice = Select(comparing.find_element(By.NAME, "system"))
    systems = [option.text.split(" · ")[0] for option in choice.options]
    assert len(systems) == len(first) + 1 > 3
    for place in range(1, len(systems)):
        choice.select_by_index(place)
        now = shown(comparing)
        assert set(now) == set(systems) - {systems[place]}
        assert now[systems[0]] == opposite(first[systems[place]])
    Select(comparing.find_element(By.NAME, "against")).select_by_index(2)
    alone = shown(comparing)
    assert list(alone) == [systems[1]]
    assert alone[systems[1]][0] in comparing.find_element(By.CSS_SELECTOR, "#choose output").text
    address = comparing.current_url
    comparing.get("about:blank")
    comparing.get(address)
    assert shown(comparing) == alone


def test_the_script_reads_of_the_packed_differences_what_the_page_says(comparing, whole):
    before = shown(comparing)
    choice = Select(comparing.find_element(By.NAME, "system"))
    choice.select_by_index(1)
    choice.select_by_index(0)
    assert shown(comparing) == before
    raw = Page((whole / "compare/video-none-unused.html").read_text("utf-8"))
    assert {cells[0] for cells in before.values()} <= set(raw.text)


def test_seeds_and_costs_stand_in_the_table_and_sort(browser, whole):
    browser.get((whole / "tracks/video.html").as_uri())
    row = next(
        row for row in table(browser).find_elements(By.CSS_SELECTOR, "tbody tr")
        if "3 seeds" in row.text
    )  # fmt: skip
    links = [a.get_attribute("href") for a in row.find_elements(By.CSS_SELECTOR, ".seeds a")]
    assert [link.rpartition("--")[2] for link in links] == [f"seed-{n}.html" for n in (1, 2, 3)]
    heading(browser, "parameters").click()
    cells = table(browser).find_elements(By.CSS_SELECTOR, "tbody tr td.cost:nth-last-child(3)")
    amounts = [c.find_elements(By.TAG_NAME, "data") for c in cells]
    values = [float(found[0].get_attribute("value")) for found in amounts if found]
    assert values == sorted(values)
    assert len(values) > 2
    assert browser.get_log("browser") == []


def snippet():
    """The frame that docs/organizing.md tells other sites to write."""
    page = (REPOSITORY / "docs" / "organizing.md").read_text("utf-8")
    return re.search(r"<iframe.*?</iframe>", page, re.DOTALL)[0]


@pytest.mark.parametrize("name", ["embed.html", "embed.zh.html"])
def test_the_page_for_frames_fits_its_frame_and_its_links_leave_it(browser, tmp_path, name):
    long = entry("t/long", **{"R@1": 0.5})
    names = {"team": "W" * 60, "system": "x" * 60, "variant": "y" * 60}
    long = long._replace(card=replace(long.card, **names))
    rows = [entry(f"t/{n}", **{"R@1": 0.1 + n / 100}) for n in range(12)]
    build(BoardContents((long, *rows), (), ()), generated.bench(tmp_path), tmp_path / "site")
    frame = snippet().replace("https://BOARD/embed.html", f"site/{name}")
    assert frame != snippet()
    page = f'<!doctype html><link rel="icon" href="data:,"><title>host</title>{frame}'
    (tmp_path / "host.html").write_text(page, "utf-8")
    with served(tmp_path) as address:
        browser.get(f"{address}/host.html")
        browser.switch_to.frame(0)
        wide = "return [document.documentElement.scrollWidth, innerWidth]"
        needed, there = browser.execute_script(wide)
        assert needed <= there <= 320
        cells = browser.find_elements(By.CSS_SELECTOR, "tbody tr > *, h1, p")
        edges = [cell.rect["x"] + cell.rect["width"] for cell in cells]
        assert len(edges) > 30
        assert max(edges) <= there
        link = browser.find_element(By.CSS_SELECTOR, "tbody a")
        place = link.get_attribute("href")
        link.click()
        browser.switch_to.default_content()
        WebDriverWait(browser, 20).until(lambda driver: driver.current_url == place)
    assert browser.get_log("browser") == []


def test_the_page_of_a_run_shows_its_badge(browser, whole):
    page = next((whole / "systems").glob("team-1*none.html"))
    browser.get(page.as_uri())
    image = browser.find_element(By.CSS_SELECTOR, "#share img")
    size = browser.execute_script("return arguments[0].naturalWidth", image)
    assert size > 100
    assert browser.get_log("browser") == []


@pytest.mark.skipif(
    not os.environ.get("AXE"), reason="needs AXE, the path of axe.min.js (npm package axe-core)"
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_no_serious_finding(index, board, whole, theme):
    axe = Path(os.environ["AXE"]).read_text("utf-8")
    system = next(path for path in (board.site / "systems").glob("team-*own.html"))
    for page in (board.site / "index.html", board.site / "index.zh.html", system,
                 board.site / "metrics.html", board.site / "tracks/dialogue.html",
                 whole / "index.html", whole / "dialogues/1.html", whole / "tracks/video.html",
                 next((whole / "systems").glob("team-1*none.html")),
                 whole / "compare/video-none-unused.html",
                 whole / "embed.html", whole / "embed.zh.html"):  # fmt: skip
        index.get(page.as_uri())
        index.execute_script(f"localStorage.setItem('theme', '{theme}')")
        index.refresh()
        index.execute_script(
            "document.querySelectorAll('details').forEach((d) => { d.open = true })"
        )
        index.execute_script(axe)
        found = index.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        serious = [
            (rule["id"], rule["nodes"][0]["html"])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
        ]
        assert serious == [], page.name
