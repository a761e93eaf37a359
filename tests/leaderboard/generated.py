"""Plausible scores.json files: systems of some skill, with every metric and slice of the design."""

import hashlib
import json
import math
import random
from typing import ClassVar

import numpy as np

from harness.records import Card
from harness.statistics import Design
from harness.submission import toml_card
from leaderboard.results.computed import RunResult
from leaderboard.results.description import Bench, MetricInfo

CHANCE = {"R@1": 0.01, "R@5": 0.05, "R@10": 0.1, "R@100": 0.6, "C-R@1": 0.1}
SLICES = {
    "all": (1057, 333),
    **{f"turn={n}": (round(333 * 0.78 ** (n - 1)),) * 2 for n in range(1, 9)},
    **{f"cohort4:turn={n}": (120, 120) for n in range(1, 5)},
    **{f"type={code}": (170, 55) for code in (1, 2, 3, 4, 5, 7)},
    "language=en": (640, 200), "language=zh": (417, 133),
    "source=mini": (1057, 333), "target=new": (700, 330), "target=repeated": (301, 120),
    **{f"length={n}": (130, 45) for n in range(1, 9)},
    "tag=pixel": (240, 130), "tag=order": (80, 60), "tag=time": (80, 60), "tag=place": (80, 60),
}  # fmt: skip
RANKING = ("R@1", "C-R@1", "R@1,IoU>=0.5", "success", "cumHit@10")
FLOORS = ("random", "copy_previous", "whole_video", "train_prior")
CANDIDATE_FLOORS = ("candidates_as_given", "candidate_vote")


def metric_info(name, unit="share", low=0.0, high=1.0, better="higher", over="video turns"):
    scope = {"dialogues": "dialogue", "segments": "segment"}.get(over, "turn")
    formula = f"formula of {name}"
    return MetricInfo(name, formula, unit, low, high, better, low, over, "a paper", scope)


def _metrics():
    for name in ("R@1", "R@5", "R@10", "R@100", "MRR", "nDCG@10"):
        yield metric_info(name)
    yield metric_info("MedR", "rank", 1, 100, "lower")
    for name in ("C-R@1", "C-R@1|in", "ahead_of_foil"):
        yield metric_info(name)
    for first in (1, 5):
        for tenths in (3, 5, 7):
            yield metric_info(f"R@{first},IoU>=0.{tenths}", over="moment turns")
    yield metric_info("mIoU", over="moment turns")
    for name in ("BLEU-4", "chrF"):
        yield metric_info(name, "points", 0, 100, over="turns with a reference answer")
    for name in ("success", "turns_right", *(f"S@{t}" for t in range(1, 11))):
        yield metric_info(name, over="dialogues")
    yield metric_info("RMST@7", "turns", 0, 7, over="dialogues")
    for name in ("P(right|right)", "P(right|wrong)", "recovery", "cumHit@10", "nsDCG"):
        yield metric_info(name, over="dialogues")
    yield metric_info("BRI@100", "nats", 0, math.log(101), "lower", "segments")


METRICS = {metric.name: metric for metric in _metrics()}


def bench(folder, labels="public"):
    return Bench(
        name="IVCR-Mini", version="1", labels=labels, fingerprint="1f3a9c" * 10 + "abcd",
        gold_sha256="0d" * 32, split="test",
        type_names={"1": "Long2Short", "2": "Short2Long", "3": "Analogous", "4": "Refinement",
                    "5": "Mixed", "7": "Concatenation"},
        counts={"turns": 1057, "dialogues": 333, "video": 635, "moment": 366, "chat": 56},
        floors=folder / "floors",
    )  # fmt: skip


