"""The audit of an official result file: official beside sound figures, and every difference."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from harness.audit.attribution import Attribution, AttributionReport, Share, attribute
from harness.audit.cases import cases
from harness.audit.steps import BY_TURN, OVERALL, REPAIRS
from harness.benchmark import Benchmark
from harness.formats.official import ResultReport, convert_entries
from harness.protocols.items import items
from harness.protocols.joining import join
from harness.protocols.official import OfficialTable, count
from harness.protocols.result_file import read_result
from harness.protocols.scores import small_figures
from harness.protocols.source import read_source
from harness.publication.disclosure import TOO_SMALL
from harness.version import __version__

# Defects that change no turn of a result file, and their consequences.
NOTES = {
    "D7": "Where the published scorer stops with an error its figure is null here, with the reason;"
    " the parts then explain the figure that it would have had, the turns at which it stops"
    " counting as wrong.",
    "D11": "Items are prefixes of the same dialogues and depend on each other; an interval over"
    " items would be far too narrow. `ivcr submission convert official` and `ivcr score` give"
    " intervals over dialogues.",
    "D12": "No code was published for BLEU-4 and the judged score; they cannot be audited.",
    "D14": "The video of a predicted moment is never checked, and the gold video is handed over: a"
    " moment figure, official or sound, says nothing of search.",
}


class Audit(NamedTuple):
    """The result of an audit; `official`: the counts, `attributed`: their explanation.

    `small`: slice and figure of what must not be shown, since labels are hidden.
    """

    heading: dict[str, Any]
    official: OfficialTable
    attributed: AttributionReport
    conversion: ResultReport
    small: frozenset[tuple[str, str]]


def audit(result: Path, benchmark: Benchmark, split: str = "test") -> Audit:
    """Audit the result file `result` (plain or gzip).

    Raises SubmissionError if it is no result file, EnvironmentFailure if the benchmark lacks its
    gold or the imported file.
    """
    source = read_source(benchmark.checked(), split)
    found = read_result(result)
    entry_join = join(tuple(items(source)), found.entries)
    converted = convert_entries(source, found.entries, entry_join, benchmark, split)
    turns = cases(source, found.entries, entry_join, benchmark, split, converted.predictions)
    hidden = benchmark.labels(split) == "hidden"
    header = benchmark.header
    heading = {
        "benchmark": header.name,
        "version": header.version,
        "fingerprint": header.fingerprint,
        "gold_sha256": header.gold_sha256[split],
        "sources": [source_file.sha256 for source_file in header.sources],
        "split": split,
        "result_sha256": found.sha256,
        "harness": __version__,
    }
    explained = attribute(turns, examples=not hidden)
    official = count(source, found.entries)
    small = small_figures(official) if hidden else frozenset()
    return Audit(heading, official, explained, converted.report, small)


def document(result: Audit) -> dict[str, Any]:
    """The audit as a JSON document; figures and effects are fractions in [0, 1]."""
    return {
        "schema": 1,
        **result.heading,
        "conversion": result.conversion,
        "defects": REPAIRS,
        "order": {"all": OVERALL, "turn=N": BY_TURN},
        "figures": {
            name: {
                figure: _figure(result, name, figure, explained)
                for figure, explained in row.items()
            }
            for name, row in result.attributed.figures.items()
        },
        "examples": result.attributed.examples,
        "notes": NOTES,
    }


def _figure(result: Audit, name: str, figure: str, explained: Attribution) -> dict[str, Any]:
    official = result.official[name][figure]
    if (name, figure) in result.small:
        return {"official": {"value": None, "why": TOO_SMALL, "turns": official.turns}}
    stopped = {"why": official.why} if official.why is not None else {}
    return {
        "official": _share(explained.official)
        | ({"value": None, "carried_on": _rounded(explained.official)} if stopped else {})
        | stopped,
        "sound": _share(explained.sound),
        "asked": _share(explained.sound_items),
        "parts": [
            {
                "defect": part.defect,
                "up": part.up,
                "down": part.down,
                "added": part.added,
                "effect": float(f"{float(part.effect):.10g}"),
            }
            for part in explained.parts
        ],
    }


def _share(share: Share) -> dict[str, Any]:
    if not share.turns:
        return {"value": None, "why": "no turn", "right": share.right, "turns": 0}
    return {"value": _rounded(share), "right": share.right, "turns": share.turns}


def _rounded(share: Share) -> float:
    return float(f"{float(share.value):.10g}")
