"""Foreign text: nothing of it acts, wherever it is shown."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.publication.escaping import (
    NAME,
    csv_cell,
    latex_cell,
    link,
    markdown_cell,
    markdown_text,
    visible,
)

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


WORDS = st.text(alphabet=st.sampled_from("_-.,*`~\\&;a1 b"))


@given(text=TEXT | WORDS, write=st.sampled_from([markdown_cell, markdown_text]))
def test_a_markdown_renderer_gives_back_the_text_itself(text, write):
    """Against markdown-it, which renders CommonMark tables as GitHub does."""
    table = f"| a | b |\n| --- | --- |\n| x{write(text)}x | end |\n"
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(table)
    cells = [token for token in tokens if token.type == "inline"]
    children = list(cells[2].children or [])
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == f"x{visible(text)}x"
    assert cells[3].content == "end"


@given(WORDS)
@example("1.5")
@example("- a")
@example("1. a")
@example("_a_")
def test_a_paragraph_of_markdown_gives_back_the_text_itself(text):
    (_, inline, _) = MarkdownIt("commonmark").parse(f"{markdown_text(f'a {text} a')}\n")
    assert "".join(each.content for each in inline.children) == f"a {text} a"
    beginning = MarkdownIt("commonmark").parse(f"{markdown_text(text.strip())}\n")
    assert {each.type for each in beginning} <= {"paragraph_open", "inline", "paragraph_close"}


def test_plain_words_are_not_escaped():
    for word in ("team_a", "dual-encoder-2", "1.5", "a_b_c", "one, two"):
        assert markdown_text(word) == word
    assert markdown_text("www.a.b") == r"www\.a\.b"
    assert markdown_text("_a_ R@1") == r"\_a\_ R\@1"


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
