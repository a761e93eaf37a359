"""The rooms and the staircase: sizes of rooms, who may import whom, what light commands load.

Every check takes the root of a tree and returns what breaks it, a line each, so that the same code
judges the project and the violations that are planted below.
"""

import ast
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("harness", "baselines", "leaderboard")
AT_A_ROOT, IN_A_ROOM, OF_ONE_NAME = 8, 14, 2
# A heavy library and the only packages that may import it.
HEAVY_HOME = {
    "torch": "baselines",
    "lightning": "baselines",
    "pytorch_lightning": "baselines",
    "torchmetrics": "baselines",
    "transformers": "baselines",
    "sentence_transformers": "baselines",
    "wandb": "baselines",
    "pandas": ("leaderboard", "harness.api"),
    "scipy": "harness.statistics",
    "openai": "harness.chat",
    "httpx2": "harness.chat",
    "fastapi": "harness.exam",
    "starlette": "harness.exam",
    "uvicorn": "harness.exam",
    "sqlalchemy": "harness.exam",
}
# What `import harness as ivcr` offers; nobody else may import the front itself.
FRONT = {"harness": ("harness.api",)}
# Everyone may import the ground.
GROUND = (
    "harness.version", "harness.declarations", "harness.errors", "harness.files", "harness.records",
    "harness.replacement", "harness.replacement.parts", "harness.replacement.exchange",
    "harness.replacement.folders", "harness.temporal", "harness.schemas",
    "harness.schemas.documents", "harness.untrusted",
    "harness.checkout", "harness.checkout.repository", "harness.untrusted.array_archive",
    "harness.untrusted.bounded_text", "harness.untrusted.plain_file", "harness.untrusted.unpacking",
    "harness.workers", "harness.workers.pool", "harness.workers.spawning",
)  # fmt: skip
# Each may import what stands on a step before its own, and nothing of its neighbours on its step.
STAIRCASES = {
    "harness": (
        ("harness.benchmark", "harness.replies", "harness.chat", "harness.publication",
         "harness.doctor"),
        ("harness.submission", "harness.teams"),
        ("harness.sources", "harness.validation"),
        ("harness.pull_requests",),
        ("harness.protocols",),
        ("harness.formats",),
        ("harness.outcomes", "harness.statistics"),
        ("harness.slices",),
        ("harness.metrics",),
        ("harness.scoring",),
        ("harness.comparison", "harness.results", "harness.attestation"),
        ("harness.items",),
        ("harness.audit", "harness.probes"),
        ("harness.public_copy",),
        ("harness.challenge", "harness.croissant"),
        ("harness.exam",),
        ("harness.api",),
        ("harness.cli",),
    ),
    "baselines": (
        ("baselines.base", "baselines.progress_notes"),
        ("baselines.settings", "baselines.provenance"),
        ("baselines.registry", "baselines.dialogue_context", "baselines.tokenization",
         "baselines.video"),
        ("baselines.ranking", "baselines.encoders", "baselines.networks"),
        ("baselines.running",),
        ("baselines.training",),
        ("baselines.features", "baselines.packaged"),
        ("baselines.retrieval_training", "baselines.event_models", "baselines.reproduction"),
        ("baselines.localisation",),
        ("baselines.vlm",),
        ("baselines.interllava",),
        ("baselines.floors", "baselines.retrievers", "baselines.localisers",
         "baselines.assistants"),
    ),
    "leaderboard": (
        ("leaderboard.results",),
        ("leaderboard.board",),
        ("leaderboard.tables", "leaderboard.changes"),
        ("leaderboard.site",),
    ),
}  # fmt: skip
# What a package, or a room of it, may import of another package beside the ground.
ABROAD = {
    "harness.api": ("harness", "baselines", "leaderboard"),
    "harness.cli": ("harness", "baselines", "leaderboard"),
    "baselines": ("harness.benchmark", "harness.submission", "harness.replies", "harness.chat"),
    "leaderboard.results": (
        "harness.benchmark", "harness.submission", "harness.validation", "harness.outcomes",
        "harness.statistics", "harness.slices", "harness.metrics", "harness.scoring",
        "harness.comparison", "harness.results",
    ),
    "leaderboard.board": ("harness.challenge", "harness.publication", "harness.teams"),
    "leaderboard": ("harness.statistics", "harness.publication", "harness.teams"),
}  # fmt: skip


