"""The staircase: who may import whom, and what a light command must not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = ("harness", "baselines", "leaderboard")
HEAVY_HOME = {
    "torch": "baselines",
    "lightning": "baselines",
    "pytorch_lightning": "baselines",
    "torchmetrics": "baselines",
    "transformers": "baselines",
    "sentence_transformers": "baselines",
    "wandb": "baselines",
    "pandas": "leaderboard",
    "scipy": "harness.statistics",
}
GROUND = (
    "harness", "harness.errors", "harness.files", "harness.records", "harness.temporal",
)  # fmt: skip
BASELINES_MAY = (*GROUND, "harness.benchmark", "harness.submission", "harness.replies")
LEADERBOARD_MAY = (*GROUND, "harness.statistics")
# Each may import what stands before it; GROUND stands below all.
STAIRCASE = (
    ("harness.benchmark", "harness.replies"),
    ("harness.submission",),
    ("harness.sources", "harness.validation"),
    ("harness.protocols",),
    ("harness.formats",),
    ("harness.outcomes", "harness.statistics"),
    ("harness.slices",),
    ("harness.metrics",),
    ("harness.scoring",),
    ("harness.comparison.entrants",),
    ("harness.comparison", "harness.items"),
    ("harness.audit",),
)


def modules():
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inside(name, rooms):
    return any(name == room or name.startswith(room + ".") for room in rooms)


def may(importer, imported):
    """Whether the arrow importer -> imported goes down the staircase."""
    if importer.startswith("harness.cli") or imported in GROUND:
        return True
    if inside(importer, ("baselines",)):
        return inside(imported, ("baselines",)) or inside(imported, BASELINES_MAY[1:])
    if inside(importer, ("leaderboard",)):
        return inside(imported, ("leaderboard",)) or inside(imported, LEADERBOARD_MAY[1:])
    return step(imported) is not None and (
        step(importer) > step(imported) or room_of(importer) == room_of(imported)
    )


def step(name):
    return next((n for n, rooms in enumerate(STAIRCASE) if inside(name, rooms)), None)


def room_of(name):
    return ".".join(name.split(".")[:2])


def project_modules():
    return {name for name, _ in modules()}


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_every_import_goes_down_the_staircase(name, path):
    known = project_modules()
    for imported in imports(path):
        if imported in known:
            assert may(name, imported), f"{name} imports {imported}"
        home = HEAVY_HOME.get(imported.split(".")[0])
        assert home is None or inside(name, (home,)), f"{name} imports {imported}"


def test_every_module_of_the_harness_has_its_step():
    harness = [name for name in project_modules() if name.startswith("harness.")]
    assert [name for name in harness if name not in GROUND and step(name) is None
            and not name.startswith(("harness.cli", "harness.schemas"))] == []  # fmt: skip


def test_a_forbidden_arrow_is_seen():
    assert not may("harness.metrics", "baselines.running.runner")
    assert not may("baselines.running.runner", "harness.scoring")
    assert not may("leaderboard.site.builder", "baselines.running.runner")
    assert not may("harness.outcomes", "harness.scoring")
    assert may("harness.scoring", "harness.outcomes")


@pytest.mark.parametrize("command", [["--help"], ["validate", "--help"], ["baseline", "list"]])
def test_light_commands_load_no_heavy_library(command):
    script = (
        "import sys; from harness.cli import main\n"
        f"sys.argv = ['ivcr', *{command!r}]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print([n for n in sys.modules if n in "
        "('torch', 'pandas', 'scipy', 'numpy', 'bm25s', 'av')], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stderr.strip().endswith("[]"), run.stderr
