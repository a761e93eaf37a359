"""Making a statement: the scores are computed now, and nothing is taken from files of scores."""

from __future__ import annotations

import hashlib
from pathlib import Path

import harness.scoring as scoring
from harness.attestation.statement import AttestedBenchmark, AttestedCode, ScoreStatement
from harness.benchmark import Benchmark
from harness.checkout import code_state
from harness.files import readable
from harness.version import __version__


def statement_of(
    submission: Path, benchmark: Benchmark, split: str = "test", *, expires: str | None = None
) -> ScoreStatement:
    """Score a submission, and state what came out; raises what scoring raises.

    expires: a time in RFC 3339 after which the statement is not to be relied on.
    """
    document = scoring.score(submission, benchmark, split).document
    about, of = document["submission"], document["benchmark"]
    state = code_state()
    return ScoreStatement(
        team=about["team"],
        system=about["system"],
        submission_sha256=about["sha256"],
        scores_sha256=hashlib.sha256(readable(document)).hexdigest(),
        signature=document["signature"],
        benchmark=AttestedBenchmark(
            of["name"], of["version"], of["split"], of["fingerprint"], of["gold_sha256"]
        ),
        code=AttestedCode(__version__, scoring.SCORER, state.commit, state.changed),
        expires=expires,
    )
