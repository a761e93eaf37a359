"""An audit as text for a terminal; untrusted text is escaped."""

from __future__ import annotations

from collections.abc import Iterator

from harness.audit.attribution import Attribution, DefectEffect, Share
from harness.audit.result import NOTES, Audit
from harness.audit.steps import BY_TURN, OVERALL, REPAIRS
from harness.files import shown
from harness.publication.disclosure import TOO_SMALL


def text_lines(result: Audit) -> Iterator[str]:
    """The audit, figure by figure, then examples and notes. Figures are percentages."""
    heading = result.heading
    yield f"Result file {heading['result_sha256'][:12]} on {shown(heading['benchmark'])}"
    yield f"split {heading['split']}, fingerprint {heading['fingerprint'][:12]}"
    yield from result.conversion.lines()
    yield ""
    yield "In points: what each defect adds to or takes from the figure, repaired in this order:"
    yield f"  all: {', '.join(OVERALL)}; by turn: {', '.join(BY_TURN)}"
    for name, row in result.attributed.figures.items():
        for figure, explained in row.items():
            yield ""
            yield from _figure(result, name, figure, explained)
    yield from _examples(result)
    yield ""
    yield from (f"{defect}: {note}" for defect, note in NOTES.items())


def effective_parts(explained: Attribution) -> Iterator[DefectEffect]:
    """The parts that change or count a turn."""
    return (part for part in explained.parts if part.up or part.down or part.added)


def percent(share: Share) -> str:
    """A share as a percentage with its counts."""
    value = f"{100 * float(share.value):.2f}" if share.turns else "—"
    return f"{value} ({share.right:,}/{share.turns:,})"


def _figure(result: Audit, place: str, figure: str, explained: Attribution) -> Iterator[str]:
    official, name = result.official[place][figure], f"{figure}, {place}"
    if (place, figure) in result.small:
        yield f"{name}: {TOO_SMALL}"
        return
    yield f"{name}: official {percent(explained.official)}"
    if official.why is not None:
        yield f"  the published scorer gives none: {official.why}; the figure carries on past it"
    for part in effective_parts(explained):
        points = f"{100 * float(part.effect):+8.3f}"
        turns = f"up {part.up:,}, down {part.down:,}"
        turns += f", counted {part.added:,}" if part.added else ""
        yield f"  {part.defect:<9} {points}  {turns}: {REPAIRS[part.defect]}"
    yield f"  sound over all turns {percent(explained.sound)}"
    yield f"  sound over the turns that are asked {percent(explained.sound_items)}"


def _examples(result: Audit) -> Iterator[str]:
    for row in result.attributed.examples:
        yield ""
        yield (
            f"{row['defect']} moved {shown(row['dialogue_id'])}/{row['turn']} {row['moved']}"
            f" ({row['figure']}, {row['slice']})"
        )
        for name in ("utterance", "reference", "judged", "own"):
            value = row[name]
            yield f"  {name:<9} {'no answer' if value is None else shown(value, 160)}"
        yield (
            f"  read      officially {row['official_reading'] or 'nothing'};"
            f" by us {row['sound_reading'] or 'nothing'}"
        )
