"""Documents of strangers, checked against the published schemas beside this file.

`jsonschema` finds what is wrong. The words are ours: the place, what is expected there, what was
found. A schema's `title` names what it expects.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import IvcrError
from harness.files import shown

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MISMATCHES = 1000  # at most so many of one document
UNKNOWN_KEYS = 100  # at most so many of one table
DEPTH = 16  # no document that a schema accepts is nested so deep
LARGEST = 2**64  # larger numbers are out of every range that a schema gives
TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "null",
}

WORDS = {
    "const": "{}",
    "not": "no such key",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minimum": "at least {}",
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), "a length of at most {}"),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), "a length of at least {}"),
}
# What is counted where a length is wrong.
LENGTHS = {
    **dict.fromkeys(("maxLength", "minLength"), "characters"),
    **dict.fromkeys(("maxItems", "minItems", "maxProperties", "minProperties"), "entries"),
}
_PLAIN = re.compile(r"[\w./@+=>-]{1,80}", re.ASCII)


class Mismatch(NamedTuple):
    """One place where a document departs from its schema.

    `keys`: the keys and positions that lead to the place; `keyword`: the keyword of JSON Schema
    that fails, `type` also where no alternative has the value's type; `conditional`: the schema
    requires it of some documents only.
    """

    keys: tuple[str | int, ...]
    keyword: str
    conditional: bool
    expected: str
    found: str

    @property
    def text(self) -> str:
        """Place, expectation and finding."""
        place = ".".join(map(quote_key, self.keys))
        if self.keyword == "required":
            return f"{place} is missing"
        if self.keyword == "additionalProperties":
            return f"unknown key {place}"
        text = f"expected {self.expected}, found {self.found}"
        return f"{place}: {text}" if place else text


def mismatches(name: str, document: Any) -> Iterator[Mismatch]:
    """Where a document departs from the schema `name`, the first MISMATCHES of them.

    The document is one that `plain` returned, or made of JSON values from this program.
    """
    for error in islice(_validator(name).iter_errors(document), MISMATCHES):
        yield from map(_mismatch, _closest(error))


def require(
    name: str, document: Any, place: Path | str, next_step: str, failure: type[IvcrError]
) -> None:
    """Raise `failure` with the first mismatch, if the document departs from the schema `name`."""
    first = next(mismatches(name, plain(document)), None)
    if first is not None:
        raise failure(f"{place}: {first.text}; {next_step}")


def plain(value: Any, depth: int = 0) -> Any:
    """A TOML or JSON value as JSON holds it, bounded in depth and in the size of numbers.

    Dates and times become their text. Equal to `value` wherever a schema accepts it.
    """
    if isinstance(value, dict):
        return None if depth > DEPTH else {k: plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return None if depth > DEPTH else [plain(entry, depth + 1) for entry in value]
    if isinstance(value, int) and abs(value) > LARGEST:
        # Thousands of digits cannot be written out, and no message needs them.
        return LARGEST if value > 0 else -LARGEST
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value


@cache
def schema(name: str) -> dict[str, Any]:
    """The published schema `name`: benchmark, card, challenge, ledger, scores, team, ..."""
    document = files("harness.schemas").joinpath(f"{name}.json").read_bytes()
    loaded: dict[str, Any] = json.loads(document)
    return loaded


@cache
def _validator(name: str) -> Validator:
    # Here, not above: `ivcr --help` is not to wait for it.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    own = {"required": _required, "additionalProperties": _additional, "maximum": _maximum}
    kind: Any = extend(Draft202012Validator, own)  # type: ignore[no-untyped-call]
    validator: Validator = kind(schema(name))
    return validator


def _error(message: str, **details: Any) -> ValidationError:
    from jsonschema.exceptions import ValidationError

    return ValidationError(message, **details)


def _required(validator: Validator, keys: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    """As in jsonschema, but the path names the missing key."""
    if validator.is_type(value, "object"):
        yield from (_error("missing", path=[key]) for key in keys if key not in value)


def _additional(
    validator: Any, allowed: Any, value: Any, schema_: Any
) -> Iterator[ValidationError]:
    """As in jsonschema, but in the order of the document, and the path names the key."""
    if not validator.is_type(value, "object"):
        return
    extras = (key for key in value if key not in schema_.get("properties", {}))
    if allowed is False:
        yield from (_error("unknown", path=[key]) for key in islice(extras, UNKNOWN_KEYS))
        return
    for key in extras:
        yield from validator.descend(value[key], allowed, path=key)


def _maximum(validator: Validator, most: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    """As in jsonschema, but NaN is out of every range."""
    if validator.is_type(value, "number") and not value <= most:
        yield _error("too large")


def _closest(error: ValidationError) -> Iterator[ValidationError]:
    """The error, or for a table or list those of the one alternative that has its type."""
    branches = _branches(error) if isinstance(error.instance, dict | list) else []
    alike = [branch for branch in branches if not _is_branch_of_other_type(branch)]
    if len(alike) != 1:
        yield error
        return
    for inner in alike[0]:
        yield from _closest(inner)


def _mismatch(error: ValidationError) -> Mismatch:
    keyword = "type" if _is_of_other_type(error) else str(error.validator)
    conditional = not {"then", "else"}.isdisjoint(error.absolute_schema_path)
    expected, found = _expected(error, keyword), quote_value(error.instance)
    if "propertyNames" in error.absolute_schema_path:
        expected, found = f"as a key {expected}", f"the key {found}"
    elif keyword in LENGTHS:
        instance: Any = error.instance
        found = f"{found} of {len(instance):,} {LENGTHS[keyword]}"
    return Mismatch(tuple(error.absolute_path), keyword, conditional, expected, found)


def _is_of_other_type(error: ValidationError) -> bool:
    """Whether the value has another type than expected, in every alternative if there are some."""
    if error.validator != "anyOf":
        return error.validator == "type"
    return all(map(_is_branch_of_other_type, _branches(error)))


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    """The errors of each alternative of an `anyOf`; none of another keyword."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in (error.context or ()) if error.validator == "anyOf" else ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    return list(branches.values())


def _is_branch_of_other_type(branch: list[ValidationError]) -> bool:
    return any(not inner.relative_path and _is_of_other_type(inner) for inner in branch)


def _expected(error: ValidationError, keyword: str) -> str:
    """The expectation in words: of the schema's title, else of its keyword."""
    value: Any = error.validator_value
    if error.validator == "type":
        return " or ".join(TYPES[name] for name in ([value] if isinstance(value, str) else value))
    if isinstance(error.schema, dict) and "title" in error.schema:
        return str(error.schema["title"])
    if keyword == "enum":
        return " or ".join(f'"{name}"' for name in value)
    if error.validator is None:  # the schema `false`, which nothing meets
        return WORDS["not"]
    if keyword in WORDS:
        return WORDS[keyword].format(value)
    return f"what the keyword {keyword} of the published schema allows"


def quote_key(key: str | int) -> str:
    """An untrusted key for a message: as it is if it is plain, else quoted, escaped and cut."""
    text = str(key)
    return text if _PLAIN.fullmatch(text) else shown(text)


def quote_value(value: Any) -> str:
    """An untrusted value for a message, escaped and cut."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) >= LARGEST:
        return "a number of more than 64 bits"
    return shown(value) if isinstance(value, str) else quote_key(json.dumps(value))
