"""A baseline in a file of one's own, or of an installed package, runs like the project's own."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from baselines import registry
from baselines.provenance.code_hash import code_sha256
from baselines.registry import find, load
from harness.errors import EnvironmentFailure, WrongUsageError

OWN = '''"""The first videos of the corpus, always: what order alone is worth."""

from baselines.base import About, Answer, Baseline, Settings

ABOUT = About(languages=("en",))


class FirstSettings(Settings, frozen=True):
    """most: how many."""

    most: int = 3


class First(Baseline):
    settings_type = FirstSettings

    def prepare(self, view):
        self._videos = view.corpus[: self._settings.most]

    def answer(self, queries):
        return [Answer(videos=self._videos, moments=(), response="") for _ in queries]
'''
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def own(tmp_path):
    """A file with a baseline."""
    file = tmp_path / "mine" / "first_videos.py"
    file.parent.mkdir()
    file.write_text(OWN)
    return file


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package that names a module with a baseline."""

    def made(name="firsts", value="firsts_package.first"):
        site = tmp_path / "site"
        (site / "firsts_package").mkdir(parents=True)
        (site / "firsts_package" / "__init__.py").write_text("")
        (site / "firsts_package" / "first.py").write_text(OWN)
        info = site / "firsts_package-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: firsts-package\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{registry.ENTRY_POINTS}]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(site)
        return site

    yield made
    for module in [each for each in sys.modules if each.startswith("firsts_package")]:
        del sys.modules[module]


@pytest.fixture
def run(ivcr, toy, tmp_path):
    """Run a baseline on the toy benchmark; its card, record and predictions."""

    def made(name, out, *more):
        where = ["--benchmark", toy.folder, "--history", "own", "--out", tmp_path / out]
        code, _, err = ivcr("baseline", "run", name, *where, *more)
        assert code == 0, err
        folder = tmp_path / out
        return (
            tomllib.loads((folder / "card.toml").read_text("utf-8")),
            json.loads((folder / "run.json").read_text("utf-8")),
            (folder / "predictions.jsonl.zst").read_bytes(),
        )

    return made


def test_a_file_runs_with_its_settings_and_no_path_of_the_machine_is_told(run, own, tmp_path):
    card, record, _ = run(own, "sub", "--set", "most=2")
    assert (card["system"], card["code"]) == ("first_videos", "first_videos.py")
    assert (card["variant"], card["settings"]) == ("most=2", {"most": 2})
    assert card["description"].startswith("The first videos of the corpus")
    assert str(tmp_path) not in json.dumps([card, record])


def test_the_hash_of_the_code_covers_the_file(run, own):
    before = run(own, "one")[1]["code_sha256"]
    assert run("bm25", "two")[1]["code_sha256"] != before
    own.write_text(OWN + "\n")
    assert run(own, "three")[1]["code_sha256"] != before


def test_a_run_of_ones_own_has_a_team_of_its_own(run, own, tmp_path, ivcr, toy):
    """Never the project's: the one that the file declares or the command names, else the
    template's, which validation warns of."""
    assert run(own, "one")[0]["team"] == "Your team"
    assert "C109" in ivcr("validate", tmp_path / "one", "--benchmark", toy.folder)[1]
    assert run(own, "two", "--team", "A lab")[0]["team"] == "A lab"
    (tmp_path / "mix.toml").write_text('[[member]]\nbaseline = "mine/first_videos.py"\n')
    assert run("hybrid", "three", "--config", tmp_path / "mix.toml")[0]["team"] == "Your team"
    own.write_text(OWN.replace('About(languages=("en",))', 'About(team="Ours")'))
    assert run(own, "four")[0]["team"] == "Ours"
    assert run(own, "five", "--team", "A lab")[0]["team"] == "A lab"
    assert run("bm25", "six")[0]["team"] == "IVCR harness"


def test_baselines_of_ones_own_leave_the_hash_of_ours_alone(run, own, package):
    before = run("bm25", "before")
    package()
    run(own, "own")
    assert run("firsts", "installed")[0]["team"] == "Your team"
    after = run("bm25", "after")
    assert after == before
    assert after[1]["code_sha256"] == code_sha256(ROOT / "baselines")
    assert "outside" not in after[1]


@pytest.mark.slow
def test_several_processes_run_a_file_too(run, own):
    assert run(own, "two", "--processes", "2") == run(own, "one")


