"""Writing the results of scoring: scores.json, and the columns that paired tests need."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, get_args

import numpy as np

from harness.benchmark import Benchmark
from harness.files import open_replacement, readable, require_apart, sibling, write
from harness.metrics import METRICS
from harness.scoring.document import ScoringResult, SplitScorer
from harness.slices import Scope, slices
from harness.submission import CARD, PREDICTIONS


def score_to_files(
    submission: Path,
    benchmark: Benchmark,
    split: str = "test",
    *,
    out: Path | None = None,
    outcomes: Path | None = None,
    partial: bool = False,
    scorer: SplitScorer | None = None,
) -> tuple[dict[str, Any], Path]:
    """Score a submission; write its scores, and its outcomes where labels are public.

    Scores go to `out`, by default scores.json in the submission; outcomes to `outcomes`, by default
    beside the scores. Where labels are hidden, outcomes are written only if `outcomes` names a
    place. `scorer`: that of the split, where there is one already. Returns the document of
    scores.json and its place. Raises SubmissionError if the
    submission is not valid (see score), WrongUsageError if a place is that of another file of the
    submission or the benchmark, or one is given for both.
    """
    target = submission / "scores.json" if out is None else out
    if outcomes is None and target.name and benchmark.labels(split) == "public":
        outcomes = sibling(target.with_suffix(""), ".outcomes.npz")
    inputs = [submission / name for name in (CARD, *PREDICTIONS)]
    require_apart([target, *([outcomes] if outcomes else [])], [*inputs, *benchmark.files(split)])
    result = (scorer or SplitScorer(benchmark, split)).score(submission, partial=partial)
    with open_replacement(target) as stream:
        stream.write(readable(result.document))
        stream.flush()
        # The outcomes inside: on a full disk neither of the two is replaced.
        if outcomes is not None:
            write_outcomes(result, outcomes)
    return result.document, target


def write_scores(scored: ScoringResult, out: Path) -> None:
    """Write scores.json, whole or not at all."""
    write(out, readable(scored.document))


def write_outcomes(scored: ScoringResult, out: Path) -> None:
    """Write the columns that paired tests need, whole or not at all.

    npz without objects. `metrics`: (m,) names. `table`: (rows, turns), the columns of all metrics
    one below the other, those of metric i in the rows `start[i]` to `start[i] + rows[i]`; the sums
    of a row over all turns give the figure in `all` by METRICS[name].figure (a mean's two rows are
    values and weights, a median's one row is ranks), and 0 is given where a turn does not count.
    `counted`: (m, turns), what `turns` and `dialogues` count. `defined`: (m,), False where the
    submission gives nothing for the metric. What they belong to: `fingerprint`, `gold_sha256`,
    `split`, `sha256`.

    Tests of two submissions: where the weights of a mean are the same in both, paired() over values
    and weights; where they depend on the answers (P(...), recovery), and for smooth figures,
    paired_smooth() over the whole table.
    """
    document = scored.document
    every = {scope: slices(scored.frame, scope)["all"] for scope in get_args(Scope)}
    masks = [every[METRICS[name].scope] for name in scored.columns]
    columns = list(scored.columns.values())
    tables = [column.table * mask for column, mask in zip(columns, masks, strict=True)]
    sizes = [len(table) for table in tables]
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        metrics=np.array(list(scored.columns)),
        table=np.concatenate(tables),
        start=np.cumsum([0, *sizes[:-1]]),
        rows=np.array(sizes),
        counted=np.array([column.counted for column in columns]) & np.array(masks),
        defined=np.array([column.why is None for column in columns]),
        fingerprint=np.array(document["benchmark"]["fingerprint"]),
        gold_sha256=np.array(document["benchmark"]["gold_sha256"]),
        split=np.array(document["benchmark"]["split"]),
        sha256=np.array(document["submission"]["sha256"]),
    )
    write(out, stream.getvalue())
