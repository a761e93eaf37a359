"""A setting of several texts: commas on the command line, a list in a file, paths beside it."""

import tomllib

import msgspec
import pytest

from baselines.registry import class_of, find
from baselines.running.config_file import read_config
from baselines.running.descriptions import description
from baselines.settings import changed_settings, read_settings
from harness.errors import WrongUsageError
from tests.baselines.conftest import imported

OWN = '''"""The first videos of the corpus, whatever the features say."""

from typing import ClassVar

from baselines.base import About, Answer, Baseline, Provenance, Settings

ABOUT = About()


class ListSettings(Settings, frozen=True):
    """features: folders. most: how many."""

    PATHS: ClassVar[tuple[str, ...]] = ("features",)

    features: tuple[str, ...] = ()
    most: int = 3


class ListBaseline(Baseline):
    settings_type = ListSettings

    def prepare(self, view):
        self._videos = view.corpus[: self._settings.most]

    def answer(self, queries):
        return [Answer(videos=self._videos, moments=(), response="") for _ in queries]
'''


@pytest.fixture
def entry(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    return find(str(tmp_path / "mine.py"))


@pytest.fixture
def kind(entry):
    return class_of(entry).settings_type


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [("features=A", ("A",)), ("features=A/b,C", ("A/b", "C")), ("features=", ()),
     ("features=A, C", ("A", "C"))],
)  # fmt: skip
def test_commas_separate_texts_on_a_command_line(kind, assignment, expected):
    assert read_settings("mine", kind, [assignment], {}).features == expected


def test_a_list_of_a_file_is_taken_and_anything_else_refused(kind):
    values = tomllib.loads('features = ["A", "B"]')
    settings = read_settings("mine", kind, [], values)
    assert changed_settings(settings) == {"features": ("A", "B")}
    for text in ('features = "A"', "features = [1]"):
        with pytest.raises(WrongUsageError, match=r"features is texts \(A,B; in a file a list\)"):
            read_settings("mine", kind, [], tomllib.loads(text))


def test_paths_of_a_list_are_relative_to_the_file(entry, tmp_path, monkeypatch):
    (tmp_path / "config" / "one").mkdir(parents=True)
    (tmp_path / "config" / "mine.toml").write_text('[settings]\nfeatures = ["one", "absent"]\n')
    monkeypatch.chdir(tmp_path)
    found = read_config(tmp_path / "config" / "mine.toml", entry).settings
    assert found == {"features": [str(tmp_path / "config" / "one"), "absent"]}


def test_a_description_shows_what_is_expected(entry):
    text = description(entry)
    assert "features       texts (A,B; in a file a list); default: (empty)" in text


def test_a_run_records_the_names_of_folders_and_no_place(entry, ivcr, tmp_path):
    imported(tmp_path, name="B")
    (tmp_path / "one").mkdir()
    code, _, err = ivcr(
        "baseline", "run", tmp_path / "mine.py", "--benchmark", tmp_path / "B", "--history", "own",
        "--out", tmp_path / "run", "--set", f"features={tmp_path / 'one'},two",
    )  # fmt: skip
    assert code == 0, err
    card = tomllib.loads((tmp_path / "run" / "card.toml").read_text("utf-8"))
    assert card["settings"] == {"features": "one,two"}
    record = msgspec.json.decode((tmp_path / "run" / "run.json").read_bytes())
    assert record["settings"]["features"] == ["one", "two"]
