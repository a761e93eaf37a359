"""scores.json of protocol `official`, for an official result file or for a submission's folder."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.benchmark import Benchmark
from harness.errors import SubmissionError, WrongUsageError
from harness.files import readable, require_apart, write
from harness.protocols.official import OfficialCount, OfficialTable, count
from harness.protocols.rendering import entries_of
from harness.protocols.result_file import ResultEntry, read_result, require_result
from harness.protocols.source import SourceSplit, read_source
from harness.publication.disclosure import TOO_SMALL, withheld_by_size
from harness.records import TurnKey
from harness.submission import CARD, PREDICTIONS
from harness.validation import check
from harness.version import __version__

PROTOCOL = "official"
OFFICIAL_SCORES = "scores.official.json"


class _Answers(NamedTuple):
    """The submission, and its answers as entries of a result file."""

    submission: dict[str, Any]
    entries: Sequence[ResultEntry]


def score_result(result: Path, benchmark: Benchmark, split: str = "test") -> dict[str, Any]:
    """The scores document of a result file (plain or gzip) or of a submission's folder.

    A result file has no card: team and system are null, its history is `reference`, its candidates
    are `used`. A folder is answers as the result file that it would have been (see rendering).
    Raises SubmissionError if the file or the submission is not valid, EnvironmentFailure if the
    imported file is not there.
    """
    source = read_source(benchmark.checked(), split)
    answers = _folder(result, benchmark, split, source) if result.is_dir() else _file(result)
    hidden = benchmark.labels(split) == "hidden"
    return {
        "schema": 1,
        "signature": _signature(benchmark, split, answers),
        "protocol": PROTOCOL,
        "benchmark": {
            "name": benchmark.header.name,
            "version": benchmark.header.version,
            "fingerprint": benchmark.header.fingerprint,
            "gold_sha256": benchmark.header.gold_sha256[split],
            "split": split,
        },
        "submission": answers.submission,
        "metrics": cells(count(source, answers.entries), hidden=hidden),
    }


def score_result_to_file(
    submission: Path, benchmark: Benchmark, split: str = "test", out: Path | None = None
) -> tuple[dict[str, Any], Path]:
    """Score a result file or a submission's folder; write the scores.

    They go to `out`, by default scores.official.json in the submission. Returns the document and
    its place. Raises WrongUsageError if a result file has no `out`, or the place is that of a file
    that is read; and what score_result raises.
    """
    if not submission.is_dir():
        require_result(submission)
    if out is None and submission.is_file():
        raise WrongUsageError(f"{submission}: is a result file; name the scores' place with --out")
    target = submission / OFFICIAL_SCORES if out is None else out
    inputs = [submission, *(submission / name for name in (CARD, *PREDICTIONS))]
    require_apart([target], [*inputs, *benchmark.files(split)])
    document = score_result(submission, benchmark, split)
    write(target, readable(document))
    return document, target


def cells(table: OfficialTable, *, hidden: bool) -> dict[str, dict[str, dict[str, Any]]]:
    """Counts as cells of scores.json; `hidden`: those that tell of few turns are withheld."""
    small = small_figures(table) if hidden else frozenset()
    return {
        name: {
            figure: _cell(counted, is_small=(name, figure) in small)
            for figure, counted in row.items()
        }
        for name, row in table.items()
    }


def small_figures(table: OfficialTable) -> frozenset[tuple[str, str]]:
    """Slice and figure of what hidden labels forbid (see harness.publication.disclosure)."""
    return frozenset(
        (name, figure)
        for figure in {figure for row in table.values() for figure in row}
        for name in withheld_by_size(
            {name: row[figure].turns for name, row in table.items() if figure in row}
        )
    )


def _cell(counted: OfficialCount, *, is_small: bool) -> dict[str, Any]:
    sizes = {"turns": counted.turns, "dialogues": counted.dialogues}
    why = counted.why
    if why is None and is_small:
        why = TOO_SMALL
    if why is not None:
        return {"value": None, "why": why, **sizes}
    value = float(f"{counted.right / counted.turns:.10g}")
    return {"value": value, "low": None, "high": None, **sizes}


def _file(path: Path) -> _Answers:
    found = read_result(path)
    submission = {
        "team": None,
        "system": None,
        "history": "reference",
        "candidates": "used",
        "sha256": found.sha256,
    }
    return _Answers(submission, found.entries)


def _folder(folder: Path, benchmark: Benchmark, split: str, source: SourceSplit) -> _Answers:
    checked = check(folder, benchmark, split)
    card = checked.card
    if checked.report.errors or card is None or checked.sha256 is None:
        raise SubmissionError(
            f"{folder}: not valid, so not scored ({checked.report.errors:,} errors);"
            f" `ivcr validate {shlex.quote(str(folder))} {benchmark.options(split)}` lists them"
        )
    if card.kind == "reported":
        raise SubmissionError(
            f"{folder}: a reported card carries typed figures; there are no predictions to score"
        )
    given = [prediction for prediction in checked.predictions if prediction is not None]
    by_key = {TurnKey(each.dialogue_id, each.turn): each for each in given}
    submission = {
        "team": card.team,
        "system": card.system,
        "history": card.history,
        "candidates": card.candidates,
        "sha256": checked.sha256,
    }
    return _Answers(submission, entries_of(source, by_key))


def _signature(benchmark: Benchmark, split: str, answers: _Answers) -> str:
    header = benchmark.header
    sources = "+".join(source.sha256[:6] for source in header.sources)
    return "|".join(
        (
            PROTOCOL,
            f"v:{__version__}",
            f"bench:{header.name}-{header.version}@{header.fingerprint[:6]}",
            f"source:{sources}",
            f"split:{split}",
            f"hist:{answers.submission['history']}",
            f"cand:{answers.submission['candidates']}",
            f"entries:{len(answers.entries)}",
        )
    )
