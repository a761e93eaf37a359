"""The share of two runs' answers that has a common origin, and how sure that is.

Two runs are compared on turns in which both have an answer of a kind (`wrong_answers`). Part of
what they have in common is what anyone would answer: how probable that is says the share of the
other teams' runs that give the answer too, each team counting once, neither of the two teams
counting, with one further vote spread over all videos and one for the foil. With s = 1 where the
two agree and e that probability, kappa = sum(s - e) / sum(1 - e) is the share of answers that have
a common origin beyond it (Cohen, Educ. Psychol. Meas. 20(1), 1960, with e by turn).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness.outcomes import Bools, Floats, Ints
from harness.probes.runs import Field
from harness.probes.wrong_answers import Agreement, AnswerKind
from harness.statistics import excess_ps

BOUND = 0.5  # of kappa: what is tested is "at most half of the answers have a common origin"
FEWEST = 30  # turns that a pair needs
PRIOR = 1.0  # votes that are spread over all answers, so that none is impossible


class Origins(NamedTuple):
    """All pairs of a field's runs, (runs, runs) each, NaN where a pair is not tested.

    turns: how many are compared; same: answered alike; expected: by what others answer, given the
    first run's answers; kappa; ps: of "kappa is at most 1/2", one-sided.
    """

    turns: Floats
    same: Floats
    expected: Floats
    kappa: Floats
    ps: Floats


def origins(field: Field, kind: AnswerKind) -> Origins:
    """Compare all pairs of runs of different teams in one kind of answers.

    A pair's kappa and p are the less telling ones of the two ways to look at it: what one would
    expect given the answers of the one, and of the other.
    """
    names = sorted({run.team for run in field.runs})
    team = np.array([names.index(run.team) for run in field.runs], dtype=np.int64)
    rows = [_row(field, kind, team, run) for run in range(len(team))]
    turns, same, expected, kappa, ps = (
        np.array(part).reshape(len(team), len(team)) for part in zip(*rows, strict=True)
    )
    return Origins(turns, same, expected, np.minimum(kappa, kappa.T), np.maximum(ps, ps.T))


def _row(field: Field, kind: AnswerKind, team: Ints, run: int) -> tuple[Floats, ...]:
    found = kind.beside(run)
    expected = _expected(found, team, run, kind.guesses(run), len(field.split.corpus))
    turns = found.both.sum(axis=1).astype(float)
    tested = (turns >= FEWEST) & (team != team[run])
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond, room = found.same - expected, 1 - expected
        below = (room * found.both).sum(axis=1)
        kappa = (beyond * found.both).sum(axis=1) / below
        influence = np.where(found.both, (beyond - kappa[:, None] * room) / below[:, None], 0.0)
    spread = field.design.spread(np.nan_to_num(influence).T, found.both.T)
    ps = excess_ps(kappa, spread, BOUND, turns)
    same, by_chance = (
        np.divide(part.sum(axis=1), turns, out=np.full(len(team), np.nan), where=turns > 0)
        for part in (found.same, expected * found.both)
    )
    return tuple(np.where(tested, part, np.nan) for part in (turns, same, by_chance, kappa, ps))


def _expected(
    found: Agreement, team: Ints, run: int, guesses: Floats | None, answers: int
) -> Floats:
    """How probable an answer like that of `run` is, (runs, turns), by what other teams answer."""
    teams = int(team.max(initial=0)) + 1
    member: Bools = np.arange(teams)[:, None] == team
    share = member / np.maximum(member.sum(axis=1, keepdims=True), 1)  # (teams, runs)
    alike, voting = share @ found.same, share @ found.both  # (teams, turns)
    own = team[run]
    others = (team != own)[:, None]
    agree = alike.sum(axis=0) - alike[own] - others * alike[team]
    votes = voting.sum(axis=0) - voting[own] - others * voting[team]
    if guesses is not None:
        agree, votes = agree + guesses[:, 0], votes + guesses[:, 1]
    chance: Floats = (agree + PRIOR / max(answers, 1)) / (votes + PRIOR)
    return np.clip(chance, 0.0, 1.0)
