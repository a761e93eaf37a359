"""docs/participating.md: its commands run, its example is valid, each mistake is told as it says.

IVCR-Mini is stood in for by the turns of it that the page shows, under the same ids.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.benchmark import Benchmark
from harness.sources import importing, mini_benchmark
from harness.submission import MOMENT_KEYS, PREDICTION_KEYS
from harness.teams.team_file import read_team
from harness.validation import check
from tests.baselines.conftest import ask, imported, talk
from tests.cli.test_pages import commands
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "participating.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MISTAKE = re.compile(r"^### \d+\. .*?[(（](\w\d+)[)）]\n\n    (.+)\n", re.MULTILINE)
FIRST, CHAT, ELSEWHERE = "d000776-f46f2e79", "d000792-116d61ce", "d000663-d8b27472"
SECONDS = {
    "MiniLong/c321fac6.mp4": 31.0,
    "MiniLong/13b4f1c8.mp4": 35.375,
    "MiniLong/f35115d2.mp4": 29.375,
    "MiniLong/28336733.mp4": 29.375,
    "MiniShort/ed3b79b3.mp4": 16.5,
    "MiniLong/fbc338ff.mp4": 38.5,
    "MiniLong/ffccb21a.mp4": 30.5,
    "MiniLong/bb898863.mp4": 32.75,
    "MiniLong/19a48d0d.mp4": 34.125,
    "MiniLong/dacf23b4.mp4": 34.125,
}
GIVEN = tuple(SECONDS)
GOLD = "MiniLong/fbc338ff.mp4"
OTHER = "MiniLong/0232f3a3.mp4"
# What a reader types that no test does: installing needs a network.
UNRUN = [
    "python3 -m venv .venv",
    ".venv/bin/pip install --constraint constraints.txt --editable .",
    "source .venv/bin/activate",
]


def fences(page):
    """Language and text of each fence of a page, in its order."""
    return FENCE.findall(page)


def section(page, number):
    """What stands below the heading of a numbered level-two section, from 1, up to the next."""
    return re.split(r"^## .*$", page, flags=re.MULTILINE)[number]


def rows(page):
    """The cells of all rows of tables, heads and rules left out."""
    lines = re.findall(r"(?:^\|[-|]+\|\n)((?:\|.*\n)+)", page, re.MULTILINE)
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for table in lines
        for line in table.splitlines()
    ]


ASKED, ANSWERS = (text.splitlines() for language, text in fences(PAGE) if language == "json")
CARD, TEAM = (text for language, text in fences(PAGE) if language == "toml")
LINES = [json.loads(line) for line in ANSWERS]


def toy(folder):
    """The benchmark `folder`/mini: the three turns that the page shows, and a turn of val."""
    first, second, chat = (json.loads(line)["utterance"] for line in ASKED)
    search = [*ask(first, GOLD, GIVEN), *ask(second, GOLD, GIVEN, span=(9.35, 11.14))]
    samples = [
        {"id": FIRST, "split": "test", "type": [1], "conversations": search},
        {"id": CHAT, "split": "test", "type": [0], "conversations": talk(chat, "Five.")},
        {"id": ELSEWHERE, "split": "val", "type": [4], "conversations": ask("?", OTHER, GIVEN)},
    ]
    seconds = SECONDS | {OTHER: 37.25}
    videos = {name: (length, {"title": "Grey background"}) for name, length in seconds.items()}
    return imported(folder, samples, name="mini", videos=videos, corpus="all")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder, with `mini` and `my-run`, the example of the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    toy(tmp_path)
    written(LINES)
    return tmp_path


def written(lines, name="predictions.jsonl"):
    """Write `my-run` anew: the page's card, and lines or a text as predictions."""
    folder = Path("my-run")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "card.toml").write_text(CARD, "utf-8")
    text = lines if isinstance(lines, str) else "".join(f"{json.dumps(line)}\n" for line in lines)
    (folder / name).write_text(text, "utf-8")


def changed(number, **parts):
    """The example with other keys in one line (from 0); None takes a key away."""
    line = {key: part for key, part in {**LINES[number], **parts}.items() if part is not None}
    return [*LINES[:number], line, *LINES[number + 1 :]]


def in_milliseconds():
    [moment, *_] = LINES[1]["moments"]
    return changed(1, moments=[moment | {"start": 9500, "end": 11000}])


MISTAKES = {
    "S101": lambda: written(LINES, "predictions.json"),
    "L113": lambda: written(json.dumps(LINES)),
    "T100": lambda: written(LINES[:2]),
    "T103": lambda: written(changed(0, turn=0)),
    "T104": lambda: written([*LINES, LINES[0] | {"dialogue_id": ELSEWHERE}]),
    "L110": lambda: written(changed(0, videos=None, video=LINES[0]["videos"])),
    "V100": lambda: written(changed(0, videos=["fbc338ff.mp4"])),
    "V101": lambda: written(changed(0, videos=[GOLD, GIVEN[0], GOLD])),
    "H100": lambda: written(changed(0, choice=[OTHER])),
    "M204": lambda: written(in_milliseconds()),
}