def test_a_file_can_be_a_member(run, own, tmp_path):
    (tmp_path / "mix.toml").write_text('[[member]]\nbaseline = "mine/first_videos.py"\n')
    card, record, predictions = run("hybrid", "sub", "--config", tmp_path / "mix.toml")
    assert card["settings"] == {"member1.baseline": "first_videos"}
    assert str(tmp_path) not in json.dumps([card, record])
    before = record["code_sha256"]
    own.write_text(OWN + "\n")
    _, record, again = run("hybrid", "again", "--config", tmp_path / "mix.toml")
    assert (record["code_sha256"] != before, again) == (True, predictions)


def test_info_describes_a_file(ivcr, own):
    code, out, _ = ivcr("baseline", "info", own)
    assert code == 0
    assert out.startswith("first_videos: The first videos of the corpus")
    assert "most           a whole number; default: 3" in out
    assert f"ivcr baseline run {own} --benchmark mini" in out


def test_an_installed_package_adds_a_baseline(ivcr, run, package):
    package()
    assert (
        "firsts               firsts_package.first, of firsts-package"
        in ivcr("baseline", "list")[1]
    )
    card, record, _ = run("firsts", "sub")
    assert (card["system"], card["code"]) == ("firsts", "first.py")
    assert record["baseline"] == "firsts"


def test_all_code_of_an_installed_package_is_hashed(package):
    site = package()
    assert find("firsts").code == site / "firsts_package"


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        (None, EnvironmentFailure, "cannot be read: No such file"),
        ("x = 1\n", WrongUsageError, "expected ABOUT = About.* found no ABOUT"),
        ("def\n", WrongUsageError, "is no Python"),
        ("ABOUT = About(trains=sys.argv)\n", WrongUsageError, "with literal arguments"),
        ("ABOUT = About(trian=True)\n", WrongUsageError, "with literal arguments"),
        ('ABOUT = About(needs=("eyes",))\n', WrongUsageError, "with literal arguments"),
        ("from baselines.base import About\nABOUT = About()\n", WrongUsageError,
         "expected one subclass of Baseline, found 0"),
    ],
)  # fmt: skip
def test_a_file_without_a_baseline_is_refused(tmp_path, text, error, expected):
    file = tmp_path / "own.py"
    if text is not None:
        file.write_text(text)
    with pytest.raises(error, match=expected) as refusal:
        load(find(str(file)))
    assert str(refusal.value).startswith(f"{file}: ")


def test_names_of_the_project_are_taken(tmp_path, package):
    (tmp_path / "bm25.py").write_text(OWN)
    with pytest.raises(WrongUsageError, match="bm25 is a baseline of the project already"):
        find(str(tmp_path / "bm25.py"))
    package("bm25")
    with pytest.raises(WrongUsageError, match="bm25 is a baseline of the project already"):
        find("bm25")


def test_a_name_is_one_word(tmp_path):
    (tmp_path / "my own.py").write_text(OWN)
    with pytest.raises(WrongUsageError, match="expected a name of 1 to 60 letters"):
        find(str(tmp_path / "my own.py"))


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        ("firsts_package.first:First", WrongUsageError, "leave :First out"),
        ("firsts_package.absent", EnvironmentFailure, "is not there; install the package again"),
        ("no_such_package.first", EnvironmentFailure, "is not there; install the package again"),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_refused(package, value, error, expected):
    package("firsts", value)
    with pytest.raises(error, match=expected):
        find("firsts")


def test_listing_imports_no_installed_baseline(package):
    site = package()
    (site / "firsts_package" / "__init__.py").write_text("raise SystemExit(7)\n")
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "from baselines.running.descriptions import overview\n"
        "print('firsts' in ' '.join(overview()))"
    )
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert made.stdout.strip() == "True", made.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raise RuntimeError('no')", "cannot be imported: RuntimeError: no"),
        ("import sys; sys.exit(0)", "cannot be imported: SystemExit: 0"),
    ],
)
def test_a_file_that_ends_while_it_is_imported_is_refused(own, text, expected):
    own.write_text(OWN + text + "\n")
    with pytest.raises(WrongUsageError, match=expected):
        load(find(str(own)))


@pytest.mark.parametrize("about", ["3", "dict(histories=())", "About('a')", "About(histories=())"])
def test_an_about_of_another_form_is_refused(own, about):
    own.write_text(OWN.replace('About(languages=("en",))', about))
    with pytest.raises(WrongUsageError, match="expected"):
        find(str(own))


def test_an_annotated_about_and_other_encodings_are_read(own):
    own.write_bytes(
        b"# -*- coding: latin-1 -*-\n" + OWN.replace("ABOUT =", "ABOUT: About =").encode()
    )
    assert find(str(own)).about.languages == ("en",)
