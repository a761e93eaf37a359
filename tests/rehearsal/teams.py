"""Thirty teams and what they hand in: answers as right as their skill, spoilt as they like."""

import json
import random
import shutil

from harness.files import zstd
from harness.records import Card, Moment, Prediction
from harness.submission import write

HONEST = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove",
    "heron", "iris", "jade", "koala", "lotus", "maple", "north",
)  # fmt: skip
CARELESS = ("greedy", "newer", "noterms", "omits", "splits", "twice")
HOSTILE = ("bomber", "copycat", "forger", "impostor", "linker", "lookalike", "vandal")
OTHERS = ("leaver", "q7x", "tardy")
TEAMS = (*HONEST, *CARELESS, *HOSTILE, *OTHERS)
ALIAS, REAL_NAME = "Team Quiet", "Zanzibar Institute of Film"
BOMB = 1 << 30  # bytes that some 30 kB of predictions unpack to


def answers(benchmark, split, skill, seed):
    """One prediction a turn; the right answer first in about `skill` of them."""
    rng, found = random.Random(seed), []
    videos = benchmark.split(split).corpus
    for turn, gold in zip(benchmark.split(split).turns, benchmark.gold(split), strict=True):
        ranking, moments, response = None, None, None
        if turn.task == "video":
            others = rng.sample([video for video in videos if video != gold.video_id], 12)
            place = 0 if rng.random() < skill else rng.randrange(1, 13)
            ranking = (*others[:place], gold.video_id, *others[place:])
        elif turn.task == "moment":
            span = gold.moment if rng.random() < skill else Moment(gold.video_id, 0, 1000)
            moments = (Moment(gold.video_id, span.start, span.end),)
        else:
            response = "yes"
        found.append(Prediction(turn.dialogue_id, turn.turn, ranking, moments, None, response))
    return found


class Submitters:
    """All teams, and the submissions folder that they write into."""

    def __init__(self, submissions, benchmark, terms):
        self.submissions, self._benchmark, self.terms = submissions, benchmark, terms

    def join(self, team, name=None, **table):
        """Write team.toml; the terms are accepted unless `terms` says otherwise."""
        given = {"name": name or team.title(), "terms": self.terms, **table}
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in given.items() if value]
        (self.submissions / team).mkdir(exist_ok=True)
        (self.submissions / team / "team.toml").write_text("".join(lines), "utf-8")

    def put(self, key, split="val", seed=0, *, skill=None, team=None, at=None):
        """Write a run of a team; returns its folder. `at`: below another folder."""
        name = key.partition("/")[0]
        skill = 0.2 + 0.02 * TEAMS.index(name) if skill is None else skill
        folder = (at or self.submissions) / key
        shutil.rmtree(folder, ignore_errors=True)
        card = Card(1, team or name, f"System of {name}", "own", "unused", seed=seed)
        given = answers(self._benchmark, split, skill, f"{key} {split} {seed}")
        write(folder, card, given)
        return folder


def without_its_second_line(folder):
    """Leave a turn out."""
    path = folder / "predictions.jsonl.zst"
    lines = zstd.decompress(path.read_bytes()).splitlines(True)
    path.write_bytes(zstd.compress(b"".join(lines[:1] + lines[2:])))


def bomb(folder):
    """Predictions of a few kB that unpack to gigabytes."""
    packer = zstd.ZstdCompressor()
    block = bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(BOMB >> 20)]
    (folder / "predictions.jsonl.zst").write_bytes(b"".join([*parts, packer.flush()]))


def forge(folder, value=0.9):
    """A scores.json beside a run, with the figures of the forged file of issue 15."""
    path = folder / "scores.json"
    document = json.loads(path.read_text())
    figures = {"R@1": value, "R@10": value, "R@100": 0.363}
    for name, figure in figures.items():
        document["metrics"]["all"][name] |= {"value": figure, "low": figure, "high": figure}
    path.write_text(json.dumps(document))
