"""The audit as text and as a page: nothing untrusted gets through unescaped."""

import json
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from harness.audit.html_page import page
from harness.audit.result import audit
from harness.audit.text_report import text_lines
from harness.cli.audit import audit as command
from tests.protocols.samples import sample, video_turn

ATTACK = "<script>alert(1)</script>\x1b[31m\u202e&\"'"
FILE = [
    sample([video_turn(f"one {ATTACK}", 1, "S/1.mp4"), video_turn(f"two {ATTACK}", 2, "S/1.mp4")])
]
ROWS = [
    {"user_q": f"one {ATTACK}", "output": "video 1"},
    {"user_q": f"two {ATTACK}", "output": f"the 2nd video {ATTACK}"},
]
VOID = {"meta", "br"}


class Balanced(HTMLParser):
    """Collects tags, and fails on one that is not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def found(benchmark_of, result_of):
    return audit(result_of(ROWS), benchmark_of(FILE))


def test_the_page_is_well_formed_and_self_contained(found):
    parser = Balanced()
    parser.feed(page(found).decode("utf-8"))
    assert parser.open == []
    tags = {tag for tag, _ in parser.seen}
    assert not tags & {"script", "img", "link", "iframe", "a", "form"}
    assert not any("src" in attrs or "href" in attrs for _, attrs in parser.seen)


def test_the_page_shows_untrusted_text_escaped(found):
    text = page(found).decode("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_page_has_the_figures_and_the_parts(found):
    text = page(found).decode("utf-8")
    assert "0.00 (0/2)" in text
    assert "100.00 (2/2)" in text
    assert "-50.000" in text
    for defect in ("D1", "D9", "D11", "D14"):
        assert defect in text


def test_the_text_shows_untrusted_text_escaped(found):
    text = "\n".join(text_lines(found))
    assert "R@1, all: official 0.00 (0/2)" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[31m" in text


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_the_command_writes_every_form(benchmark_of, result_of, tmp_path, form):
    arguments = [str(result_of(ROWS)), "--benchmark", str(benchmark_of(FILE).folder)]
    arguments += ["--format", form]
    shown = CliRunner().invoke(command, arguments)
    assert shown.exit_code == 0
    out = tmp_path / "audit.out"
    written = CliRunner().invoke(command, [*arguments, "--out", str(out)])
    assert written.exit_code == 0
    assert out.read_bytes() == shown.stdout_bytes
    if form == "json":
        assert json.loads(out.read_bytes())["figures"]["all"]["R@1"]["sound"]["right"] == 2
