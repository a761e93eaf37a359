"""Receipts: what a team is told of a run, as JSON for programs and as Markdown for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from harness.challenge.intake.decisions import Verdict
from harness.challenge.intake.telling import Figure, Ranks
from harness.challenge.reasons import Ground
from harness.files import make_folder, readable, write
from harness.metrics import METRICS
from harness.publication.escaping import markdown_text
from harness.validation.report import Problem

LONG_TEXT = 1000  # characters of a message


class Spent(Struct, frozen=True):
    """What a team has used of a phase: scored submissions, of how many; None: no bound."""

    used: int
    quota: int | None
    today: int
    daily: int | None


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of a run, for its team.

    `at`: the time of the intake; `ground`, `why`: of a refusal; `problems`: the first twenty of
    each code, `totals`: all by code; `figures`: by metric, as far as the phase's feedback allows;
    `note`: what else is to be known; `before`, `after`: ranks on the board without and with it.
    """

    schema: int = 1
    at: str
    team: str
    run: str
    submission_sha256: str | None
    verdict: Verdict
    ground: Ground | None = None
    why: str | None = None
    phase: str | None = None
    feedback: str | None = None
    spent: Spent | None = None
    figures: Mapping[str, Figure] | None = None
    before: Ranks | None = None
    after: Ranks | None = None
    note: str | None = None
    problems: tuple[Problem, ...] = ()
    totals: Mapping[str, int] = msgspec.field(default_factory=dict)


def write_receipt(receipt: Receipt, folder: Path) -> None:
    """Write FOLDER/<team>/<run>.json and .md. Raises EnvironmentFailure."""
    make_folder(folder / receipt.team)
    place = folder / receipt.team / receipt.run
    write(place.with_name(f"{receipt.run}.json"), readable(receipt))
    write(place.with_name(f"{receipt.run}.md"), receipt_text(receipt).encode())


def receipt_text(receipt: Receipt) -> str:
    """A receipt as Markdown; whatever came from the submission is escaped."""
    return "\n".join(_lines(receipt)) + "\n"


HEADINGS: dict[Verdict, str] = {
    "scored": "accepted and scored",
    "waits": "accepted, not scored yet",
    "refused": "refused",
}


def _lines(receipt: Receipt) -> Iterator[str]:
    heading = HEADINGS[receipt.verdict]
    yield f"# {markdown_text(receipt.team)}/{markdown_text(receipt.run)}: {heading}"
    yield ""
    yield f"{receipt.at}, submission {receipt.submission_sha256 or 'unreadable'}"
    if receipt.why:
        yield f"\nReason ({receipt.ground}): {markdown_text(receipt.why, LONG_TEXT)}."
        yield "It costs nothing: mend it, and the next intake takes it up again."
    if receipt.phase:
        yield f"\nPhase {markdown_text(receipt.phase)}, feedback {receipt.feedback}."
    if receipt.spent:
        yield _spent(receipt.spent)
    if receipt.note:
        yield f"\n{markdown_text(receipt.note, LONG_TEXT)}"
    yield from _figures(receipt)
    yield from _problems(receipt)


def _spent(spent: Spent) -> str:
    total = f"{spent.used} of {spent.quota}" if spent.quota else str(spent.used)
    today = f"{spent.today} of {spent.daily}" if spent.daily else str(spent.today)
    return f"Scored submissions of the team in this phase: {total}; today: {today}."


def _figures(receipt: Receipt) -> Iterator[str]:
    if receipt.figures:
        yield "\n| metric | figure | interval |"
        yield "|---|---:|---|"
    for name, figure in (receipt.figures or {}).items():
        scale = 100 if METRICS[name].unit == "share" else 1
        interval = ""
        if figure.low is not None and figure.high is not None:
            interval = f"{scale * figure.low:.2f} to {scale * figure.high:.2f}"
        yield f"| {markdown_text(name)} | {scale * figure.value:.2f} | {interval} |"
    for when, ranks in (("before", receipt.before), ("after", receipt.after)):
        if ranks is not None:
            span = str(ranks.best)
            if ranks.best != ranks.worst:
                span += f" to {ranks.worst}"
            yield f"\nRank {when}: {span} of {ranks.of}."


def _problems(receipt: Receipt) -> Iterator[str]:
    if receipt.totals:
        yield "\nProblems, by code: " + ", ".join(
            f"{code} {count:,}" for code, count in sorted(receipt.totals.items())
        )
        yield ""
    for problem in receipt.problems:
        yield f"- {problem.severity}: {markdown_text(problem.message, LONG_TEXT)}"