def modules(root):
    """Module names and their files, the tree's own."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path):
    """All that a file imports, wherever in it and whatever for; nothing is relative."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph(root):
    """By module, the project's modules that it imports."""
    known = dict(modules(root))
    return {
        name: {other for other in imports(path) if other in known and other != name}
        for name, path in known.items()
    }


def inside(name, rooms):
    return any(name == room or name.startswith(room + ".") for room in rooms)


def crowded(root):
    """Roots and rooms that hold more modules than a reader takes in."""
    for package in PACKAGES:
        for folder in (root / package, *(root / package).rglob("*")):
            if folder.is_dir():
                most = AT_A_ROOT if folder.parent == root else IN_A_ROOM
                found = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
                if len(found) > most:
                    yield f"{folder.relative_to(root)} holds {len(found)} modules; most: {most}"


def overused_names(root):
    """File names that stand in more rooms than two."""
    homes = defaultdict(list)
    for name, path in modules(root):
        if path.name != "__init__.py":
            homes[path.name].append(name)
    for file, found in homes.items():
        if len(found) > OF_ONE_NAME:
            yield f"{file} stands {len(found)} times: {', '.join(found)}"


def circles(root):
    """A circle of imports, if there is one."""
    arrows = graph(root)
    # A package's __init__ is loaded with each of its modules: what it imports from its own package
    # is an arrow like any other, so an inner module may not import the package.
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        yield " -> ".join(reversed(error.args[1]))


def step(name):
    """The staircase that a module stands on, and its step; None for the ground."""
    for package, steps in STAIRCASES.items():
        for number, rooms in enumerate(steps):
            for room in rooms:
                if inside(name, (room,)):
                    return package, number, room
    return None


def may(importer, imported):
    """Whether the arrow importer -> imported goes down the staircase."""
    if imported in GROUND:
        return True
    if importer in FRONT:
        return inside(imported, FRONT[importer])
    here, there = step(importer), step(imported)
    if there is None:
        return imported in PACKAGES and imported not in FRONT  # a package's own docstring
    if here is None:
        return False
    if here[0] == there[0]:
        return here[1] > there[1] or here[2] == there[2]
    allowed = next((ABROAD[room] for room in (here[2], here[0]) if room in ABROAD), ())
    return inside(imported, allowed)


def forbidden(root):
    """Arrows that do not go down the staircase, and heavy libraries away from home."""
    arrows = graph(root)
    for name, path in modules(root):
        yield from (f"{name} imports {other}" for other in arrows[name] if not may(name, other))
        for other in set(imports(path)):
            home = HEAVY_HOME.get(other.split(".")[0])
            if home is not None and not inside(name, (home,) if isinstance(home, str) else home):
                yield f"{name} imports {other}"


def homeless(root):
    """Modules that stand neither on the ground nor on a step."""
    for name, path in modules(root):
        if name not in (*GROUND, *PACKAGES) and step(name) is None and path.stat().st_size:
            yield f"{name} has no step"


CHECKS = (crowded, overused_names, circles, forbidden, homeless)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_house_is_in_order(check):
    assert list(check(REPOSITORY)) == []


def tree(root, files):
    """A small tree with the project's packages and these files."""
    for package in PACKAGES:
        (root / package).mkdir()
        (root / package / "__init__.py").write_text("")
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


