"""Every section of docs/extending.md is carried out on a copy, and the tests it names notice gaps.

A section says how many files it touches; its steps are the sentences that end with a colon before a
fence.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.baselines.conftest import imported
from tests.mutants.planting import REPOSITORY, copied, surroundings, written

PAGE = (REPOSITORY / "docs" / "extending.md").read_text("utf-8")
WORK = "work"  # where commands put what they make
COUNT = re.compile(r"^Files: (\d)(?:, and (\d) that a command writes)?\.$", re.MULTILINE)
FENCE = re.compile(r"^([^\n]+):\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEW, APPEND = re.compile(r"New file `(\S+)`"), re.compile(r"Append to `(\S+)`")
INSERT = re.compile(r"In `(\S+)`, after the line `(.+)`")
RUN = re.compile(r"Run(?:, which rewrites (.+))?")
# What may be touched of the tree (DESIGN.md, section 2): edits by hand, files that commands write.
ALLOWED = {
    "A metric": (
        {"harness/metrics/retrieval.py", "harness/metrics/table.py", "tests/metrics/oracles.py"},
        {"docs/metrics.md"},
    ),
    "A validation rule": (
        {"harness/validation/rules/content.py", "tests/validation/bad.py"},
        {"docs/rules.md", "tests/validation/reports.json"},
    ),
    "A baseline of the project": ({"baselines/retrievers/title_words.py"}, set()),
    "A baseline in a file of your own": (set(), set()),
    "A baseline in a package of your own": (set(), set()),
    "A data source": ({"harness/sources/qvhighlights.py"}, set()),
    "A converter": ({"harness/formats/rankings.py"}, set()),
}
OUTPUT = {
    "A metric": '"MRR@10"',
    "A validation rule": "| R102 | warning |",
    "A baseline of the project": "title_words: Videos by how many",
    "A baseline in a file of your own": "longest_first: The longest videos first",
    "A baseline in a package of your own": "first_videos",
    "A data source": "(qvhighlights, SHA-256",
    "A converter": "rankings  JSON lines",
}


class Step(NamedTuple):
    """The sentence before a fence, without its colon, and the fence's text."""

    sentence: str
    text: str

    @property
    def file(self):
        """The file that an edit is made to; None for commands."""
        match = NEW.match(self.sentence) or APPEND.match(self.sentence)
        match = match or INSERT.match(self.sentence)
        return match and match[1]

    @property
    def rewritten(self):
        """The files that the commands of a step say they rewrite."""
        match = RUN.fullmatch(self.sentence)
        return set(re.findall(r"`(\S+)`", match[1] or "")) if match else set()


class Section(NamedTuple):
    """What a section says: its counts of files, its steps in order."""

    by_hand: int
    written: int
    steps: tuple[Step, ...]

    def edits(self):
        return [step for step in self.steps if step.file is not None]

    def commands(self, sentence):
        return [step.text for step in self.steps if step.sentence.startswith(sentence)]


def sections(page):
    """The sections of the page by heading."""
    for part in page.split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        [(by_hand, written)] = COUNT.findall(text)
        steps = tuple(Step(found[1], found[3]) for found in FENCE.finditer(text))
        yield heading, Section(int(by_hand), int(written or 0), steps)


SECTIONS = dict(sections(PAGE))


def apply(tree, step):
    """Make one edit."""
    path, sentence = tree / step.file, step.sentence
    if NEW.match(sentence):
        assert not path.exists(), f"{step.file} exists"
        path.parent.mkdir(parents=True, exist_ok=True)
        written(path, step.text)
        return
    text = path.read_text("utf-8")
    if APPEND.match(sentence):
        written(path, f"{text}\n\n{step.text}")
        return
    line = INSERT.fullmatch(sentence)[2] + "\n"
    assert text.count(f"\n{line}") == 1, f"{step.file}: {line!r} does not stand there once"
    written(path, text.replace(f"\n{line}", f"\n{line}{step.text}"))


