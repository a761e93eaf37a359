"""The pages as a site (`make docs`): every link leads somewhere, and no other host is asked."""

import importlib.util
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from tests.conftest import REPOSITORY

PAGES = sorted(path.stem for path in (REPOSITORY / "docs").glob("*.md"))
# What a browser fetches by itself; a link that a reader follows is none of these.
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
COUNTED = ("table", "li", "pre", "blockquote")

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """Links, anchors, what a browser loads, and how often the article has each of COUNTED."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loads, self.headings = [], set(), [], 0
        self.counts, self._inside = dict.fromkeys(COUNTED, 0), False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if (where := found.get(LOADS.get(tag, ""))) and found.get("rel") not in (
            "canonical",
            "next",
            "prev",
        ):
            self.loads.append(where)
        self._inside |= tag == "article"
        if self._inside and tag in self.counts:
            self.counts[tag] += 1

    def handle_endtag(self, tag):
        self._inside &= tag != "article"


def build(folder):
    """Build a copy of the site's sources in `folder`: the finished process."""
    shutil.copytree(REPOSITORY / "docs", folder / "docs", dirs_exist_ok=True)
    shutil.copy(REPOSITORY / "mkdocs.yml", folder)
    words = [sys.executable, "-m", "zensical", "build", "--strict", "-f", "mkdocs.yml"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, by name of page."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("needs the generator of the site: pip install 'ivcr-harness[docs]'")
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "docs"


@pytest.fixture(scope="module")
def built(site):
    return {path.stem: Page(path.read_text("utf-8")) for path in site.glob("*.html")}


def test_every_page_is_built_and_stands_in_the_navigation(built):
    assert set(built) == {*PAGES, "404"}
    navigation = (REPOSITORY / "mkdocs.yml").read_text("utf-8").split("nav:\n  - Start")[1]
    assert sorted(re.findall(r"([\w.]+)\.md$", navigation, re.MULTILINE)) == PAGES


def leads_somewhere(site, built, name, link):
    """Whether a link of a page is to another host, or to a file and an anchor that are there."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    path = unquote(parts.path) or f"{name}.html"
    path = "index.html" if path in (".", "./") else path
    anchors = built[Path(path).stem].anchors if (site / path).is_file() else ()
    return unquote(parts.fragment) in {"", *anchors} and (site / path).is_file()


def test_every_link_and_anchor_leads_somewhere(site, built):
    assert sum(len(page.links) for page in built.values()) > 500
    links = [(name, link) for name in PAGES for link in built[name].links]
    assert [each for each in links if not leads_somewhere(site, built, *each)] == []


def test_nothing_is_loaded_from_another_host(site, built):
    loads = {where for page in built.values() for where in page.loads}
    assert any(where.endswith(".css") for where in loads)
    assert any(where.endswith(".js") for where in loads)
    assert [where for where in loads if urlsplit(where).scheme or urlsplit(where).netloc] == []
    styles = [path.read_text("utf-8") for path in site.rglob("*.css")]
    assert [
        found
        for text in styles
        for found in re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//", text)
    ] == []
    # The theme's script fetches what draws diagrams and formulas, where a page has one.
    pages = [path.read_text("utf-8") for path in site.glob("*.html")]
    assert [
        text for text in pages if 'class="mermaid"' in text or 'class="arithmatex"' in text
    ] == []


def test_the_search_is_built_in(site):
    assert "fbc338ff" in (site / "search.json").read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_tables_lists_and_examples_that_another_reader_sees(name, built):
    """As CommonMark with tables, by markdown-it-py, has them."""
    text = (REPOSITORY / "docs" / f"{name}.md").read_text("utf-8")
    other = Page(f"<article>{MarkdownIt('commonmark').enable('table').render(text)}</article>")
    assert built[name].counts == other.counts


@pytest.mark.parametrize("link", ["nowhere.md", "rules.md#nowhere"])
def test_a_dead_link_stops_the_build(link, site, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "dead.md").write_text(f"# Dead\n\n[there]({link})\n", "utf-8")
    done = build(tmp_path)
    assert done.returncode != 0
    assert "does not exist" in done.stdout + done.stderr
