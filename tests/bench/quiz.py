"""A quiz on the tree: twenty lines of code or facts, to be placed by the names of files alone.

    python -m tests.bench.quiz            the tree's names, and twenty lines without their files
    python -m tests.bench.quiz --answers  the same lines with their files

A reader who has not seen the tree says for each line in which file it stands. What is missed often
has the wrong name or room. `--seed` draws other lines.
"""

import argparse
import ast
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("harness", "baselines", "leaderboard")
LINES = 20


def sources():
    """Module files by their path from the root, packages' own files left out."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__init__.py"
    }


def candidates(text):
    """First sentences of public functions and classes: what the file is there for."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            sentence = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
            if len(sentence) > 20:
                yield sentence


def drawn(seed):
    """Twenty pairs (line, file), each of another file."""
    files = [(name, found) for name, text in sources().items() if (found := [*candidates(text)])]
    draw = random.Random(seed)
    return [(draw.choice(found), name) for name, found in draw.sample(files, LINES)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--answers", action="store_true")
    chosen = parser.parse_args()
    if not chosen.answers:
        print("\n".join(sources()), end="\n\n")
    for number, (line, name) in enumerate(drawn(chosen.seed), start=1):
        print(f"{number:2}. {line}" + (f"\n    {name}" if chosen.answers else ""))


if __name__ == "__main__":
    main()
