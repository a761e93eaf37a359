"""What the project says of itself elsewhere: licence, citation, versions, dates, groups."""

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness import __version__

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
# Of LICENSE-2.0.txt as the Apache Software Foundation publishes it, and /usr/share/common-licenses.
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def versions():
    """The versions in CHANGELOG.md with their days, the newest first."""
    return re.findall(r"^## ([0-9.]+) \((\d{4}-\d{2}-\d{2})\)$", CHANGELOG, re.MULTILINE)


def git(*arguments):
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(["git", "-C", REPOSITORY, *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def test_the_licence_is_apache_2_word_for_word():
    data = (REPOSITORY / "LICENSE").read_bytes()
    assert hashlib.sha256(data).hexdigest() == APACHE_2
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_the_citation_is_valid_and_of_this_version():
    path = REPOSITORY / "CITATION.cff"
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema",
         "vendor.citation-file-format", path],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    text = path.read_text("utf-8")
    version, day = versions()[0]
    assert f"\nversion: {version}\ndate-released: {day}\n" in text
    assert "\nlicense: Apache-2.0\n" in text


def test_one_version_everywhere():
    assert PROJECT["project"]["version"] == __version__ == versions()[0][0]


def test_every_version_has_its_day_and_the_newest_stands_first():
    found = versions()
    headings = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert len(found) == len(headings) - (headings[0] == "Unreleased")
    assert found == sorted(found, key=lambda each: each[::-1], reverse=True)


@pytest.mark.parametrize(("version", "day"), versions())
def test_the_day_is_that_of_the_commit_that_set_the_version(version, day):
    place = "harness/__init__.py"
    days = git("log", "--reverse", "--format=%as", f'-S__version__ = "{version}"', "--", place)
    if not days or git("rev-parse", "--is-shallow-repository") != "false":
        pytest.skip("needs the whole history of a git checkout")
    assert days.splitlines()[0] == day


def test_the_pythons_that_are_stated_are_those_that_are_required():
    stated = [
        line.rpartition(" ")[2]
        for line in PROJECT["project"]["classifiers"]
        if line.startswith("Programming Language :: Python :: 3.")
    ]
    assert PROJECT["project"]["requires-python"] == f">={stated[0]}"
    assert f"py{stated[0].replace('.', '')}" == PROJECT["tool"]["ruff"]["target-version"]
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert running in stated or sys.version_info > tuple(map(int, stated[-1].split(".")))


def test_groups_name_extras_that_are_there():
    for needed in PROJECT["dependency-groups"]["dev"]:
        extras = re.fullmatch(r"ivcr-harness\[(.*)\]", needed)[1].split(",")
        assert set(extras) <= set(PROJECT["project"]["optional-dependencies"])


def test_what_is_required_is_locked():
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()[1:]
    locked = {line.partition("==")[0] for line in lines}
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])
    groups = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(each for group in groups for each in group)]
    wanted += PROJECT["dependency-groups"]["release"]
    names = {re.match(r"[A-Za-z0-9._-]+", each)[0].lower() for each in wanted}
    assert {re.sub(r"[-_.]+", "-", name) for name in names} <= locked
