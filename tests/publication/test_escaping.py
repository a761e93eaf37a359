"""Foreign text: nothing of it acts, wherever it is shown."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.publication.escaping import NAME, csv_cell, latex_cell, link, markdown_cell, visible

LOOKING_LIKE_CODE = st.text(
    alphabet=st.sampled_from("=+-@|\\`*_{}[]()#!<>&$%^~\"' \t\r\na1\u202e\x1b")
)
TEXT = st.one_of(st.text(), LOOKING_LIKE_CODE)


@given(TEXT)
def test_what_is_shown_is_one_line_without_controls_or_marks(text):
    shown = visible(text)
    assert shown.isprintable()
    assert len(shown) <= 10 * NAME


@pytest.mark.parametrize(
    "text", ["\x1b[31mred", "a\u202egnp.exe", "zero\u200bwidth", "\x00", "a\nb"]
)
def test_hidden_characters_show_as_their_code(text):
    assert "\\" in visible(text)


def test_ordinary_names_stay_as_they_are():
    for name in ("BM25 (all)", "系统一号", "Größe ×2", "نظام"):
        assert visible(name) == name


def test_a_long_name_is_cut_and_says_so():
    assert visible("x" * 10_000) == "x" * (NAME - 1) + "…"


@given(TEXT)
@example(" =1+1")
@example("@SUM(A1)")
def test_no_csv_cell_is_a_formula_and_the_row_stays_one_row(text):
    out = io.StringIO()
    csv.writer(out).writerow([csv_cell(text), "next"])
    ((cell, following),) = csv.reader(io.StringIO(out.getvalue()))
    assert following == "next"
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "|", "%"))


@given(TEXT)
def test_a_markdown_renderer_gives_back_the_text_itself(text):
    """Against markdown-it, which renders CommonMark tables as GitHub does."""
    table = f"| a | b |\n| --- | --- |\n| x{markdown_cell(text)}x | end |\n"
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(table)
    cells = [token for token in tokens if token.type == "inline"]
    children = list(cells[2].children or [])
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == f"x{visible(text)}x"
    assert cells[3].content == "end"


@given(TEXT)
def test_latex_holds_no_command_but_those_that_print_a_character(text):
    cell = latex_cell(text)
    ours = r"\\text(backslash|asciitilde|asciicircum|less|greater|bar|asciigrave)\{\}"
    left = re.sub(rf"{ours}|\{{\\char34\}}|\\[&%$#_{{}}]|\{{-\}}|\{{'\}}", "", cell)
    assert not re.search(r"[\\{}&%$#_^~<>|\"`'-]", left)
    assert left.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://",
        "//example.org",
        "https://example.org/ x",
        "https://example.org/\n",
        "https://example.org/\u202e",
        "http://[",
        "https://example.org/" + "x" * 3000,
    ],
)
def test_only_whole_web_addresses_become_links(text):
    assert link(text) is None


def test_a_web_address_is_a_link():
    assert link("https://example.org/a?b=c#d") == "https://example.org/a?b=c#d"
