"""What packages hold, as far as it shows without building one; `.ci/packages` builds them."""

import fnmatch
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("harness", "baselines", "leaderboard")
DATA = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"][
    "package-data"
]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text("utf-8")


def is_packaged(path):
    """Whether a file that is no Python belongs to a package's data."""
    for package, patterns in DATA.items():
        home = package.replace(".", "/")
        for pattern in patterns:
            if package == "*" and path.name == pattern:
                return True
            if fnmatch.fnmatchcase(path.as_posix(), f"{home}/{pattern}"):
                return True
    return False


def test_every_file_beside_the_code_is_package_data():
    beside = [
        path.relative_to(REPOSITORY)
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert beside
    assert [path.as_posix() for path in beside if not is_packaged(path)] == []


def test_every_folder_of_code_is_a_package():
    """setuptools leaves folders without __init__.py out."""
    lacking = {
        path.parent.relative_to(REPOSITORY).as_posix()
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert lacking == set()


def test_what_the_source_distribution_names_is_there():
    lines = (REPOSITORY / "MANIFEST.in").read_text("utf-8").splitlines()
    for line in lines:
        word, *names = line.split()
        if word in ("include", "graft", "prune"):
            assert [name for name in names if not (REPOSITORY / name).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_pictures_of_the_readme_are_there_small_and_described(page):
    text = (REPOSITORY / page).read_text("utf-8")
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", text)
    assert pictures
    for words, path in pictures:
        data = (REPOSITORY / path).read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(data) <= 200_000
        assert len(words) > 20


def test_the_image_copies_what_is_there_and_ignored_is_all_else():
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    lines = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert "*" in lines


def test_the_image_runs_as_a_user_without_rights_and_keeps_no_secret():
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert DOCKERFILE.count("\nFROM ") == 2
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert last.index("USER 10001") < last.index("ENTRYPOINT")
    assert not re.search(r"(?i)secret|token|password|api_key", DOCKERFILE)


def test_the_image_has_the_python_of_the_lock():
    python = re.search(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)[1]
    assert f"on Python {python} " in (REPOSITORY / "constraints.txt").read_text().splitlines()[0]


def test_the_dockerfile_passes_its_linter():
    hadolint = shutil.which("hadolint") or os.environ.get("HADOLINT")
    if hadolint is None:
        pytest.skip("needs hadolint, which .ci/packages brings and runs")
    done = subprocess.run([hadolint, REPOSITORY / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_script_of_the_packages_is_sound_shell():
    subprocess.run(["bash", "-n", REPOSITORY / ".ci/packages"], check=True)
    assert os.access(REPOSITORY / ".ci/packages", os.X_OK)
