"""The site: safe, whole, self-contained, and the same bytes every time."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import Card
from leaderboard.board.records import BoardContents, Refusal, ReportedRun
from leaderboard.site import builder
from leaderboard.site.site_paths import anchor, slug
from leaderboard.site.wording import wording
from tests.leaderboard import generated
from tests.leaderboard.conftest import build, read
from tests.leaderboard.html_reading import Page
from tests.leaderboard.tables.test_ranked_table import entry


@pytest.fixture(scope="module")
def pages(board):
    return {
        str(path.relative_to(board.site)): Page(path.read_text("utf-8"))
        for path in sorted(board.site.rglob("*.html"))
    }


def test_every_link_leads_to_a_page_and_an_anchor_that_are_there(board, pages):
    ids = {name: set(page.attributes("id")) for name, page in pages.items()}
    for name, page in pages.items():
        for address in page.attributes("href"):
            if address.startswith(("https:", "data:")):
                continue
            path, fragment = urldefrag(address)
            target = (board.site / name).parent / path if path else board.site / name
            assert target.resolve().is_file(), f"{name}: {address}"
            if fragment:
                there = str(target.resolve().relative_to(board.site.resolve()))
                assert fragment in ids[there], f"{name}: {address}"


def test_ids_are_unique_and_labels_point_at_something(pages):
    for name, page in pages.items():
        ids = page.attributes("id")
        assert len(ids) == len(set(ids)), name
        assert set(" ".join(page.attributes("aria-labelledby")).split()) <= set(ids), name


def test_both_languages_have_the_same_pages_and_no_word_of_the_other(board, pages):
    english = {name for name in pages if not name.endswith(".zh.html")}
    assert {name.replace(".html", ".zh.html") for name in english} == set(pages) - english
    zh = " ".join(pages["index.zh.html"].text)
    assert "视频检索" in zh
    assert "Video search" not in zh


def test_the_policy_allows_exactly_what_stands_inline_and_nothing_is_inline_elsewhere(pages):
    for name, page in pages.items():
        (policy,) = [t.attributes["content"] for t in page.tags if "http-equiv" in t.attributes]
        assert "default-src 'none'" in policy
        for what, text in page.inline:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy, f"{name}: {what}"
        assert page.attributes("style") == [], name
        assert not [a for tag in page.tags for a in tag.attributes if a.startswith("on")], name
        assert "unsafe" not in policy


def test_pages_fetch_nothing_but_the_badge_of_a_run(pages):
    for name, page in pages.items():
        badge = f"../badges/{Path(name).name.split('.')[0]}.svg"
        assert set(page.attributes("src")) <= ({badge} if name.startswith("systems/") else set())
        sheets = [t for t in page.tags if t.name in ("link", "iframe", "object", "base")]
        assert [tag.attributes.get("href") for tag in sheets] == ["data:,"], name
        for what, text in page.inline:
            assert "@import" not in text, f"{name}: {what}"
            assert "url(" not in text, f"{name}: {what}"
            assert "fetch(" not in text, f"{name}: {what}"


HOSTILE = (
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)> ' {{ 7*7 }} \u202etxt.exe \x1b[31m"
)


def hostile_board():
    """A row, a reported row and a refusal in which every text is hostile."""
    card = Card(
        1, HOSTILE, HOSTILE, "none", "unused", description=HOSTILE * 40,
        paper="javascript:alert(1)", code="https://example.org/\"onmouseover=alert(1)",
        contact=HOSTILE, cost={HOSTILE: HOSTILE},
        training_data=(HOSTILE,), pair=HOSTILE, hardware="x" * 10_000,
    )  # fmt: skip
    row = entry(HOSTILE, **{"R@1": 0.5})
    row = row._replace(key=f"{HOSTILE}/{HOSTILE}", card=card)
    row.scores.metrics[f"source={HOSTILE}"] = row.scores.metrics["all"]
    row.scores.metrics["source=other"] = row.scores.metrics["all"]
    reported = ReportedRun("a/b", Card(1, HOSTILE, HOSTILE, "none", "used", "reported",
                        figures={HOSTILE: 1.0}, source="javascript:alert(1)"))  # fmt: skip
    return BoardContents((row,), (reported,), (Refusal(HOSTILE, HOSTILE),))


def test_foreign_text_is_text_wherever_it_stands(tmp_path, pages):
    bench = generated.bench(tmp_path)._replace(type_names={"1": HOSTILE}, name=HOSTILE)
    build(hostile_board(), bench, tmp_path / "site")
    known = {tag.name for page in pages.values() for tag in page.tags}
    seen = ""
    for path in filter(Path.is_file, (tmp_path / "site").rglob("*")):
        raw = {c for c in path.read_text("utf-8") if unicodedata.category(c)[0] == "C"}
        assert raw <= {"\n"}, path.name
    rows = json.loads((tmp_path / "site" / "leaderboard.json").read_bytes())["rows"]
    assert {row["team"] for row in rows} == {HOSTILE}, "the value is the same"
    for path in (tmp_path / "site").rglob("*.html"):
        page = Page(path.read_text("utf-8"))
        assert {tag.name for tag in page.tags} <= known
        assert not [a for tag in page.tags for a in tag.attributes if a.startswith("on")]
        assert not [a for a in page.attributes("href") if a.lower().startswith("javascript")]
        assert len(page.inline) <= 3
        seen += " ".join(page.text)
    assert "<script>alert(1)</script>" in seen
    assert "{{ 7*7 }}" in seen


def test_outward_links_pass_nothing_on(board, pages):
    outward = [
        tag.attributes
        for page in pages.values()
        for tag in page.tags
        if tag.name == "a" and (tag.attributes["href"] or "").startswith("http")
    ]
    assert outward
    assert all("nofollow" in (attributes["rel"] or "") for attributes in outward)


def test_page_names_differ_even_where_letter_case_is_lost():
    keys = ["a/b", "A/b", "a/B", "a--b/c", "a/b--c", "ä/b", "ö/b", "x/" + "y" * 99, "x/" + "y" * 98]
    names = [slug(entry(key)) for key in keys]
    assert len({name.lower() for name in names}) == len(keys)
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in names)


def test_metric_anchors_are_unique():
    assert len({anchor(name) for name in generated.METRICS}) == len(generated.METRICS)


def test_the_same_input_gives_the_same_bytes_under_another_hash_seed(board, tmp_path):
    script = (
        "import sys, pathlib; from tests.leaderboard import generated as g\n"
        "from tests.leaderboard.conftest import build, read\n"
        "submissions, folder, out = map(pathlib.Path, sys.argv[1:])\n"
        "of = g.bench(folder); own = ['ivcr200k-authors']\n"
        "build(read(submissions, of, organizers=own), of, out)\n"
    )
    arguments = [board.submissions, board.bench.floors.parent, tmp_path / "again"]
    subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {"PYTHONHASHSEED": "7"}, cwd=Path(__file__).parents[3], check=True,
    )  # fmt: skip
    assert tree(tmp_path / "again") == tree(board.site)


def tree(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def small(tmp_path):
    """A quick board: what is found, its benchmark, and where its site goes."""
    found = BoardContents((entry("a/b", **{"R@1": 0.5}),), (), ())
    return found, generated.bench(tmp_path), tmp_path / "site"


def build_small(small):
    found, bench, out = small
    return build(found, bench, out)


def test_a_site_is_replaced_whole(small):
    out = small[2]
    build_small(small)
    (out / "left-over.html").write_text("old")
    build_small(small)
    assert not (out / "left-over.html").exists()
    assert [path.name for path in out.parent.iterdir()] == ["site"]


def test_a_folder_that_is_no_site_of_ours_is_never_replaced(small):
    out = small[2]
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(WrongUsageError, match="not replaced"):
        build_small(small)
    assert (out / "thesis.tex").read_text() == "years of work"


def test_a_build_that_fails_leaves_the_old_site_and_nothing_else(small, monkeypatch):
    out = small[2]
    build_small(small)
    before = tree(out)
    monkeypatch.setitem(builder.EXPORTS, "md", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_small(small)
    assert tree(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["site"]


def test_an_absent_parent_is_a_failed_environment(small, tmp_path):
    found, bench, _ = small
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        build(found, bench, tmp_path / "no" / "site")


def test_an_empty_board_says_so_and_hidden_labels_drop_the_sentence_on_public_ones(tmp_path):
    bench = generated.bench(tmp_path, labels="hidden")
    build(BoardContents((), (), ()), bench, tmp_path / "site")
    text = " ".join(Page((tmp_path / "site/index.html").read_bytes()).text)
    assert "No run has a figure yet." in text
    assert "Test labels are public" not in text
    assert json.loads((tmp_path / "site/leaderboard.json").read_text()) == {"schema": 1, "rows": []}


def test_every_word_exists_in_both_languages_with_the_same_gaps_and_is_used():
    code = "".join(
        path.read_text("utf-8")
        for path in Path(builder.__file__).parents[1].rglob("*")
        if path.suffix in (".py", ".html")
    )
    for key, texts in wording().items():
        assert set(texts) == {"en", "zh"}, key
        gaps = [set(re.findall(r"\{(\w+)\}", text)) for text in texts.values()]
        assert gaps[0] == gaps[1], key
        section, name = key.split(".")
        composed = re.search(rf"""["']{section}\.["'] ~|{section}\.\{{|unit\.\{{""", code)
        assert f"{section}.{name}" in code or composed, f"{key} is never shown"


def test_refusals_stand_on_the_page_with_their_reason(board, pages):
    assert [row.key for row in board.found.refused] == ["late/run"]
    text = " ".join(pages["index.html"].text)
    assert "late/run" in text
    assert "card.toml: cannot be read" in text


def test_read_again_gives_the_same_rows(board):
    assert read(board.submissions, board.bench, organizers=["ivcr200k-authors"]) == board.found
