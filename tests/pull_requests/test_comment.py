"""The comment: foreign text is inert in it, whatever it is, and its length is bounded."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.pull_requests.bounds import COMMENT_BYTES
from harness.pull_requests.change_report import (
    ChangeFinding,
    ChangeReport,
    RunProblem,
    RunReport,
    TouchedTeam,
)
from harness.pull_requests.comment import MARK, code, comment
from tests.pull_requests.trees import BASE, HONEST, NEW, S, changed, run_at

# Of GitHub's own making, where it finds it outside of code: mentions, references, addresses.
LIVE = re.compile(r"@\w|#\d|GH-\d|https?:|www\.|[0-9a-f]{7,}|:\w+:|\w@\w", re.IGNORECASE)
OURS = {"paragraph", "inline", "text", "code_inline", "heading", "bullet_list", "list_item",
        "strong", "softbreak", "html_block"}  # fmt: skip
FOREIGN = [
    "@everyone and @org/team",
    "see #1, GH-2, o/r#3 and 0123456789abcdef0123456789abcdef01234567",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)><!-- ",
    "https://evil.example www.evil.example a@evil.example",
    "``` \n```js\nalert(1)\n```",
    "`@a` `` @b `` ``` @c ```",
    "| a | b |\n|---|---|\n| @c | d |",
    "# heading\n---\n> quote\n- [ ] task\n1. one",
    "~~~\n@user\n~~~",
    "\\`@user\\`",
    "&lt;b&gt; &#64;user &commat;user",
    "$$\\href{javascript:alert(1)}{x}$$",
    "\u202e@resu\u200b \x1b[2J \r\n\u2028@x",
    "`", "``", "` ", " `", "\\", "*", "_@a_", "", " ",
    "[^1]: note", "[a]: https://evil.example", ":tada:", "*" * 10_000, "`" * 10_000, "[" * 10_000,
]  # fmt: skip


def report_with(text, times=1):
    finding = ChangeFinding("name", "error", text, text)
    problem = RunProblem("T101", "error", text, 3, text)
    run = RunReport(text, True, False, 1, 0, 5, 0, "0" * 64, (problem,) * times)
    return ChangeReport(
        1, "refused", 7, None, None, None, "1" * 64, "test", TouchedTeam(text, True, None),
        1, 1, 1, (run,) * times, (finding,) * times, {"name": times},
    )  # fmt: skip


def inline(tokens):
    for token in tokens:
        yield token
        yield from inline(token.children or ())


def require_inert(text):
    """What a foreign parser makes of a comment: our own structure, and foreign text in code."""
    html = 0
    for token in inline(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        assert kind in OURS, token
        if kind == "html_block":
            html += 1
            assert token.content.strip() == MARK
        if kind == "text":
            assert not LIVE.search(token.content), token.content
    assert html == 1


@pytest.mark.parametrize("text", FOREIGN)
def test_foreign_text_is_inert(text):
    require_inert(comment(report_with(text)))


@given(st.text(max_size=60) | st.text(alphabet="`\\@#<>[]()!|*_~-\n :/.wa1", max_size=60))
def test_any_text_is_inert(text):
    require_inert(comment(report_with(text)))


@given(st.text(max_size=60))
def test_a_code_span_is_one_line_of_code(text):
    (paragraph,) = [t for t in MarkdownIt("commonmark").parse("x " + code(text)) if t.children]
    assert [child.type for child in paragraph.children] == ["text", "code_inline"]


@pytest.mark.parametrize(
    "text", ["x", "@" * 2000, "\u00e9" * 2000, "\U0001f600" * 2000, "\n" * 2000]
)
def test_a_comment_is_bounded_and_says_that_it_was_cut(text):
    written = comment(report_with(text, 1000))
    assert len(written.encode()) <= COMMENT_BYTES
    assert written.rstrip().endswith("as JSON.") == (len(written.encode()) > COMMENT_BYTES // 2)
    require_inert(written)


def test_a_comment_of_a_real_refusal(checked):
    name = "@octocat <img src=x> [a](b).md"
    report = checked(changed(BASE, {**HONEST, f"{NEW}/run1/{name}": b"x", **run_at(f"{S}/@a/r")}))
    written = comment(report)
    require_inert(written)
    assert written.startswith(f"{MARK}\n### Refused: ")
    assert "**stray-file** `submissions/gamma/run1/@octocat <img src=x> [a](b).md`" in written


def test_more_of_a_code_are_counted(checked):
    files = {f"{NEW}/run1/{number}.py": b"" for number in range(30)}
    report = checked(changed(BASE, {**HONEST, **files}))
    assert report.totals == {"stray-file": 30}
    assert "- **stray-file**: 10 more\n" in comment(report)


def test_notes_and_figures_stand_in_the_comment():
    report = msgspec.structs.replace(report_with("run1"), verdict="accepted")
    written = comment(report, ("A note.",), {"run1": ["figures in per cent: R@1 12.34"]})
    assert "\nA note.\n" in written
    assert "\n  - figures in per cent: R@1 12.34\n" in written
