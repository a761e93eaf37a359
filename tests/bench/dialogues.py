"""The pages of a dialogue browser at the size of the official test split.

    python -m tests.bench.dialogues [5000]

Generated dialogues of one to eight turns with six systems that are right more or less often. Prints
seconds, the sizes of all pages of one language together and of the largest, and the pages' number.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from harness.statistics import Design
from leaderboard.results.dialogue_source import (
    BrowsedAnswer,
    BrowsedDialogue,
    BrowsedTurn,
    DialogueSource,
)
from leaderboard.site import dialogue_pages
from leaderboard.site.dialogue_pages import DialogueBrowser
from leaderboard.site.pages import Pages
from leaderboard.site.site_paths import ENDINGS
from tests.leaderboard import generated
from tests.leaderboard.tables.test_ranked_table import entry

SKILLS = (0.25, 0.35, 0.45, 0.55, 0.65, 0.75)
WORDS = ("a man opens", "the red door", "and walks into", "a kitchen where", "two dogs sleep")


def video(draw):
    return f"Source{draw.randrange(5)}/v_{draw.randrange(50_000):08d}.mp4"


def span(draw, length):
    start = draw.uniform(0, length - 6)
    return round(start, 2), round(start + draw.uniform(2, 6), 2)


def answer_of(draw, skill, task, gold, moment, length, wrong):
    """The answer of a system of some skill; wrong answers are often the same as others'."""
    right = draw.random() < skill
    if task == "moment":
        return BrowsedAnswer(right, None, (gold, moment if right else span(draw, length)), None)
    return BrowsedAnswer(right, gold if right else draw.choice(wrong), None, 1 if right else 7)


def turn(draw, number):
    task = draw.choices(("video", "moment", "chat"), (0.6, 0.35, 0.05))[0]
    gold, length = video(draw), draw.uniform(20, 180)
    wrong = [video(draw) for _ in range(4)]
    moment = span(draw, length) if task == "moment" else None
    answers = tuple(answer_of(draw, skill, task, gold, moment, length, wrong) for skill in SKILLS)
    text = " ".join(draw.choices(WORDS, k=draw.randint(3, 8)))
    shown = None if task == "chat" else gold
    return BrowsedTurn(number, task, "en", text, text, shown, moment, length, answers)


def dialogues(size):
    """So many dialogues, the same every time."""
    draw = random.Random(1)
    return [
        BrowsedDialogue(f"d{n:06d}-{draw.randrange(16**8):08x}", draw.choice((1, 2, 3, 4, 5, 7)),
                 tuple(turn(draw, number) for number in range(1, draw.randint(2, 8))))
        for n in range(size)
    ]  # fmt: skip


def source(made):
    rows = np.repeat(np.arange(len(made)), [len(each.turns) for each in made])
    design = Design.of(rows, rows, np.ones(len(rows)))
    names = tuple(each.name for each in made)
    return DialogueSource(rows, rows, rows, lambda: design, names, lambda _: made, lambda _: None)


def main(size):
    made = dialogues(size)
    turns = sum(len(each.turns) for each in made)
    print(
        f"{size:,} dialogues, {turns:,} turns, {len(SKILLS)} systems, load {os.getloadavg()[0]:.1f}"
    )
    entries = [entry(f"team-{n}/run-{n}", **{"R@1": skill}) for n, skill in enumerate(SKILLS)]
    with tempfile.TemporaryDirectory() as folder:
        pages = Pages(generated.bench(Path(folder)), browsing=True)
        content = source(made)
        browser = DialogueBrowser(lambda: content, tuple(entries), lambda e: Path(e.key))
        start, busy = time.perf_counter(), time.process_time()
        sizes = {path: len(data) for path, data in dialogue_pages.files(pages, browser)}
    print(f"written in    {time.perf_counter() - start:6.1f} s"
          f" ({time.process_time() - busy:.1f} s of a core), both languages")  # fmt: skip
    for language, ending in ENDINGS.items():
        other = [each for each in ENDINGS.values() if each != ending and each.endswith(ending)]
        own = [
            count
            for path, count in sizes.items()
            if path.endswith(ending) and not path.endswith(tuple(other))
        ]
        print(f"{language}: {len(own):,} pages, {sum(own) / 2**20:.1f} MiB,"
              f" the largest {max(own) / 2**10:.0f} KiB")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