def level(name, skill, depth):
    """A plausible value: `skill` in [0, 1] moves a share from chance towards certainty."""
    if name == "MedR":
        return None if skill < 0.1 else float(round(1 + 60 * (1 - skill) ** 2))
    if name == "BRI@100":
        return 4.6 * (1 - skill)
    if name == "RMST@7":
        return 7 * skill**1.5
    if name.startswith("S@"):
        return skill ** (1 + 0.6 * int(name[2:]))
    if name in ("BLEU-4", "chrF"):
        return 100 * skill * (0.3 if name == "BLEU-4" else 0.6)
    easier = {"R@5": 0.6, "R@10": 0.5, "R@100": 0.25, "success": 2.2, "mIoU": 0.9}
    chance = CHANCE.get(name, 0.0)
    return chance + (1 - chance) * max(skill - 0.02 * depth, 0.0) ** easier.get(name, 1.0)


def cell(name, skill, size, depth, draw):
    """A figure with an interval of about the right width."""
    turns, dialogues = size
    metric = METRICS[name]
    value = level(name, min(max(skill + draw.gauss(0, 0.01), 0.0), 1.0), depth)
    if value is None:
        return {"value": None, "why": "past 100", "turns": turns, "dialogues": dialogues}
    share = min(max((value - metric.low) / (metric.high - metric.low), 0.0), 1.0)
    half = 2.3 * math.sqrt(max(share * (1 - share), 0.002) / turns) * (metric.high - metric.low)
    bounds = (max(metric.low, value - half), min(metric.high, value + half))
    low, high = (float(f"{bound:.10g}") for bound in bounds)
    return {"value": float(f"{value:.10g}"), "low": low, "high": high, "turns": turns,
            "dialogues": dialogues}  # fmt: skip


def gives(name, tasks):
    task = "response" if name in ("BLEU-4", "chrF") else METRICS[name].over.split()[0]
    return task in tasks or (task in ("dialogues", "segments") and "video" in tasks)


def depth(part):
    return int(part.removeprefix("turn=")) - 1 if part.startswith("turn=") else 0


def figures(skill, tasks, draw):
    return {
        part: {
            name: cell(name, skill, size, depth(part), draw)
            if gives(name, tasks) and not (part == "all" and name in ("BLEU-4", "chrF"))
            else {"value": None, "why": "no line of the submission gives one"}
            for name in METRICS
        }
        for part, size in SLICES.items()
    }  # fmt: skip


def scores(of, card, sha256, metrics):
    return {
        "schema": 1,
        "signature": f"ivcr|v:0.1.0|bench:{of.name}-{of.version}@{of.fingerprint[:6]}"
        f"|split:{of.split}|hist:{card.history}|cand:{card.candidates}"
        "|unit:dialogue|draws:10000|seed:20251201|numpy:2.4",
        "protocol": "ivcr",
        "benchmark": {"name": of.name, "version": of.version, "fingerprint": of.fingerprint,
                      "gold_sha256": of.gold_sha256, "split": of.split},
        "submission": {"team": card.team, "system": card.system, "history": card.history,
                       "candidates": card.candidates, "sha256": sha256},
        "metrics": metrics,
    }  # fmt: skip


def sha256(folder, partial=False):
    """Over card and predictions, as for a real submission."""
    data = (folder / "card.toml").read_bytes() + (folder / "predictions.jsonl").read_bytes()
    return hashlib.sha256(data).hexdigest()


class TypedResults:
    """Stands in for what a build computes: takes the figures that were generated as scores.json.

    `computed`: the folders that it was asked to compute.
    """

    places: ClassVar = {}  # by key, of all builds: as the results folder is

    def __init__(self):
        self.computed = []

    def compute(self, folders):
        self.computed += folders
        keys = {}
        for folder in folders:
            files = [folder / name for name in ("card.toml", "scores.json")]
            data = b"".join(path.read_bytes() for path in files) + bytes(folder)
            keys[folder] = hashlib.sha256(data).hexdigest()
            self.places[keys[folder]] = folder
        return keys

    def read(self, key):
        return RunResult(key, (self.places[key] / "scores.json").read_bytes(), 0)

    def holds(self, key):
        return key in self.places

    def place(self, key):
        return self.places[key]


def outcomes_of(entry):
    """Where the outcomes of a generated run lie."""
    return TypedResults.places[entry.result]


