"""A benchmark's description in Croissant 1.1 with fields of RAI 1.0, as JSON-LD.

It describes the copy that participants get (`ivcr data publish`), whatever folder it is made from:
no file of hidden labels, no hash of one, nothing that depends on one. The same folder gives the
same bytes, and a folder and its public copy give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from harness.benchmark import AboutData, Benchmark, Header
from harness.croissant.distribution import public_files, video_files
from harness.croissant.record_sets import record_sets
from harness.croissant.responsible_ai import DatasetFacts, facts_of, responsible_ai
from harness.croissant.vocabulary import CONFORMS_TO, CONTEXT, Node
from harness.files import readable
from harness.public_copy.expected import public_header
from harness.records import SPLITS

# MAJOR.MINOR.PATCH, as Semantic Versioning 2.0.0 has it.
_SEMANTIC = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:[-+][0-9A-Za-z.+-]+)?", re.ASCII)
_MAJOR = re.compile(r"(0|[1-9]\d*)(?:\.([0-9A-Za-z.-]+))?", re.ASCII)
# Version 1 has had its fingerprint since this day.
_OF_MINI = AboutData(
    licence="https://spdx.org/licenses/Apache-2.0.html",
    citation=(
        "@misc{ivcr-mini, title = {IVCR-Mini, a rendered benchmark for interactive video search}, "
        "author = {{The IVCR harness authors}}, year = {2026}}"
    ),
    creators=("The IVCR harness authors",),
    published="2026-11-26",
)


class CroissantDocument(NamedTuple):
    """A description, and what it lacks because the benchmark does not say it.

    `is_of_copy`: files of the folder differ from those that it describes, because labels of the
    benchmark are hidden or its videos lie elsewhere.
    """

    node: Node
    lacking: tuple[str, ...]
    is_of_copy: bool

    def data(self) -> bytes:
        """The document as JSON-LD, indented, keys sorted."""
        return readable(self.node)


def describe(benchmark: Benchmark) -> CroissantDocument:
    """Describe a benchmark as participants have it.

    Raises EnvironmentFailure if its files are not those of the import.
    """
    benchmark.checked()
    splits = [name for name in SPLITS if name in benchmark.header.splits]
    hidden = tuple(name for name in splits if benchmark.labels(name) == "hidden")
    header = public_header(benchmark.header, hidden)
    files = public_files(benchmark, hidden)
    videos = video_files(benchmark)
    facts = facts_of(benchmark, hidden)
    about = header.about or (_OF_MINI if facts.rendered else AboutData())
    node = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": header.name,
        "version": semantic_version(header.version),
        "description": _description(header, splits, facts),
        "keywords": ["video retrieval", "moment retrieval", "dialogue", "benchmark"],
        "inLanguage": list(facts.languages),
        **_about(about),
        **responsible_ai(facts),
        **_origin(header),
        "distribution": [*(file.node() for file in files), *([videos] if videos else [])],
        "recordSet": record_sets(benchmark, {file.name for file in files}),
    }
    own = {file.name for file in files if not file.is_at(benchmark.folder)}
    return CroissantDocument(node, _lacking(about), bool(own))


def semantic_version(version: str) -> str:
    """A version in the form that Croissant wants; one of no such form as it is.

    The importer's "1" is 1.0.0, the "1.seed7" of another IVCR-Mini 1.0.0+seed7.
    """
    if _SEMANTIC.fullmatch(version) or not (found := _MAJOR.fullmatch(version)):
        return version
    build = f"+{found[2]}" if found[2] else ""
    return f"{found[1]}.0.0{build}"


def _description(header: Header, splits: Sequence[str], facts: DatasetFacts) -> str:
    what = "IVCR-Mini, a rendered benchmark" if facts.rendered else "A benchmark"
    counts = "; ".join(
        f"{name}: {header.splits[name].get('dialogues', 0)} dialogues, "
        f"{header.splits[name].get('turns', 0)} turns"
        for name in splits
    )
    labels = f" Labels are hidden in: {', '.join(facts.hidden)}." if facts.hidden else ""
    return (
        f"{what} for interactive video search: in a dialogue of several turns a user looks for a "
        f"video in a corpus, then for a moment inside it. {facts.videos} videos. {counts}.{labels} "
        f"Fingerprint of the public files: {header.fingerprint}."
    )


def _about(about: AboutData) -> Node:
    """What the makers say of the data set, as far as they do."""
    creators = [{"@type": "sc:Organization", "name": name} for name in about.creators]
    found = {
        "license": about.licence,
        "citeAs": about.citation,
        "url": about.url,
        "datePublished": about.published,
        "creator": creators,
    }
    return {name: value for name, value in found.items() if value}


def _lacking(about: AboutData) -> tuple[str, ...]:
    """The fields that Croissant requires or `mlcroissant` asks for, and nobody gave."""
    return tuple(
        name
        for name in ("licence", "citation", "url", "published", "creators")
        if not getattr(about, name)
    )


def _origin(header: Header) -> Node:
    """The imported files by name and hash; none where labels are hidden."""
    sources = [
        {
            "@type": "prov:Entity",
            "@id": f"urn:sha256:{source.sha256}",
            "name": source.file,
            "description": f"Read by `ivcr data import --source {source.importer}`.",
        }
        for source in header.sources
    ]
    return {"prov:wasDerivedFrom": sources} if sources else {}
