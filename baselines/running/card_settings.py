"""How the settings of a run stand in its card: a flat table, a short text, the control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from baselines.registry import RegistryEntry, find
from baselines.settings import without_paths
from harness.errors import WrongUsageError
from harness.files import shown

SHORT = 60  # characters of a card's system, variant and control
LINE = 200  # characters of a text among its settings
Scalar = str | int | float | bool


class CardSettings(NamedTuple):
    """The fields of a card that tell a run from others of its system; None: nothing to tell."""

    settings: dict[str, Scalar] | None
    variant: str | None
    control: str | None


def card_settings(entry: RegistryEntry, changed: Mapping[str, Any]) -> CardSettings:
    """The card's fields for a run of `entry` with settings `changed` from their defaults.

    A trained folder is not among them: run.json has its hash, and what it was trained with; so the
    seeds of one system have one name. The control has a field of its own.
    """
    return CardSettings(
        dict(_flat(changed, entry)) or None,
        line(_text(changed, entry), SHORT) or None,
        line(", ".join(_controls(changed)), SHORT) or None,
    )


def check_variant(value: Any, place: str) -> None:
    """Check the name of a variant, which stands in `place`.

    Raises WrongUsageError if it is no line of 1 to 60 characters.
    """
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise WrongUsageError(f"{place}: expected a line of text, found {shown(str(value))}")
    if len(value) > SHORT:
        raise WrongUsageError(
            f"{place}: expected at most {SHORT} characters, found {len(value)}; shorten it"
        )


def line(text: str, limit: int) -> str:
    """Text as one printable line of at most `limit` characters; run.json has what is cut off."""
    plain = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def value_text(value: Any) -> str:
    """A setting's plain value in words; members by their names."""
    members = [_member_text(member) for _, member in _members("", value)]
    return " + ".join(members) if members else str(_scalar(value))


def _flat(
    values: Mapping[str, Any], entry: RegistryEntry, place: str = ""
) -> Iterator[tuple[str, Scalar]]:
    """Settings by their place in a configuration file, such as member1.settings.context."""
    for name, value in _distinctive(values, entry):
        for where, member in _members(name, value):
            of = find(member["baseline"])
            yield f"{place}{where}.baseline", of.name
            if member["weight"] != 1:
                yield f"{place}{where}.weight", member["weight"]
            yield from _flat(member["settings"], of, f"{place}{where}.settings.")
        if not _members(name, value):
            yield f"{place}{name}", _scalar(value)


def _text(values: Mapping[str, Any], entry: RegistryEntry) -> str:
    """Settings in one line; members by name: retriever bm25 (context=all), localiser tan2d."""
    parts = []
    for name, value in _distinctive(values, entry):
        joint = "=" if not _members(name, value) else " "
        label = "" if isinstance(value, list | tuple) and joint == " " else f"{name}{joint}"
        parts.append(label + value_text(value))
    return ", ".join(parts)


def _member_text(member: Mapping[str, Any]) -> str:
    entry = find(member["baseline"])
    weight = "" if member["weight"] == 1 else f"{member['weight']:g} * "
    settings = _text(member["settings"], entry)
    return f"{weight}{entry.name}" + (f" ({settings})" if settings else "")


def _controls(values: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """What is broken on purpose, in the whole or in a member."""
    for name, value in values.items():
        if name == "control" and value not in ("none", "", None):
            yield f"{place}{value}"
        for where, member in _members(name, value):
            yield from _controls(member["settings"], f"{where}: ")


def _distinctive(values: Mapping[str, Any], entry: RegistryEntry) -> list[tuple[str, Any]]:
    """Settings without the control and without a folder that was trained."""
    left_out = {"control", "checkpoint"} if entry.about.trains else {"control"}
    return [(name, value) for name, value in values.items() if name not in left_out]


def _members(name: str, value: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The members that a setting holds, with their places; none if it is no composition."""
    if isinstance(value, Mapping) and "baseline" in value:
        return [(name, value)]
    if isinstance(value, list | tuple):
        return [
            (f"{name}{number}", each)
            for number, each in enumerate(value, start=1)
            if isinstance(each, Mapping) and "baseline" in each
        ]
    return []


def _scalar(value: Any) -> Scalar:
    """A setting as a card holds it: a number, true or false, or a line of text."""
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) <= 2**53):
        return value  # any JSON reader takes it exactly; neither NaN nor infinity is one
    plain = without_paths(value)
    if isinstance(plain, list) and all(isinstance(each, str) for each in plain):
        plain = ",".join(plain)
    text = "none" if value is None else str(plain)
    return line(text, LINE) if text.strip() else "(empty)"
