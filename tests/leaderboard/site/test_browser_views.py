"""Columns and filters of what is declared in a real browser, kept in the address of the page."""

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

pytest.importorskip("selenium.webdriver", reason="needs selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from leaderboard.board.records import BoardContents, Standing
from leaderboard.tables.ranked_table import tables
from tests.leaderboard import generated
from tests.leaderboard.conftest import build
from tests.leaderboard.site import test_browser
from tests.leaderboard.site.test_views import DAYS, run

pytestmark = test_browser.pytestmark
browser = test_browser.browser

DECLARED = (
    {"languages": ("en", "zh"), "weights": "open", "parameters": "120M", "annotations": "none",
     "training_data": ("WebVid 10M", "MSR-VTT")},
    {"languages": ("en",), "weights": "closed", "parameters": 7_000_000_000,
     "annotations": "gold spans", "training_data": ("WebVid 2M",)},
    {"languages": ("zh",), "weights": "open", "parameters": 900, "training_data": ()},
    {},
)  # fmt: skip
PAGES = ("index", "overview", "tracks/video")


def rows(number):
    """So many systems, of which each fourth declares nothing, and a floor."""
    for n in range(number):
        fields = DECLARED[n % 4]
        row = run(f"team{n}/system{n:04}", 0.9 - n / (2 * number), DAYS[n % 10] if fields else "",
                  cost={"s": n % 7 + 1}, **fields)  # fmt: skip
        cells = {name: row.cell("R@1") for name in ("R@5", "MRR", *generated.RANKING)}
        yield row._replace(scores=replace(row.scores, metrics={"all": cells}))
    yield run("floors/copy/none", 0.1, floor=True)


def ranges(table):
    """Rank ranges that overlap with those of the nearest rows alone."""
    ranked = [row for row in table.rows if row.rank is not None]
    return {row.entry.key: (max(1, n - 2), n + 3) for n, row in enumerate(ranked)}


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A site of 120 systems on a server of this machine, so that pages change their address."""
    root = tmp_path_factory.mktemp("views")
    found = BoardContents(tuple(rows(120)), (), ())
    made = [
        table._replace(standing=Standing(ranges=ranges(table), detectable=0.02))
        for table in tables(found.entries, generated.METRICS)
    ]
    build(found, generated.bench(root), root / "site", tuple(made))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(root / "site"))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=PAGES)
def page(request, browser, host):
    browser.get_log("browser")
    browser.get(f"{host}/{request.param}.html")
    yield browser
    lines = [line for line in browser.get_log("browser") if "favicon" not in line["message"]]
    assert lines == []


def shown(browser):
    """The numbers of the systems that are shown, and whether the floor is."""
    return browser.execute_script(
        "return [...document.querySelectorAll('section.table tbody tr')]"
        ".filter((row) => row.offsetParent).map((row) => row.className === 'floor' ? 'floor' :"
        " Number(/system(\\d+)/.exec(row.textContent)[1]))"
    )


def fill(browser, name, value):
    field = browser.find_element(By.CSS_SELECTOR, f"#filter [name={name}]")
    if field.tag_name == "select":
        Select(field).select_by_value(value)
    else:
        browser.execute_script(
            "arguments[0].value = arguments[1];"
            "arguments[0].dispatchEvent(new Event('input', { bubbles: true }))",
            field,
            value,
        )


def status(browser):
    return browser.find_element(By.CSS_SELECTOR, "#filter output").text


def restored(browser, address):
    """What a page shows that is opened by an address, and the same in the other language."""
    browser.get("about:blank")
    browser.get(address)
    assert browser.current_url == address
    found = shown(browser)
    browser.find_element(By.CSS_SELECTOR, "a[hreflang=zh-Hans]").click()
    assert browser.execute_script("return document.documentElement.lang") == "zh-Hans"
    assert shown(browser) == found
    assert parse_qs(urlsplit(browser.current_url).query) == parse_qs(urlsplit(address).query)
    browser.back()
    return found


# By a filter's name: what is put in, and which of each four rows then stay.
STATES = [
    ("language", "zh", {0, 2}),
    ("weights", "open", {0, 2}),
    ("training", "webvid", {0, 1}),
    ("training", "10m webvid", {0}),
    ("labels", "1", {0}),
    ("labels", "2", {0, 1}),
    ("size", "120M", {0, 2}),
    ("size", "6.9 billion", {0, 2}),
    ("size", "7,000,000,000", {0, 1, 2}),
]


@pytest.mark.parametrize(("name", "value", "kept"), STATES)
def test_a_filter_hides_what_does_not_fit_says_what_is_silent_and_is_restored(
    page, name, value, kept
):
    before = shown(page)
    fill(page, name, value)
    expected = [each for each in before if each == "floor" or each % 4 in kept]
    assert shown(page) == expected
    # What declares labels is another half of the rows than what declares the rest.
    silent = {2, 3} if name == "labels" else {3}
    hidden = sum(each != "floor" and each % 4 in silent for each in before)
    assert status(page) == (
        f"Rows shown: {len(expected)}"
        f" Hidden because they do not declare what a filter asks for: {hidden}."
    )
    assert parse_qs(urlsplit(page.current_url).query) == {name: [value]}
    assert restored(page, page.current_url) == expected


def test_rows_accepted_since_a_day_stay(page):
    before = shown(page)
    fill(page, "since", DAYS[5][:10])
    expected = [n for n in before if n == "floor" or (n % 4 < 3 and n % 10 >= 5)]
    assert shown(page) == expected
    assert 0 < len(expected) < len(before)
    assert restored(page, page.current_url) == expected


def test_filters_add_up_and_only_what_fits_the_others_counts_as_silent(page):
    fill(page, "words", "system00")
    fill(page, "language", "en")
    fill(page, "weights", "open")
    assert {n % 4 for n in shown(page) if n != "floor"} == {0}
    rows_of_words = [n for n in range(100) if n % 4 == 3]
    assert f"asks for: {len(rows_of_words)}." in status(page)
    assert restored(page, page.current_url) == shown(page)


def test_a_size_that_cannot_be_read_filters_nothing_and_is_marked(page):
    before = shown(page)
    for text in ("many", "7 x", "..", "7B7"):
        fill(page, "size", text)
        assert shown(page) == before
        assert page.find_element(By.NAME, "size").get_attribute("aria-invalid") == "true", text
    fill(page, "size", "")
    assert page.find_element(By.NAME, "size").get_attribute("aria-invalid") == "false"


def columns(browser):
    """By table the names of the columns that are shown, and how many cells the rows show."""
    return browser.execute_script(
        "return [...document.querySelectorAll('section.table table')].map((table) =>"
        " [[...table.tHead.rows[0].cells].filter((c) => c.offsetWidth).map((c) => c.dataset.key),"
        "  [...new Set([...table.rows].filter((r) => !r.hidden).map((r) => [...r.cells]"
        "    .filter((c) => c.offsetWidth).reduce((n, c) => n + c.colSpan, 0)))]])"
    )


def choose(browser, key):
    browser.execute_script("document.querySelector('.columns').open = true")
    box = f'.columns input[value="{key}"]'
    browser.find_element(By.CSS_SELECTOR, box).click()


KEYS = {"index": ("video", "bars"), "overview": ("bars", "dialogue"),
        "tracks/video": ("R@5", "cost: s")}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_columns_are_chosen_for_a_page_and_stand_in_its_address(browser, host, name):
    browser.get(f"{host}/{name}.html")
    before = columns(browser)
    off = KEYS[name]
    for key in off:
        choose(browser, key)
        for shown_keys, cells in columns(browser):
            assert key not in shown_keys
            assert cells == [len(shown_keys)], "every row shows as many cells as there are heads"
    after = columns(browser)
    assert [keys for keys, _ in after] == [[k for k in keys if k not in off] for keys, _ in before]
    summary = browser.find_element(By.CSS_SELECTOR, ".columns summary")
    assert summary.text == "Columns (2 hidden)"
    address = browser.current_url
    assert set(parse_qs(urlsplit(address).query)["without"]) == set(off)
    browser.get("about:blank")
    browser.get(address)
    assert columns(browser) == after
    browser.find_element(By.CSS_SELECTOR, "a[hreflang=zh-Hans]").click()
    assert columns(browser) == after
    assert browser.find_element(By.CSS_SELECTOR, ".columns summary").text == "列 (已隐藏 2 列)"
    for key in off:
        choose(browser, key)
    assert columns(browser) == before
    assert urlsplit(browser.current_url).query == ""


def test_sorting_and_filtering_go_on_with_columns_hidden(browser, host):
    browser.get(f"{host}/tracks/video.html?without=R%405&without=cost%3A+s&weights=open")
    kept = shown(browser)
    heads = browser.find_elements(By.CSS_SELECTOR, "th[data-key=MRR] button")
    heads[0].click()
    heads[0].click()
    assert [n for n in shown(browser) if n != "floor"] == [n for n in kept if n != "floor"][::-1]
    query = parse_qs(urlsplit(browser.current_url).query)
    assert query["without"] == ["R@5", "cost: s"]
    assert query["sort"] == ["video-none-unused~MRR~ascending"]


def test_an_address_names_the_cost_that_sorts_in_both_languages(browser, host):
    browser.get(f"{host}/tracks/video.html")
    browser.find_element(By.CSS_SELECTOR, 'th[data-key="cost: parameters"] button').click()
    found = shown(browser)
    browser.find_element(By.CSS_SELECTOR, "a[hreflang=zh-Hans]").click()
    assert shown(browser) == found
    head = browser.find_element(By.CSS_SELECTOR, 'th[data-key="cost: parameters"]')
    assert head.get_attribute("aria-sort") == "ascending"


@pytest.mark.parametrize(
    "query",
    ["without=rank&without=system&without=nothing&without=", "language=%3Cb%3E&weights=both",
     "since=yesterday&labels=9&size=x", "training=%22%3E&sort=~"],
)  # fmt: skip
def test_an_address_of_somebody_else_hides_no_names_and_breaks_nothing(browser, host, query):
    browser.get_log("browser")
    browser.get(f"{host}/tracks/video.html?{query}")
    keys, _ = columns(browser)[0] if "training" not in query else ([], 0)
    assert "training" in query or {"rank", "system", "R@1"} <= set(keys)
    lines = [line for line in browser.get_log("browser") if "favicon" not in line["message"]]
    assert lines == []


def test_a_choice_that_a_page_does_not_have_is_shown_as_no_choice(browser, host):
    browser.get(f"{host}/tracks/video.html?language=tlh&weights=both&history=x&candidates=y")
    fields = browser.find_elements(By.CSS_SELECTOR, "#filter select")
    assert fields
    assert [Select(field).first_selected_option.get_attribute("value") for field in fields] == (
        [""] * len(fields)
    )


def test_a_page_takes_hundreds_of_steps_without_a_complaint(browser, host):
    browser.get_log("browser")
    browser.get(f"{host}/tracks/video.html")
    browser.execute_script(
        "const words = document.querySelector('[name=words]');"
        "for (let n = 0; n < 100; n += 1) { words.value = 'system0'.slice(0, n % 7);"
        " words.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    lines = [line for line in browser.get_log("browser") if "favicon" not in line["message"]]
    assert lines == []


def test_what_belongs_to_a_hidden_table_is_hidden_with_it(browser, host):
    browser.get(f"{host}/tracks/video.html")
    views = browser.find_element(By.CSS_SELECTOR, ".views")
    assert views.is_displayed()
    Select(browser.find_element(By.NAME, "history")).select_by_value("own")
    assert not views.is_displayed()


@pytest.mark.skipif(
    not os.environ.get("AXE"), reason="needs AXE, the path of axe.min.js (npm package axe-core)"
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_no_serious_finding_in_filters_columns_and_views(browser, host, theme):
    axe = Path(os.environ["AXE"]).read_text("utf-8")
    for name in ("index", "index.zh", "tracks/video", "tracks/video.zh"):
        browser.get(f"{host}/{name}.html?size=x")
        browser.execute_script(f"localStorage.setItem('theme', '{theme}')")
        browser.refresh()
        browser.execute_script(
            "document.querySelectorAll('details').forEach((d) => { d.open = true })"
        )
        browser.execute_script(axe)
        found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        serious = [
            (rule["id"], rule["nodes"][0]["html"])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
        ]
        assert serious == [], name
    browser.execute_script("localStorage.clear()")


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways_with_all_opened(page, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    wide, seen = page.execute_script(
        "const root = document.documentElement; return [root.scrollWidth, root.clientWidth]"
    )
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide == seen
