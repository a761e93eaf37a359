"""Settings of baselines: read from text and from tables, compared with their defaults, in words."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from baselines.base import MemberConfig, Settings
from harness.errors import WrongUsageError, did_you_mean
from harness.files import shown

_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def read_settings(
    name: str, kind: type[Settings], assignments: Sequence[str], values: Mapping[str, Any]
) -> Settings:
    """The settings of the baseline `name`: `values` of the right types, then `key=value` texts.

    Raises WrongUsageError at an unknown setting or a value that is not allowed.
    """
    texts = _assigned(name, kind, assignments)
    for key, value in values.items():
        check_value(name, kind, key, value)
    for key, text in texts.items():
        value = text if isinstance(text, str) else ",".join(text)
        check_value(f"{name}: --set {shown(f'{key}={value}')}", kind, key, text, strict=False)
    try:
        settings = msgspec.convert(dict(values) | texts, kind, strict=False)
    except msgspec.ValidationError as error:
        raise WrongUsageError(
            f"{name}: {error}; `ivcr baseline info {name}` shows all settings"
        ) from error
    return settings


def check_value(
    place: str, kind: type[Settings], key: str, value: Any, *, strict: bool = True
) -> None:
    """Check a setting, which stands in `place`.

    strict: whether text is refused where a number is expected. Raises WrongUsageError if there is
    no such setting or it cannot have that value.
    """
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    if key not in fields:
        hint = did_you_mean(key, fields)
        raise WrongUsageError(
            f"{place}: unknown setting {shown(key)}; {hint}expected one of {', '.join(fields)}"
        )
    try:
        msgspec.convert(value, fields[key].type, strict=strict)
    except msgspec.ValidationError as error:
        raise WrongUsageError(
            f"{place}: {key} is {allowed(fields[key].type)}, found {finding(value)}"
        ) from error


def finding(value: Any) -> str:
    """A value of a file in one line of an error."""
    try:
        return shown(value if isinstance(value, str) else str(value))
    except (ValueError, RecursionError):  # an integer of thousands of digits, or what holds one
        return f"a value of type {type(value).__name__} that is too large to show"


def changed_settings(settings: Settings) -> dict[str, Any]:
    """Those of the settings that answers depend on which differ from their defaults, by name."""
    defaults = {field.name: default_of(field) for field in msgspec.structs.fields(settings)}
    values = settings.result_settings()
    return {name: value for name, value in values.items() if value != defaults[name]}


def default_of(field: FieldInfo) -> Any:
    """A setting's default as a plain value; msgspec.NODEFAULT if it has to be given."""
    if field.required:
        return msgspec.NODEFAULT
    factory = field.default_factory
    return msgspec.to_builtins(field.default if factory is msgspec.NODEFAULT else factory())


def without_paths(value: Any) -> Any:
    """Settings without the folders that they name: a file's own name is what others can read.

    The details of a run hold the hash of what such a folder contains.
    """
    if isinstance(value, Mapping):
        return {name: without_paths(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(part) for part in value]
    return _own_name(value) if isinstance(value, str) else value


def _own_name(text: str) -> str:
    try:
        return Path(text).resolve().name if "/" in text and Path(text).exists() else text
    except OSError:
        return text


def is_member(kind: Any) -> bool:
    """Whether a setting of that type is a baseline, or several."""
    return kind is MemberConfig or any(map(is_member, get_args(kind)))


def are_members(kind: Any) -> bool:
    """Whether a setting of that type is several baselines."""
    return get_origin(kind) is tuple and is_member(kind)


def are_texts(kind: Any) -> bool:
    """Whether a setting of that type is several texts, which commas separate on a command line."""
    return bool(kind == tuple[str, ...])


def allowed(kind: Any) -> str:
    """The values of a type, in words."""
    parts = get_args(kind)
    if are_texts(kind):
        return "texts (A,B; in a file a list)"
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, parts))}"
    if parts and not is_member(kind):
        return " or ".join("nothing" if part is type(None) else allowed(part) for part in parts)
    return "a baseline of its own" if is_member(kind) else _WORDS.get(kind, kind.__name__)


def descriptions(kind: type[Settings]) -> dict[str, str]:
    """By name, what the docstrings of a class of settings and of its bases say of each setting."""
    names = [field.name for field in msgspec.structs.fields(kind)]
    found: dict[str, str] = {}
    for base in kind.__mro__:
        if issubclass(base, Settings) and base is not Settings:
            found = _described(base.__doc__ or "", names) | found
    return found


def _described(text: str, names: Collection[str]) -> dict[str, str]:
    """What stands behind each "name:" or "name, name:" of a docstring, up to the next."""
    one = "|".join(map(re.escape, names)) or r"\0"
    parts = re.split(rf"\b((?:(?:{one})(?:, | and ))*(?:{one})): ", " ".join(text.split()))
    return {
        name: parts[at + 1].strip(" ;.")
        for at in range(1, len(parts) - 1, 2)
        for name in re.split(", | and ", parts[at])
    }


def _assigned(
    name: str, kind: type[Settings], assignments: Sequence[str]
) -> dict[str, str | list[str]]:
    """By name the texts of assignments `key=value`; several texts as a list of them."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    plain = [key for key, field in fields.items() if not is_member(field.type)]
    texts: dict[str, str | list[str]] = {}
    for assignment in assignments:
        place = f"--set {shown(assignment)}"
        key, equals, value = assignment.partition("=")
        if not equals or key in texts:
            raise WrongUsageError(f"{place}: expected key=value, each key once")
        if key not in plain and len(plain) < len(fields):
            raise WrongUsageError(
                f"{place}: the members of {name} are described in a file, which --config names; "
                f"`ivcr baseline info {name}` shows one; {_known(plain)}"
            )
        if key not in plain:
            known = _known(plain) if plain else f"nothing can be set in {name}"
            raise WrongUsageError(f"{place}: unknown setting; {did_you_mean(key, plain)}{known}")
        texts[key] = _split(value) if are_texts(fields[key].type) else value
    return texts


def _split(text: str) -> list[str]:
    """Texts with commas between; of an empty text none."""
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _known(names: Collection[str]) -> str:
    return f"--set takes {', '.join(names)}" if names else "--set takes nothing"
