"""One pass over a submission: every problem of every kind, and the predictions if needed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.benchmark import Benchmark
from harness.records import Card, Prediction
from harness.submission import CARD, PREDICTIONS, SubmissionDigest, predictions_in
from harness.validation.problem_log import ProblemLog
from harness.validation.public import PublicSplit, read_public
from harness.validation.reading.card_file import read_card
from harness.validation.reading.place import require_folder
from harness.validation.reading.predictions import PredictionsReader
from harness.validation.reading.slow_path import inspect_line
from harness.validation.report import Report
from harness.validation.rules.rule import Fault, Finding
from harness.validation.rules.rule_table import RULES, rules_about

_LOG = logging.getLogger(__name__)


class CheckResult(NamedTuple):
    """The result of checking a submission.

    `predictions` run along the split's turns, None where a turn is missing or its line is wrong;
    they and `sha256` are empty or None unless asked for. `sha256` (hex) is over the names,
    lengths and bytes of card.toml and of the uncompressed predictions (see SubmissionDigest); None
    if one of them could not be read.
    """

    report: Report
    card: Card | None
    predictions: tuple[Prediction | None, ...]
    sha256: str | None


def check(
    folder: Path,
    benchmark: Benchmark,
    split: str = "test",
    *,
    keep: bool = True,
    hashed: bool | None = None,
    public: PublicSplit | None = None,
) -> CheckResult:
    """Check the submission in `folder` against what participants see of a split.

    `keep=False` reads the same and reports the same in bounded memory, without predictions.
    `hashed`: whether the SHA-256 is computed, by default where predictions are kept. `public`: the
    public half of the split, where it is read already. Raises EnvironmentFailure if `folder` or the
    benchmark cannot be read.
    """
    require_folder(folder)
    public = public or read_public(benchmark, split)
    log, digest = ProblemLog(), SubmissionDigest()
    wanted = keep if hashed is None else hashed
    card, table = read_card(folder, log, digest.file(CARD))
    _apply_folder_rules(folder, table, log)
    reader = PredictionsReader(public, log, keep)
    if table.get("kind") == "reported":
        complete = not predictions_in(folder)
    else:
        complete = reader.read(folder, digest.file(PREDICTIONS[0]) if wanted else None)
    _LOG.debug("checked %s: %d turns answered", folder, reader.answered)
    return CheckResult(
        report=log.report(reader.answered, reader.abstentions),
        card=card,
        predictions=tuple(reader.predictions),
        sha256=digest.hexdigest() if wanted and complete and card else None,
    )


class CheckedAnswer(NamedTuple):
    """One answer: the prediction, None if it has an error; its errors, and its warnings.

    `as_given`: the prediction before ends past a video's end are clipped.
    """

    prediction: Prediction | None
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    as_given: Prediction | None = None


def check_answer(values: Mapping[str, Any], public: PublicSplit) -> CheckedAnswer:
    """Check the answer to one turn by the rules about its line in a submission.

    `values`: what the line would hold, by key: Python's own lists, texts and numbers, and times in
    seconds. Ends up to 1 s past a video's end are clipped, as in a file.
    """
    return check_line(msgspec.json.encode(values), public)


def check_line(line: bytes, public: PublicSplit) -> CheckedAnswer:
    """Check the answer to one turn, as a line of a submission has it, without its newline."""
    try:
        answer, found = inspect_line(line, public)
    except Fault as fault:
        answer, found = None, [Finding(fault.code, fault.text)]
    errors = tuple(each for each in found if RULES[each.code].severity == "error")
    fit = None if errors else answer
    return CheckedAnswer(
        None if fit is None else fit.prediction(public),
        errors,
        tuple(each for each in found if each not in errors),
        None if fit is None else fit.as_given(),
    )


def _apply_folder_rules(folder: Path, card: dict[str, Any], log: ProblemLog) -> None:
    for rule in rules_about("folder"):
        if rule.check is not None:
            for file, text in rule.check(folder, card):
                log.add(rule.code, text, file)
