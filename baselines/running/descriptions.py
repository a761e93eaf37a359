"""Baselines in words: the list of all, and one with its settings and an example command."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from baselines.base import About, Need, Settings
from baselines.registry import KINDS, RegistryEntry, all_baselines, class_of, installed_baselines
from baselines.running.card_settings import value_text
from baselines.settings import allowed, default_of, descriptions, is_member

TAB = " " * 17
NEEDS: Mapping[Need, str] = {
    "text": "text of the videos",
    "frames": "frames",
    "checkpoint": "a checkpoint",
    "annotated_events": "annotated events (IVCR-Mini alone has them)",
    "train_labels": "labels of the train split",
    "network": "a server",
}
_KINDS = {
    "floor": "Floors: they read no query",
    "retriever": "Retrievers: they rank videos",
    "localiser": "Localisers: they find moments",
    "assistant": "Assistants: they choose, find and answer in words",
}


def overview() -> Iterator[str]:
    """The lines of the list of all baselines; none of them is imported."""
    entries = all_baselines()
    for kind in KINDS:
        yield _KINDS[kind]
        for entry in entries:
            if entry.kind == kind:
                yield f"  {entry.name:<20} {entry.summary}"
                training = _training(entry.about)
                yield f"  {'':<20} needs {needs(entry.about)}{training and f'; {training}'}"
    if installed := installed_baselines():
        yield "From other packages"
        for name, point in sorted(installed.items()):
            yield f"  {name:<20} {point.value}, of {point.dist.name if point.dist else 'a package'}"


def needs(about: About) -> str:
    """What a baseline needs to answer, in words."""
    return "what its members need" if about.composed else _listed(about.needs)


def description(entry: RegistryEntry, values: Mapping[str, Any] | None = None) -> str:
    """What there is to know of a baseline before it is run; imports it.

    values: settings by name, such as a configuration file has, shown beside the defaults.
    """
    kind, about = class_of(entry), entry.about
    facts = {
        "kind": f"{entry.kind}, {entry.file}",
        "histories": ", ".join(about.histories),
        "candidates": about.candidates,
        "needs": needs(about),
        "training": _training(about) or "it trains nothing",
        "languages": ", ".join(about.languages) or "it reads no text",
        "paper": about.paper or "none",
    }
    text = (sys.modules[kind.__module__].__doc__ or entry.summary).strip()
    parts = (
        [f"{entry.name}: {text}"],
        [f"{name:<12} {value}" for name, value in facts.items()],
        ["Settings (--set NAME=VALUE)", *_settings(kind.settings_type, values or {})],
        ["Example", *(f"  {line}" for line in examples(entry))],
    )
    return "\n\n".join("\n".join(lines) for lines in parts)


def examples(entry: RegistryEntry) -> Iterator[str]:
    """Commands that run a baseline on IVCR-Mini, and train it first if it is trained."""
    about, trained = entry.about, f"{entry.name}.trained"
    history = "own" if "own" in about.histories else about.histories[0]
    chosen = list(about.example)
    benchmark = f"{shlex.quote(entry.argument)} --benchmark mini"
    yield "ivcr data mini --out mini"
    if about.trains:
        yield f"ivcr baseline train {benchmark} --out {trained}{_sets(about.train_example)}"
        chosen.append(f"checkpoint={trained}")
    run = f"ivcr baseline run {benchmark} --history {history}"
    yield f"{run} --out {entry.name}.{history}{_sets(chosen)}"
    if about.composed:
        yield f"{run} --out {entry.name}.file --config FILE.toml"


def _sets(assignments: Sequence[str]) -> str:
    return "".join(f" --set {assignment}" for assignment in assignments)


def _listed(all_needs: tuple[Need, ...]) -> str:
    return ", ".join(NEEDS[need] for need in all_needs) or "nothing"


def _training(about: About) -> str:
    note = f"; {about.train_note}" if about.train_note else ""
    return f"training needs {_listed(about.train_needs)}{note}" if about.trains else ""


def _settings(kind: type[Settings], values: Mapping[str, Any]) -> Iterator[str]:
    """Of each setting its name, allowed values and default, then what it is."""
    texts = descriptions(kind)
    for field in msgspec.structs.fields(kind):
        default, name = default_of(field), field.name
        of = "has to be given" if field.required else f"default: {value_text(default)}"
        if name in values:
            of += f"; here: {value_text(msgspec.to_builtins(values[name]))}"
        place = ", described in a file (--config)" if is_member(field.type) else ""
        yield f"  {name:<14} {allowed(field.type)}{place}; {of}"
        if name in texts:
            yield from textwrap.wrap(texts[name], 100, initial_indent=TAB, subsequent_indent=TAB)
    if not msgspec.structs.fields(kind):
        yield "  none"