def put(folder, of, card, metrics):
    """Write one scored submission; returns its folder."""
    folder.mkdir(parents=True)
    (folder / "card.toml").write_text(toml_card(card), "utf-8")
    (folder / "predictions.jsonl").write_bytes(b"{}\n")
    document = scores(of, card, sha256(folder), metrics)
    (folder / "scores.json").write_text(json.dumps(document), "utf-8")
    return folder


def outcomes(folder, columns, **changed):
    """Write scores.outcomes.npz: `columns` are {metric: (values, weights)}."""
    document = json.loads((folder / "scores.json").read_text())
    arrays = {
        "metrics": np.array(list(columns)),
        "table": np.concatenate([np.array(pair, float) for pair in columns.values()]),
        "start": 2 * np.arange(len(columns)),
        "rows": np.full(len(columns), 2),
        **{name: np.array(document["benchmark"][name])
           for name in ("fingerprint", "gold_sha256", "split")},
        "sha256": np.array(document["submission"]["sha256"]),
    }  # fmt: skip
    np.savez_compressed(folder / "scores.outcomes.npz", **{**arrays, **changed})


def turn_by_turn(root, of, draw):
    """Outcomes of every run on the board, and the design of its split."""
    turns, dialogues = of.counts["turns"], of.counts["dialogues"]
    unit = np.sort(np.r_[np.arange(dialogues), draw.integers(0, dialogues, turns - dialogues)])
    for file in sorted(root.glob("*/*/scores.json")):
        cells = json.loads(file.read_text())["metrics"]["all"]
        columns = {}
        for name in RANKING:
            if (figure := cells[name]["value"]) is not None:
                right = draw.random(turns) < figure
                columns[name] = (right * figure * turns / max(right.sum(), 1), np.ones(turns))
        outcomes(file.parent, columns)
    return Design.of(unit, draw.integers(0, 400, turns), np.ones(turns))


def board(root, systems=8, seed=1, floors_of=("none", "own", "reference")):
    """A submissions folder of so many systems, and floors; returns it and the bench."""
    draw = random.Random(seed)
    of, submissions = bench(root / "benchmark"), root / "submissions"
    submissions.mkdir(parents=True)
    for n in range(systems):
        skill = draw.uniform(0.1, 0.8)
        tasks = draw.choice((("video",), ("video", "moment"), ("video", "moment", "response")))
        for history in ("none", "own", "reference")[: 1 + n % 3]:
            card = Card(
                1, f"Team {n // 3 + 1}", f"System {n + 1}", history, ("unused", "used")[n % 4 == 3],
                description="A generated row.", training_data=("IVCR-Mini train",),
                languages=("en", "zh"), parameters=7_000_000 * (n + 1), seed=n, date="2025-11-30",
                code="https://example.org/code", cost={"GPU hours": 2 + n},
            )  # fmt: skip
            put(submissions / f"team-{n // 3 + 1}" / f"run-{n + 1}-{history}", of, card,
                figures(skill, tasks, draw))  # fmt: skip
    floors(of, draw, floors_of)
    return submissions, of


def seeds(submissions, of, number=3):
    """Runs of one system that differ in their seed alone."""
    draw = random.Random(9)
    for seed in range(1, number + 1):
        card = Card(1, "Team of seeds", "Seeded", "none", "unused", seed=seed,
                    parameters="120M", cost={"time per turn (s)": 0.4})  # fmt: skip
        put(submissions / "team-of-seeds" / f"seed-{seed}", of, card,
            figures(0.45 + seed / 50, ("video",), draw))  # fmt: skip


def floors(of, draw, histories):
    for history in histories:
        for candidates, names in (("unused", FLOORS), ("used", CANDIDATE_FLOORS)):
            for place, name in enumerate(names):
                card = Card(1, "IVCR harness", name, history, candidates)
                tasks = ("moment",) if name in ("whole_video", "train_prior") else ("video",)
                skill = 0.02 + 0.07 * place * (history != "none")
                put(of.floors / name / history, of, card, figures(skill, tasks, draw))
