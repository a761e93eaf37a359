"""Every command that README.md, docs/assistants.md and docs/official.md show runs.

With a toy benchmark under the names of the pages, tiny checkpoints, and a server of the tests' own.
docs/checkpoints.md, docs/extending.md and docs/python.md have tests of their own.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from harness.protocols.rendering import entries_of
from harness.protocols.source import read_source
from harness.sources import importing, mini_benchmark
from harness.submission import write
from harness.validation import check
from tests.baselines import tiny
from tests.baselines.conftest import imported
from tests.baselines.features.folders import feature_folder, random_rows
from tests.baselines.interllava import layout
from tests.baselines.ready import annotate
from tests.chat.servers import standing
from tests.conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text("utf-8")
ASSISTANTS = (REPOSITORY / "docs" / "assistants.md").read_text("utf-8")
OFFICIAL = (REPOSITORY / "docs" / "official.md").read_text("utf-8")
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = re.compile(r"https?://(?:HOST|127\.0\.0\.1:8000)/v1")


def commands(page):
    """The words of each command that a page shows; of choices in brackets none is taken."""
    lines = re.findall(r"^    ivcr (.*)$", page.replace("\\\n", " "), re.MULTILINE)
    return [shlex.split(re.sub(r" \[-.*?\]", "", line), comments=True) for line in lines]


def described(page, name):
    """The indented text of a file that a page shows after its name."""
    text = page[page.index(f"`{name}`") :]
    [block] = re.findall(r"\n\n((?:    .*\n|\n)+)", text)[:1]
    return re.sub(r"^    ", "", block, flags=re.MULTILINE)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with what the pages name; it is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MY_KEY", "of-nobody")
    tiny.clip(tmp_path / "CHECKPOINT")
    made = imported(tmp_path, name="B", filmed=True)
    annotate(made)
    frames = dict.fromkeys(made.videos, 4)
    feature_folder(tmp_path / "FEATURES", random_rows(frames, 6), made.folder)
    (tmp_path / "docs").mkdir()
    shutil.copy(REPOSITORY / "docs" / "pipeline.toml", "docs")
    (tmp_path / "B.json").rename("IVCR-200K.json")
    (tmp_path / "B.meta.json").rename("META")

    def import_mini(out, **_):
        """The toy in place of IVCR-Mini, which takes a minute to render."""
        settings = importing.ImportSettings(out.name)
        result = importing.import_files(
            [Path("IVCR-200K.json")], out, settings, videos=Path("META")
        )
        shutil.copytree(tmp_path / "B" / "videos", out / "videos")
        shutil.copy(tmp_path / "B" / "train" / "events.jsonl", out / "train")
        return result

    monkeypatch.setattr(mini_benchmark, "import_mini", import_mini)
    return made


@pytest.fixture
def run(ivcr, monkeypatch):
    """Run the words of a command in as few steps as can be; it must succeed."""

    def carry_out(words):
        words = [ADDRESS.sub(standing().url, str(word)) for word in words]
        if words[:2] == ["baseline", "train"]:
            words += ["--steps", "2"]
        expanded = [
            path
            for word in words
            for path in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
        ]
        code, out, err = ivcr(*expanded)
        assert code == 0, (words, err)
        return out + err

    return carry_out


def answered(benchmark, folder, other):
    """Write the predictions of a submission into another folder."""
    found = check(folder, benchmark)
    write(other, found.card, found.predictions)


def result_file(benchmark, folder):
    """The official result file of a submission."""
    answers = {each.key: each for each in check(folder, benchmark).predictions}
    entries = entries_of(read_source(benchmark, "test"), answers)
    rows = [{"user_q": entry.question, "output": entry.output} for entry in entries]
    Path("result.json").write_text(json.dumps(rows), "utf-8")


def board(run, benchmark):
    """submissions/: scored runs of two teams, and the reported card that the project ships."""
    for team, name, context in (("a", "one", "last"), ("a", "two", "all"), ("b", "one", "decayed")):
        out = Path("submissions", team, name)
        out.parent.mkdir(parents=True, exist_ok=True)
        bm25(run, benchmark, "own", out, "--set", f"context={context}")
        run(["score", out, "--benchmark", benchmark])
    shipped = REPOSITORY / "submissions" / "ivcr200k-authors"
    shutil.copytree(shipped, Path("submissions") / shipped.name)


def bm25(run, benchmark, history, out, *more):
    """A submission of BM25."""
    where = ("--benchmark", benchmark, "--history", history, "--out", out)
    run(["baseline", "run", "bm25", *where, *more])


@pytest.mark.slow
def test_every_command_of_the_readme_runs(place, run):
    first, *others = commands(README)
    assert (first[:2], len(others) > 17) == (["data", "mini"], True)
    Path("hybrid.toml").write_text(described(README, "hybrid.toml"), "utf-8")
    extending = (REPOSITORY / "docs" / "extending.md").read_text("utf-8")
    own = next(text for text in FENCE.findall(extending) if "class Longest" in text)
    Path("my_baseline.py").write_text(own, "utf-8")
    [line] = [line for line in README.splitlines() if "# or: ivcr data import" in line]
    run(shlex.split(re.sub(r" \[.*?\]", "", line.split("# or: ivcr ")[1])))
    bm25(run, "B", "own", "answers")
    result_file(place, Path("answers"))
    run(first)
    board(run, "mini")
    for words in others:
        if words[0] == "validate":
            answered(place, Path("answers"), Path("my-run"))
        printed = run(words)
        if words[0] == "items":
            assert "a reported card, which has no predictions; passed over" in printed
    assert Path("site/index.html").is_file()


def remove(folder):
    """Take away what an earlier command of a page made under the same name."""
    for path in folder.glob("*"):
        path.unlink()


@pytest.mark.slow
def test_every_command_of_the_page_on_assistants_runs(place, run):
    of_page = commands(ASSISTANTS)
    assert len(of_page) >= 11
    tiny.llava(Path("LLAVA"))
    layout.folder(Path("PUBLISHED"))
    server = standing().url
    text = ADDRESS.sub(server, described(ASSISTANTS, "stages.toml"))
    settings = '\nsettings = { checkpoint = "CHECKPOINT" }\n'
    Path("stages.toml").write_text(text.rstrip() + settings, "utf-8")
    for name in ("two.toml", "events.toml"):
        Path(name).write_text(described(ASSISTANTS, name), "utf-8")
    bm25(run, "B", "reference", "REFERENCE")
    for words in of_page:
        kind = "PUBLISHED" if "interllava" in words else "LLAVA"
        words = [word.replace("FOLDER", kind) for word in words]
        remove(Path("RUN"))
        if "files=PUBLISHED" in words:
            # The folder `il` of the tiny configuration is there already.
            words = [re.sub(r"(^|=)il$", r"\1trained", word) for word in words]
        run(words)


@pytest.mark.slow
def test_every_command_of_the_page_on_the_official_scorer_runs(place, run):
    bm25(run, "B", "own", "answers")
    result_file(place, Path("answers"))
    for words in commands(OFFICIAL):
        run(words)
    assert Path("scores.json").is_file()
    assert check(Path("SUB"), place).report.valid


BENCH = [
    shlex.split(line, comments=True)
    for page in sorted((REPOSITORY / "docs").glob("*.md"))
    for line in re.findall(r"^    python -m (tests\..*)$", page.read_text("utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("module", sorted({words[0] for words in BENCH}))
def test_every_measurement_that_a_page_names_has_the_options_that_it_shows(module):
    source = (REPOSITORY / f"{module.replace('.', '/')}.py").read_text("utf-8")
    shown = {word for words in BENCH if words[0] == module for word in words if word[:2] == "--"}
    assert [option for option in shown if f'"{option}"' not in source] == []


NAMED = re.compile(r"`(?:\.venv/bin/)?ivcr ([a-z]+(?: [a-z]+)?)[^`]*`")


@pytest.mark.parametrize(
    "file",
    [
        path.relative_to(REPOSITORY).as_posix()
        for root in ("README.md", "ARCHITECTURE.md", "docs", "harness", "baselines", "leaderboard")
        for path in sorted([REPOSITORY / root, *(REPOSITORY / root).rglob("*")])
        if path.suffix in (".md", ".py") and NAMED.search(path.read_text("utf-8"))
    ],
)
def test_every_command_that_a_text_names_is_there(file, ivcr):
    import click

    from harness.cli import ivcr as group

    for named in NAMED.findall((REPOSITORY / file).read_text("utf-8")):
        first, _, second = named.partition(" ")
        command = group.get_command(click.Context(group), first)
        assert command is not None, named
        if second and isinstance(command, click.Group):
            assert command.get_command(click.Context(command), second) is not None, named
