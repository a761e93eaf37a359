"""The Chinese pages say what the English ones say, as far as a program can see."""

import re

from tests.cli.test_pages import commands
from tests.cli.test_participating_page import MISTAKE, UNRUN, fences, rows
from tests.conftest import REPOSITORY

ENGLISH = (REPOSITORY / "docs" / "participating.md").read_text("utf-8")
CHINESE = (REPOSITORY / "docs" / "participating.zh.md").read_text("utf-8")
READMES = [(REPOSITORY / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")]
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
HAN = re.compile(r"[\u4e00-\u9fff]")


def prose(page):
    """A page without its fences."""
    return re.sub(r"^```\w+\n.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def shape(page):
    """The levels of headings, the cells of each row, the items of lists."""
    cells = [[bool(cell) for cell in row] for row in rows(page)]
    items = re.findall(r"^- ", prose(page), re.MULTILINE)
    return HEADING.findall(prose(page)), cells, len(items)


def codes(page):
    """All codes of rules, all options and all files and fields in backquotes, in any order."""
    return sorted(set(re.findall(r"`[^`\n]+`|\b[A-Z]\d{3}\b", prose(page))))


def links(page):
    """Where a page links to, its translation left out."""
    found = set(re.findall(r"\]\(([^)]+)\)", page))
    return found - {"participating.md", "participating.zh.md"}


def test_commands_examples_and_messages_are_the_same():
    assert commands(CHINESE) == commands(ENGLISH)
    assert fences(CHINESE) == fences(ENGLISH)
    assert MISTAKE.findall(CHINESE) == MISTAKE.findall(ENGLISH)
    assert all(f"    {line}\n" in CHINESE for line in UNRUN)


def test_headings_tables_lists_codes_and_links_are_the_same():
    assert shape(CHINESE) == shape(ENGLISH)
    assert codes(CHINESE) == codes(ENGLISH)
    assert links(CHINESE) == links(ENGLISH)
    assert [row[0] for row in rows(CHINESE)][7:] == [row[0] for row in rows(ENGLISH)][7:]


def test_every_heading_and_paragraph_is_in_chinese():
    blocks = re.split(r"\n\n+", prose(CHINESE))
    own = [block for block in blocks if block.strip() and not block.startswith("    ")]
    technical = {"### CSV", "### TREC"}
    assert [block for block in own if not HAN.search(block)] == sorted(technical)


def test_the_readmes_name_each_other_and_the_same_two_commands():
    english, chinese = READMES
    assert "README.zh-CN.md" in english
    assert "README.md" in chinese
    both = [re.findall(r"^    (make \w+)", page, re.MULTILINE) for page in READMES]
    assert both == [["make demo", "make test"]] * 2


def test_the_files_that_the_chinese_readme_links_to_are_there():
    linked = re.findall(r"\]\(([^)#:]+)\)", READMES[1])
    assert len(linked) >= 6
    assert [name for name in linked if not (REPOSITORY / name).is_file()] == []
