"""Pairs of runs of different teams that agree in what nobody finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from harness.probes.common_origin import FEWEST, Origins, origins
from harness.probes.ranking_ends import RankingEnds
from harness.probes.runs import Field
from harness.probes.wrong_answers import AnswerKind, WrongMoments, WrongVideos
from harness.statistics import holm

LEVEL = 0.05  # of at least one finding among honest runs, over all pairs and kinds
FEW_TEAMS = 5
KINDS: dict[str, Callable[[Field], AnswerKind]] = {
    "ends": RankingEnds,
    "videos": WrongVideos,
    "moments": WrongMoments,
}


class CopyFinding(Struct, frozen=True):
    """Two runs, by key, that agree in answers of one kind more than half of them explain.

    turns: compared; same: share answered alike; expected: by what other teams answer; kappa: the
    share with a common origin beyond that; p: that it is at most 1/2, Holm over all tests.
    """

    first: str
    second: str
    kind: str
    turns: int
    same: float
    expected: float
    kappa: float
    p: float


class CopyReport(Struct, frozen=True):
    """What `ivcr probe copies` found. `pairs`: of different teams; `tests`: pairs times kinds."""

    schema: int
    split: str
    runs: int
    teams: int
    pairs: int
    tests: int
    level: float
    notes: tuple[str, ...]
    findings: tuple[CopyFinding, ...]


class TestedPairs(NamedTuple):
    """All tested pairs of a kind of answers: numbers of the runs, and p by Holm over all kinds."""

    kind: str
    found: Origins
    one: np.ndarray
    other: np.ndarray
    adjusted: np.ndarray


def tested_pairs(field: Field) -> list[TestedPairs]:
    """All pairs of runs of different teams that have enough turns, by kind of answers."""
    one, other = np.triu_indices(len(field.runs), k=1)
    found = {kind: origins(field, make(field)) for kind, make in KINDS.items()}
    kept = {kind: ~np.isnan(each.ps[one, other]) for kind, each in found.items()}
    ps = [each.ps[one, other][kept[kind]] for kind, each in found.items()]
    adjusted = np.split(holm(np.concatenate(ps)), np.cumsum([len(part) for part in ps])[:-1])
    return [
        TestedPairs(kind, found[kind], one[kept[kind]], other[kept[kind]], by_holm)
        for kind, by_holm in zip(found, adjusted, strict=True)
    ]


def probe_copies(field: Field) -> CopyReport:
    """Test all pairs of runs of different teams, the surest findings first."""
    tested = tested_pairs(field)
    findings = sorted(
        (finding for kind in tested for finding in _findings(field, kind)),
        key=lambda each: (each.p, -each.kappa, each.first, each.second, each.kind),
    )
    teams = [run.team for run in field.runs]
    return CopyReport(
        schema=1,
        split=field.split.name,
        runs=len(field.runs),
        teams=len(set(teams)),
        pairs=sum(a != b for at, a in enumerate(teams) for b in teams[at + 1 :]),
        tests=sum(len(kind.adjusted) for kind in tested),
        level=LEVEL,
        notes=(*field.notes, *_notes(teams)),
        findings=tuple(findings),
    )


def _findings(field: Field, tested: TestedPairs) -> Iterator[CopyFinding]:
    for at in np.flatnonzero(tested.adjusted <= LEVEL).tolist():
        pair = (int(tested.one[at]), int(tested.other[at]))
        yield CopyFinding(
            first=field.runs[pair[0]].key,
            second=field.runs[pair[1]].key,
            kind=tested.kind,
            turns=int(tested.found.turns[pair]),
            same=_digits(tested.found.same[pair]),
            expected=_digits(tested.found.expected[pair]),
            kappa=_digits(tested.found.kappa[pair]),
            p=_digits(tested.adjusted[at]),
        )


def _digits(value: float) -> float:
    return float(f"{value:.6g}")


def _notes(teams: list[str]) -> Iterator[str]:
    count = len(set(teams))
    if len(teams) > count:
        yield "Runs of one team are not tested with each other: seeds and variants agree."
    if count < FEW_TEAMS:
        yield (
            f"{count} teams: what anyone would answer is known from the others' answers, so with "
            f"fewer than {FEW_TEAMS} teams systems of one family may be taken for copies."
        )
    yield f"A pair is tested in answers of a kind where both have them in {FEWEST} turns or more."
