"""What the probes found, for a terminal. Foreign names are quoted, escaped and cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.files import shown
from harness.probes.copies import CopyFinding, CopyReport
from harness.probes.leaks import LeakFinding, LeakReport

NO_VERDICT = (
    "A warning is no verdict: systems that share a part agree in it, and what a system follows it "
    "may follow for a reason. Ask the teams before anything is said in public (docs/probes.md)."
)
ANSWERS = {
    "ends": ("rankings behind rank 10 alike", "systems made apart hardly ever agree here"),
    "videos": ("the same wrong first video", "so do systems of one family"),
    "moments": ("the same wrong first moment", "so do systems with the same segments"),
}
TESTS = {
    "neighbours": "answers that stand next to the one before",
    "direction": "answers of a dialogue that stand behind the one before",
    "trend": "rank correlation of a dialogue's place in the file with its answers' places",
    "place among candidates": "mean place of the gold among the candidates (0 first, 1 last)",
    "one position": "choices of the candidate in one and the same position",
}


def copies_lines(report: CopyReport) -> Iterator[str]:
    """Pairs that agree, with the evidence for each."""
    yield (
        f"{report.runs:,} runs of {report.teams:,} teams on {report.split}; {report.pairs:,} pairs "
        f"of different teams, {report.tests:,} tests"
    )
    yield from (f"note: {note}" for note in report.notes)
    if not report.findings:
        yield f"no warning (level {report.level:g} over all tests)"
        return
    pairs: dict[tuple[str, str], list[CopyFinding]] = {}
    for finding in report.findings:
        pairs.setdefault((finding.first, finding.second), []).append(finding)
    yield f"warnings: {len(pairs):,} pairs agree in more than half of what others do not answer"
    for (first, second), found in pairs.items():
        yield f"  {shown(first, 200)} and {shown(second, 200)}"
        yield from map(_evidence, found)
    yield NO_VERDICT


def _evidence(finding: CopyFinding) -> str:
    what, meaning = ANSWERS[finding.kind]
    return (
        f"     {what}: {finding.same:.1%} of {finding.turns:,} turns, {finding.expected:.1%} by "
        f"what others answer; of common origin {finding.kappa:.1%}, p {finding.p:.2g} ({meaning})"
    )


def leaks_lines(report: LeakReport) -> Iterator[str]:
    """What the gold follows, then what runs follow beyond it."""
    followed = [each for each in report.benchmark if each.p <= report.level]
    yield f"{report.runs:,} runs on {report.split}, {report.tests:,} tests of them"
    yield from (f"note: {note}" for note in report.notes)
    yield (
        f"the benchmark: {len(followed):,} of {len(report.benchmark):,} tests of the gold show an "
        "order, which a system could follow without reading a word"
    )
    yield from _followed(followed)
    if not report.findings:
        yield f"no warning of a run (level {report.level:g} over all tests of runs)"
        return
    runs: dict[str, list[LeakFinding]] = {}
    for finding in report.findings:
        runs.setdefault(finding.run or "", []).append(finding)
    yield f"warnings: {len(runs):,} runs follow an order more than the gold does"
    for run, found in runs.items():
        yield f"  {shown(run, 200)}"
        yield from _followed(found)
    yield NO_VERDICT


def _followed(findings: Sequence[LeakFinding]) -> Iterator[str]:
    for each in findings:
        gold = "" if each.gold is None else f", gold {each.gold:.3f}"
        yield (
            f"     {each.order}: {TESTS[each.test]}: {each.found:.3f}, by chance "
            f"{each.expected:.3f}{gold}; p {each.p:.2g}"
        )
