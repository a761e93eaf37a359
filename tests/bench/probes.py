"""How often the probes warn of honest runs, and how often of planted ones.

    python -m tests.bench.probes BENCHMARK SUBMISSIONS

BENCHMARK: IVCR-Mini; SUBMISSIONS: the shipped runs. Prints the tables of docs/probes.md (about ten
minutes).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from harness.benchmark import Benchmark
from harness.probes.candidate_places import gold_places
from harness.probes.copies import LEVEL, TestedPairs, probe_copies, tested_pairs
from harness.probes.leaks import Tested, gold_tests, run_tests
from harness.probes.order_tests import Shuffles, order_tests
from harness.probes.orders import OrderSet, strata, video_orders
from harness.probes.runs import Field
from harness.probes.submitted import read_field
from harness.statistics import holm
from tests.bench.honest_runs import SEED, Honest, honest_runs
from tests.bench.planted import COPIES, follower
from tests.bench.simulation import Count, head, row

BOARDS, PLANTED, GOLDS, TEAMS = 200, 40, 200, 10
RELATIONS = ("made apart", "one family", "seeds of one system", "share a trained part")
BASELINES = [
    *(f"bm25 --set context={context}" for context in ("all", "decayed")),
    *(f"random --seed {seed}" for seed in range(1, 6)),
    *("copy_previous", "candidates_as_given", "candidate_vote", "train_prior"),
]
PARTS = re.compile(r"ivcr-harness/(dual-encoder|pipeline|two-tower|hybrid|tan2d)-(\d)")


def own_team(found: Field, family: str) -> list[Honest]:
    """Runs that were read, each of a team of its own."""
    return [
        Honest(run._replace(team=run.key), family, re.sub(r"-\d+", "", run.key))
        for run in found.runs
    ]


def baseline_runs(folder: Path) -> list[Honest]:
    """Runs of the project's own baselines."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        for at, words in enumerate(BASELINES):
            name, *options = words.split()
            out = f"{place}/{name}/{at}"
            where = ["--benchmark", str(folder), "--history", "own", "--out", out]
            script = "from harness.cli import main; main()"
            command = [sys.executable, "-c", script, "baseline", "run", name, *options, *where]
            subprocess.run(command, check=True, capture_output=True)
        for each in own_team(read_field(Path(place), Benchmark(folder)), "floor"):
            name = each.run.team.split("/")[0]
            # The candidates of IVCR-Mini are BM25's.
            text = name == "bm25" or name.startswith("candidate")
            found.append(each._replace(family="text" if text else name))
    return found


def shipped(field: Field) -> list[Honest]:
    """The shipped runs: BM25 and its hybrid search the text, all others are trained on one set."""
    return [
        each._replace(family="text") if each.system.endswith(("/bm25", "/hybrid")) else each
        for each in own_team(field, "trained")
    ]


def relation(one: Honest, other: Honest) -> str:
    """What two runs have in common, by design."""
    parts = [PARTS.match(each.run.key) for each in (one, other)]
    if all(parts) and parts[0][2] == parts[1][2]:
        return "share a trained part"
    if one.family != other.family:
        return "made apart"
    return "seeds of one system" if one.system == other.system else "one family"


def warned(tested: TestedPairs) -> set[tuple[int, int]]:
    """The pairs that are warned of."""
    at = tested.adjusted <= LEVEL
    return set(zip(tested.one[at].tolist(), tested.other[at].tolist(), strict=True))


def all_pairs(field: Field, honest: list[Honest]) -> None:
    """Warnings among all honest runs at once, by what the two have in common."""
    head("answers", "relation", "pairs", "warned of", "kappa: median", "99 %", "greatest")
    for tested in tested_pairs(field):
        found = warned(tested)
        pairs = list(zip(tested.one.tolist(), tested.other.tolist(), strict=True))
        kinds = [relation(honest[a], honest[b]) for a, b in pairs]
        for kind in RELATIONS:
            mine = [pair for pair, other in zip(pairs, kinds, strict=True) if other == kind]
            if mine:
                kappa = [tested.found.kappa[pair] for pair in mine]
                count = Count(sum(pair in found for pair in mine), len(mine))
                spread = (f"{value:.3f}" for value in np.percentile(kappa, [50, 99, 100]))
                row(tested.kind, kind, len(mine), f"{count.held}: {count} %", *spread)