TYPE_ONLY = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
IN_A_BODY = "def late():\n    "
PLANTED = [
    (crowded, {f"leaderboard/page{n}.py": "" for n in range(AT_A_ROOT + 1)}),
    (crowded, {f"harness/metrics/metric{n}.py": "" for n in range(IN_A_ROOM + 1)}),
    (overused_names, {f"harness/{room}/text.py": "" for room in ("items", "replies", "metrics")}),
    (circles, {"baselines/video/a.py": "import baselines.video.b",
               "baselines/video/b.py": "import baselines.video.a"}),
    (circles, {"harness/scoring/a.py": "from harness.scoring import b",
               "harness/scoring/b.py": TYPE_ONLY + "from harness.scoring.a import A"}),
    (circles, {"harness/scoring/a.py": "from harness.scoring import b",
               "harness/scoring/b.py": IN_A_BODY + "import harness.scoring.a"}),
    (circles, {"harness/items/__init__.py": "from harness.items.a import A",
               "harness/items/a.py": "import harness.items"}),
    (forbidden, {"harness/metrics/a.py": "import baselines.running",
                 "baselines/running/__init__.py": ""}),
    (forbidden, {"baselines/running/a.py": "from harness.scoring import score",
                 "harness/scoring/__init__.py": ""}),
    (forbidden, {"baselines/video/a.py": "import baselines.training.fit",
                 "baselines/training/fit.py": ""}),
    (forbidden, {"baselines/vlm/a.py": "from baselines.localisers.pipeline import is_sought",
                 "baselines/localisers/pipeline.py": ""}),
    (forbidden, {"leaderboard/board/a.py": "import leaderboard.site.pages",
                 "leaderboard/site/pages.py": ""}),
    (forbidden, {"leaderboard/tables/a.py": "import harness.scoring",
                 "harness/scoring/__init__.py": ""}),
    (forbidden, {"harness/sources/a.py": "import harness.validation.rules",
                 "harness/validation/rules/__init__.py": ""}),
    (forbidden, {"harness/metrics/a.py": "import torch"}),
    (forbidden, {"leaderboard/tables/a.py": IN_A_BODY + "import scipy.stats"}),
    (forbidden, {"harness/metrics/a.py": "import harness.api", "harness/api/__init__.py": ""}),
    (forbidden, {"harness/metrics/a.py": "from harness import score"}),
    (forbidden, {"harness/scoring/a.py": IN_A_BODY + "import pandas"}),
    (circles, {"harness/__init__.py": TYPE_ONLY + "from harness.api import score",
               "harness/api/__init__.py": "import harness.scoring.a",
               "harness/scoring/a.py": "from harness import score"}),
    (homeless, {"harness/novelties/a.py": "1"}),
]  # fmt: skip


@pytest.mark.parametrize(("check", "files"), PLANTED)
def test_a_planted_violation_is_seen(check, files, tmp_path):
    assert list(check(tree(tmp_path, files))) != []


def test_what_goes_down_the_staircase_is_allowed(tmp_path):
    files = {
        "harness/records.py": "",
        "harness/outcomes/columns.py": "import harness.records",
        "harness/scoring/document.py": "from harness.outcomes import columns",
        "leaderboard/results/figures.py": "import harness.scoring.document",
        "leaderboard/board/entries.py": "import leaderboard.results.figures",
        "baselines/base.py": "import harness.records",
        "baselines/retrievers/bm25.py": "import baselines.base",
        "harness/__init__.py": TYPE_ONLY + "from harness.api import score",
        "harness/api/__init__.py": "import baselines.base",
        "harness/cli/run.py": "import baselines.base, leaderboard.board.entries, harness.api",
    }
    root = tree(tmp_path, files)
    assert [line for check in CHECKS for line in check(root)] == []


@pytest.mark.parametrize("command", [
    ["--help"], ["validate", "--help"], ["baseline", "list"], ["submission", "convert", "--help"],
    ["data", "import", "--help"], ["features", "--help"], ["features", "build", "--help"],
])  # fmt: skip
def test_light_commands_load_no_heavy_library(command):
    script = (
        "import sys; from harness.cli import main\n"
        f"sys.argv = ['ivcr', *{command!r}]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print([n for n in sys.modules if n in "
        "('torch', 'pandas', 'scipy', 'jsonschema', 'numpy', 'bm25s', 'av', 'openai', 'httpx2')], "
        "file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stderr.strip().endswith("[]"), run.stderr
