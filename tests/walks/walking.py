"""Walks through the pages of docs/ by the commands that stand there, read out of the pages.

    python tests/walks/walking.py DOCS PROJECT

carries them out one after the other in the current folder, which is empty, with whatever `ivcr` is
in the PATH: `.ci/packages` has one there that was installed from the wheel alone. DOCS is the
folder of the pages, PROJECT the address of the project's repository. Nothing of the project is
imported here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

# What makes the environment: a wheel is installed already.
INSTALLING = ("python3 -m venv ", ".venv/bin/pip install ", "source .venv/bin/activate")
BLOCK = re.compile(
    r"^```(?P<kind>\w+)\n(?P<fenced>.*?)^```$|(?P<indented>(?:^    [^\n]*\n(?:\n(?=    ))*)+)",
    re.MULTILINE | re.DOTALL,
)


class Walk(NamedTuple):
    """A walk: who goes it, the page and its part, and what it must have printed or made.

    `first`, `last`: words with which the part begins and before which it ends.
    """

    who: str
    page: str
    first: str
    last: str
    printed: tuple[str, ...]
    made: tuple[str, ...]


WALKS = (
    Walk(
        "a participant",
        "participating.md",
        "## A first submission\n",
        "## What a system may read\n",
        ("valid; next: ivcr score bm25", "valid; next: ivcr score my-run", '"errors": 0', "R@1"),
        ("mini/benchmark.json", "my-run/scores.json", "bm25/scores.json"),
    ),
    Walk(
        "an organizer",
        "organizing.md",
        "## From nothing to a published board\n",
        "## An ordinary day\n",
        (
            "house/bm25: scored",
            "my-lab/first: scored",
            "2 runs,",
            "0 refused",
            "files are as they were frozen",
        ),
        (
            "site/index.zh.html",
            "site/dialogues/search.html",
            "site/frozen/development/manifest.json",
            "submissions/ledger.jsonl",
            "submissions.receipts/my-lab/first.json",
        ),
    ),
    Walk(
        "a reproducer",
        "reproducing.md",
        "**With a wheel alone**",
        "A trained row needs",
        ("exact: the predictions of all",),
        ("rows/submissions/ivcr-harness/bm25/card.toml",),
    ),
)


class Step(NamedTuple):
    """A block of a page that is carried out: by `bash` or by `python`."""

    by: str
    text: str


def steps(page: str, walk: Walk) -> list[Step]:
    """The blocks of a walk in their order, without the lines that make an environment."""
    part = page[page.index(walk.first) :]
    part = part[: part.index(walk.last)]
    found = []
    for block in BLOCK.finditer(part):
        if block["kind"] == "python":
            found.append(Step("python", block["fenced"]))
        elif block["indented"]:
            lines = re.sub(r"^    ", "", block["indented"], flags=re.MULTILINE).splitlines()
            kept = [line for line in lines if not line.startswith(INSTALLING)]
            if kept:
                found.append(Step("bash", "\n".join(kept) + "\n"))
    return found


def carry_out(step: Step, project: str) -> str:
    """Run a step; returns what it printed. Ends the program if it fails."""
    words = (
        ["bash", "-euo", "pipefail", "-c"] if step.by == "bash" else [sys.executable, "-I", "-c"]
    )
    done = subprocess.run(
        [*words, step.text],
        env=os.environ | {"PROJECT": project},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{step.text}ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def go(walk: Walk, docs: Path, project: str) -> None:
    """Go a walk in the current folder. Ends the program where a step or the end is not as said."""
    start, printed = time.monotonic(), ""
    of_page = steps((docs / walk.page).read_text("utf-8"), walk)
    for step in of_page:
        printed += carry_out(step, project)
    if lacking := [words for words in walk.printed if words not in printed]:
        sys.exit(f"{walk.who}: expected {lacking} in\n{printed}")
    if absent := [path for path in walk.made if not Path(path).is_file()]:
        sys.exit(f"{walk.who}: expected the files {absent}, found none")
    seconds = time.monotonic() - start
    print(
        f"from the wheel: {walk.who} went docs/{walk.page}, {len(of_page)} steps, {seconds:.0f} s"
    )


if __name__ == "__main__":
    for each in WALKS:
        go(each, Path(sys.argv[1]), sys.argv[2])
