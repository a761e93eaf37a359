"""`import harness as ivcr`: cheap, complete, typed, in the wheel as in the tree."""

import ast
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

import harness
import harness.api
from tests.mutants.planting import REPOSITORY, copied
from tests.test_readme_examples import PAGE, examples

HEAVY = ("torch", "pandas", "scipy", "jsonschema", "numpy", "msgspec", "click")
WRONG = """\
import harness as ivcr


def mine(query: ivcr.Query) -> list[str]:
    reveal_type(query.utterance)
    return []


benchmark = ivcr.open("mini")
reveal_type(benchmark.videos["a.mp4"].duration)
out = ivcr.run(benchmark, mine, out="run", team="A", system="B", history="own")
reveal_type(ivcr.score(out, benchmark)["R@1"].value)
reveal_type(ivcr.validate(out, benchmark).valid)
reveal_type(ivcr.compare([out, "b"], benchmark)["R@1"].low)
for dialogue in benchmark.dialogues("test", history="own"):
    for turn in dialogue:
        reveal_type(turn.history[-1].answer)
ivcr.open(5)
ivcr.run(benchmark, print, out="run", team="A", system="B", history="own")
ivcr.run(benchmark, mine, out="run", team="A", system="B", history="all")
ivcr.nothing
"""


def python(script, **environment):
    """What a script prints, in a process that has loaded nothing yet."""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )  # fmt: skip
    return run.stdout.strip()


def test_the_import_loads_nothing_and_the_api_nothing_heavy():
    loaded = f"print([name for name in {HEAVY} if name in sys.modules])"
    assert python(f"import sys; import harness as ivcr; {loaded}") == "[]"
    light = ["msgspec"]
    assert python(f"import sys; import harness as ivcr; ivcr.open; {loaded}") == str(light)
    assert python(f"import sys; import harness; dir(harness); {loaded}") == "[]"


def test_the_front_has_the_names_of_the_api_and_no_others():
    assert set(harness.__all__) == {*harness.api.__all__, "__version__"}
    assert set(harness.__all__) <= set(dir(harness))
    for name in harness.api.__all__:
        assert getattr(harness, name) is getattr(harness.api, name)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        harness.nothing  # noqa: B018


def test_what_a_type_checker_sees_is_what_there_is():
    tree = ast.parse((REPOSITORY / "harness" / "__init__.py").read_text("utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If)
               and isinstance(node.test, ast.Name)]  # fmt: skip
    names = [alias.name for node in block.body for alias in node.names]
    assert sorted(names) == sorted(harness.api.__all__)


def test_every_public_name_is_described():
    page = (REPOSITORY / "docs" / "python.md").read_text("utf-8").partition("## Below the API")[0]
    for name in harness.api.__all__:
        thing = getattr(harness, name)
        assert thing.__doc__, name
        assert f"`{name}" in page or f".{name}(" in page, f"docs/python.md does not name {name}"
        public = [key for key in vars(thing) if not key.startswith("_")] if isinstance(
            thing, type) else []  # fmt: skip
        for key in public:
            if callable(getattr(thing, key)):
                assert getattr(thing, key).__doc__, f"{name}.{key}"


def test_the_version_is_the_one_of_the_package():
    assert f'version = "{harness.__version__}"' in (REPOSITORY / "pyproject.toml").read_text()


@pytest.mark.slow
def test_the_wheel_is_typed_and_the_examples_of_the_readme_pass_strictly(tmp_path):
    tree = copied(tmp_path)
    shutil.copy(PAGE, tree)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps",
         "--no-build-isolation", "--wheel-dir", str(tmp_path), str(tree)], check=True,
    )  # fmt: skip
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for package in ("harness", "baselines", "leaderboard"):
            assert f"{package}/py.typed" in archive.namelist()
        archive.extractall(tmp_path / "site")
    user = tmp_path / "user"
    user.mkdir()
    for number, text in enumerate(examples(PAGE.read_text("utf-8")), start=1):
        (user / f"example{number}.py").write_text(text, "utf-8")
    (user / "wrong.py").write_text(WRONG, "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "."],
        cwd=user, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    lines = run.stdout.splitlines()
    assert [line for line in lines if line.startswith("example")] == []
    revealed = [line.partition("Revealed type is ")[2] for line in lines if "Revealed" in line]
    assert [each.strip('"').replace("builtins.", "") for each in revealed] == [
        "str", "float | None", "float | None", "bool", "float | None", "str",
    ]  # fmt: skip
    errors = [line for line in lines if "error:" in line]
    assert [line.split(":")[1] for line in errors] == ["18", "19", "20", "21"], run.stdout
    assert 'Module has no attribute "nothing"' in errors[-1]