def board(rng: np.random.Generator, honest: list[Honest]) -> list[Honest]:
    """Ten runs of ten families."""
    by_family = {
        family: list(runs)
        for family, runs in groupby(sorted(honest, key=lambda h: h.family), lambda h: h.family)
    }
    names = rng.choice(sorted(by_family), TEAMS, replace=False)
    return [by_family[name][rng.integers(len(by_family[name]))] for name in names]


def boards(field: Field, honest: list[Honest]) -> None:
    """Boards of ten honest runs made apart: how many meet a warning."""
    rng = np.random.default_rng(SEED)
    made = [field.with_runs([each.run for each in board(rng, honest)]) for _ in range(BOARDS)]
    head("boards of ten honest runs made apart", "with a warning, %")
    row("copies", Count(sum(bool(probe_copies(each).findings) for each in made), BOARDS))


def copies(field: Field, honest: list[Honest]) -> None:
    """One copy on a board of ten honest runs: is it found, by which answers, what else is."""
    head("the copy", "found, %", "by ends", "by videos", "by moments", "honest pairs warned of")
    for at, (name, hide) in enumerate(COPIES.items()):
        rng, found, kinds, false = np.random.default_rng([SEED, at]), 0, Counter(), 0
        for _ in range(PLANTED):
            runs = [each.run for each in board(rng, honest)]
            full = [run for run in runs if (run.ranking[:, 9] >= 0).sum() > 300]
            one, other = rng.choice(len(full), 2, replace=False)
            copy = hide(rng, full[one], full[other])._replace(key="copy/run", team="copy")
            report = probe_copies(field.with_runs([copy, *runs]))
            pair = {"copy/run", full[one].key}
            mine = {each.kind for each in report.findings if {each.first, each.second} == pair}
            kinds.update(mine)
            found += bool(mine)
            false += sum("copy/run" not in (each.first, each.second) for each in report.findings)
        row(name, Count(found, PLANTED), *(kinds[k] for k in ("ends", "videos", "moments")), false)


class Tests(NamedTuple):
    """The tests of `ivcr probe leaks` of the gold and of all honest runs."""

    orders: OrderSet
    shuffles: Shuffles
    gold: list[Tested]
    runs: list[Tested]

    @classmethod
    def of(cls, field: Field) -> Tests:
        """Do them."""
        orders, shuffles = video_orders(field), Shuffles.of(field, strata(field))
        gold = list(gold_tests(field, orders, shuffles))
        return cls(orders, shuffles, gold, list(run_tests(field, orders, shuffles, gold)))

    def warned_of(self, tested: list[Tested]) -> set[tuple[str | None, str]]:
        """Runs and tests that are warned of where these are all tests."""
        ps = holm([found.p for _, _, found in tested])
        return {
            (key, found.test) for (key, _, found), p in zip(tested, ps, strict=True) if p <= LEVEL
        }


def leaks(field: Field, tests: Tests) -> None:
    """Tests of honest runs: how many have p below a level, and how many are warned of."""
    order = lambda each: (each[2].test, each[1])  # noqa: E731
    head("test", "order", "runs", "p below 5 %, %", "p below 0.1 %, %")
    for names, group in groupby(sorted(tests.runs, key=order), key=order):
        ps = [each[2].p for each in group]
        counts = (Count(sum(p <= level for p in ps), len(ps)) for level in (0.05, 0.001))
        row(*names, len(ps), *counts)
    runs = {key for key, _ in tests.warned_of(tests.runs)}
    print(f"\nwarned of, all {len(field.runs)} honest runs at once: {len(runs)} {sorted(runs)}")