class Copy:
    """A copy of the project with a toy benchmark as work/mini; `restore` undoes all changes."""

    def __init__(self, scratch):
        self.tree, self._scratch = copied(scratch), scratch
        self._toy = scratch / "toy"
        self._toy.mkdir()
        imported(self._toy, name="mini")
        self._before = self._files()

    def _files(self):
        paths = (path for path in self.tree.rglob("*") if path.is_file())
        names = {path.relative_to(self.tree).as_posix(): path for path in paths}
        return {
            name: path.read_bytes() for name, path in names.items()
            if not name.startswith((f"{WORK}/", "."))
            and not {".hypothesis", "__pycache__"} & set(path.parts)
        }  # fmt: skip

    def changed(self):
        """The files outside work/ that are new, gone or different."""
        now = self._files()
        names = now.keys() | self._before.keys()
        return {name for name in names if now.get(name) != self._before.get(name)}

    def restore(self):
        for name in self.changed():
            if name in self._before:
                written(self.tree / name, self._before[name].decode())
            else:
                (self.tree / name).unlink()
        shutil.rmtree(self.tree / WORK, ignore_errors=True)
        shutil.copytree(self._toy, self.tree / WORK)

    def run(self, text):
        """Run commands in the copy, with this interpreter as `python`: exit code and output."""
        environment = {
            **surroundings(self.tree),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTEST_ADDOPTS": "-x -p no:cacheprovider",
            "IVCR_CACHE": str(self._scratch / "cache"),
        }
        run = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=self.tree, text=True,
                             env=environment, capture_output=True, check=False)  # fmt: skip
        return run.returncode, run.stdout + run.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return Copy(tmp_path_factory.mktemp("extending"))


@pytest.fixture
def copy(whole):
    whole.restore()
    yield whole
    whole.restore()


def test_the_page_has_the_sections_that_the_test_knows():
    assert list(SECTIONS) == list(ALLOWED)
    assert PAGE.count("```") == 2 * sum(len(section.steps) for section in SECTIONS.values())
    for section in SECTIONS.values():
        for step in section.steps:
            assert step.file or RUN.fullmatch(step.sentence) or step.sentence == "Checked by"


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_announces_what_it_touches_and_no_more_than_the_design_allows(heading):
    section = SECTIONS[heading]
    by_hand = {step.file for step in section.edits()}
    written = set().union(*(step.rewritten for step in section.steps))
    assert (len(by_hand), len(written)) == (section.by_hand, section.written)
    inside = {name for name in by_hand if not name.startswith(f"{WORK}/")}
    assert (inside, written) == ALLOWED[heading]


@pytest.mark.slow
@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_works_as_it_stands(copy, heading):
    section = SECTIONS[heading]
    for step in section.edits():
        apply(copy.tree, step)
    for text in section.commands("Run"):
        code, output = copy.run(text)
        assert code == 0, output
        assert OUTPUT[heading] in output
    by_hand, written = ALLOWED[heading]
    assert copy.changed() == by_hand | written
    files = " ".join(step.file for step in section.edits() if step.file.endswith(".py"))
    code, output = copy.run(f"ruff format --check {files}; ruff check {files}")
    assert code == 0, output
    for text in section.commands("Checked by"):
        code, output = copy.run(text)
        assert code == 0, output


OMISSIONS = [
    ("A metric", "tests/metrics/oracles.py", "test_every_metric_has_an_oracle"),
    ("A metric", "harness/metrics/table.py", "test_every_metric_has_an_oracle"),
    ("A validation rule", "tests/validation/bad.py", "test_every_rule_has_a_bad_example"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("heading", "omitted", "test"), OMISSIONS)
def test_an_omission_is_noticed(copy, heading, omitted, test):
    for step in SECTIONS[heading].edits():
        if step.file != omitted:
            apply(copy.tree, step)
    [text] = SECTIONS[heading].commands("Checked by")
    code, output = copy.run(text)
    assert code == 1
    assert f"::{test}" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heading", "old", "new"),
    [
        ("A metric", "1 / outcomes.rank, 0.0", "2 / outcomes.rank, 0.0"),
        ("A baseline of the project", "most: how many videos are ranked.", "No word on most."),
        ("A data source", "raise EnvironmentFailure(", "raise ValueError("),
        ("A converter", "raise SubmissionError(", "raise ValueError("),
    ],
)
def test_a_bug_in_an_example_is_noticed(copy, heading, old, new):
    for step in SECTIONS[heading].edits():
        apply(copy.tree, step._replace(text=step.text.replace(old, new)))
    [text] = SECTIONS[heading].commands("Checked by")
    assert copy.run(text)[0] == 1