def test_the_page_has_ten_mistakes():
    assert [code for code, _ in MISTAKE.findall(PAGE)] == list(MISTAKES)
    assert len(MISTAKES) == 10


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_gives_the_message_of_the_page(code, ivcr, place):
    MISTAKES[code]()
    exit_code, out, _ = ivcr("validate", "my-run", "--benchmark", "mini")
    said = [line for line in out.splitlines() if line.endswith(f"[{code}]")]
    assert (exit_code, said) == (1, [dict(MISTAKE.findall(PAGE))[code]])


def test_the_warnings_that_the_page_names_are_warnings(ivcr, place):
    fractions = [{"video_id": GOLD, "start": 0.2, "end": 0.3}]
    # M208 speaks of many moments: one of a single turn may well be so short.
    lines = changed(1, moments=[fractions[0] | {"end": 0.3 + n / 100} for n in range(60)])
    written(lines)
    card = Path("my-run/card.toml")
    card.write_text(CARD.replace("My lab", "Your team"), "utf-8")
    exit_code, out, _ = ivcr("validate", "my-run", "--benchmark", "mini")
    codes = set(re.findall(r"^warning: .*\[(\w+)\]$", out, re.MULTILINE))
    assert (exit_code, codes) == (0, {"C109", "M208"})


def test_the_example_is_valid_and_answers_every_task(place):
    found = check(Path("my-run"), Benchmark(Path("mini")))
    assert found.report.valid
    assert not found.report.problems
    assert {json.loads(line)["task"] for line in ASKED} == {"video", "moment", "chat"}
    assert (found.card.candidates, found.card.settings["moments"]) == ("used", 2)


def test_the_tables_name_every_field():
    """As the published schemas have them; the reader of files is tested against these."""
    schemas = REPOSITORY / "harness" / "schemas"
    card = json.loads((schemas / "card.json").read_text("utf-8"))
    required = set(card["required"])
    fields = {cells[0].strip("`"): cells for cells in rows(section(PAGE, 3)) if len(cells) == 4}
    in_moments = {f"moments[].{key}" for key in MOMENT_KEYS}
    assert set(fields) == {*PREDICTION_KEYS, *in_moments, *card["properties"]}
    always = {name for name, cells in fields.items() if cells[3] == "always"}
    assert always == required | {"dialogue_id", "turn"}


def test_the_team_file_of_the_page_is_read(tmp_path):
    (tmp_path / "team.toml").write_text(TEAM, "utf-8")
    assert read_team(tmp_path).name == "My lab"


def import_toy(out, **_):
    """The toy in place of IVCR-Mini, which takes a minute to render."""
    settings = importing.ImportSettings(out.name, corpus="all")
    return importing.import_files([Path("mini.json")], out, settings, videos=Path("mini.meta.json"))


@pytest.mark.slow
def test_every_command_of_the_page_runs(place, ivcr, monkeypatch):
    monkeypatch.setattr(mini_benchmark, "import_mini", import_toy)
    shutil.rmtree("my-run")
    shutil.rmtree("mini")
    texts = dict(fences(PAGE))
    Path("answers.csv").write_text(texts["csv"], "utf-8")
    Path("run.txt").write_text(texts["text"], "utf-8")
    shown = commands(PAGE)
    assert len(shown) >= 13
    for words in shown:
        code, _, err = ivcr(*words)
        assert code == 0, (words, err)
        if words[:2] == ["submission", "init"]:
            subprocess.run([sys.executable, "-c", texts["python"]], check=True)
    benchmark = Benchmark(Path("mini"))
    for name in ("bm25", "my-run", "from-csv", "from-trec", "by-rank"):
        assert check(Path(name), benchmark).report.valid
    example = check(Path("my-run"), benchmark).predictions
    assert [len(each.videos or ()) for each in example] == [11, 0, 0]
    written(LINES)
    expected = check(Path("my-run"), benchmark).predictions
    assert check(Path("from-csv"), benchmark).predictions[1:] == expected[1:]
    assert check(Path("from-trec"), benchmark).predictions[0].videos == expected[0].videos


def test_no_command_of_the_page_is_left_out():
    typed = re.findall(r"^    (?!ivcr )(.*)$", PAGE, re.MULTILINE)
    messages = [message for _, message in MISTAKE.findall(PAGE)]
    inside = "\n".join(text for _, text in fences(PAGE)).splitlines()
    others = [line for line in typed if line not in messages and f"    {line}" not in inside]
    assert others == UNRUN