def followers(field: Field, honest: list[Honest], tests: Tests) -> None:
    """Boards of ten honest runs, and with one more that follows an order: is it found."""
    rng = np.random.default_rng(SEED)
    by_run = {run: list(of) for run, of in groupby(tests.runs, key=lambda each: each[0])}

    def honest_tests() -> tuple[list[Honest], list[Tested]]:
        runs = board(rng, honest)
        return runs, [each for run in runs for each in by_run.get(run.run.key, [])]

    warned = [tests.warned_of(honest_tests()[1]) for _ in range(BOARDS)]
    head("boards of ten honest runs made apart", "with a warning, %", "of")
    named = sorted({str(key) for of in warned for key, _ in of})
    row("leaks", Count(sum(map(bool, warned)), BOARDS), ", ".join(named))
    shares = (0.1, 0.3, 0.6, 0.9)
    head("answers that follow corpus.txt", *(f"{share:.0%} of them: found, %" for share in shares))
    for test in ("neighbours", "direction", "trend", "one position"):
        cells = []
        for share in shares:
            found = 0
            for _ in range(PLANTED // 2):
                runs, tested = honest_tests()
                mine = follower(field, runs[0].run, test, share, rng)._replace(key="planted/run")
                only = field.with_runs([mine])
                tested += run_tests(only, tests.orders, tests.shuffles, tests.gold)
                found += ("planted/run", test) in tests.warned_of(tested)
            cells.append(Count(found, PLANTED // 2))
        row(test, *cells)


def golds(field: Field) -> Iterator[Field]:
    """The same benchmark with arbitrary gold: videos of a source change names, and places."""
    rng = np.random.default_rng(SEED)
    for shuffle in Shuffles.of(field, strata(field), GOLDS).videos:
        target = field.target.copy()
        target[:, 0] = np.where(target[:, 0] >= 0, shuffle[target[:, 0]], -1)
        place: dict[tuple[str, str | None], int] = {}
        gold = []
        for turn, answer in zip(field.split.turns, field.gold, strict=True):
            listed = field.split.candidates.get(turn.key, ())
            at = place.setdefault((turn.dialogue_id, answer.video_id), int(rng.integers(10)))
            video = listed[at % len(listed)] if listed and answer.video_id else answer.video_id
            gold.append(msgspec.structs.replace(answer, video_id=video))
        yield field._replace(target=target, gold=tuple(gold))


def arbitrary_gold(field: Field, tests: Tests) -> None:
    """Tests of gold that follows nothing."""
    orders, shuffles = tests.orders.orders, tests.shuffles
    ps: dict[str, list[float]] = {}
    for each in golds(field):
        answers = np.where(field.frame.is_video, each.target[:, 0], -1)
        for found in order_tests(each, answers, orders[0], shuffles):
            ps.setdefault(found.test, []).append(found.p)
        for name, found in gold_places(each, orders[:1]):
            ps.setdefault(f"{found.test}, {name}", []).append(found.p)
    head("test of an arbitrary gold", "golds", "p below 5 %, %", "p below 0.1 %, %")
    for test, found in ps.items():
        counts = (Count(sum(p <= level for p in found), len(found)) for level in (0.05, 0.001))
        row(test, len(found), *counts)


def main(folder: Path, submissions: Path) -> None:
    """Print the tables."""
    field = read_field(submissions, Benchmark(folder))
    honest = [*honest_runs(field), *shipped(field), *baseline_runs(folder)]
    everybody = field.with_runs([each.run for each in honest])
    first = everybody.target[:, 0]
    right = [float(np.mean((h.run.ranking[:, 0] == first)[field.frame.is_video])) for h in honest]
    print(f"{len(honest)} honest runs, {len({h.family for h in honest})} families,", end=" ")
    print("R@1", *(f"{value:.3f}" for value in np.percentile(right, [0, 25, 50, 75, 100])))
    all_pairs(everybody, honest)
    boards(field, honest)
    copies(field, honest)
    tests = Tests.of(everybody)
    leaks(everybody, tests)
    arbitrary_gold(field, tests)
    followers(field, honest, tests)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
