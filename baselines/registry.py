"""Which baselines there are, found by their files; none is imported before it is run."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import msgspec

from baselines.base import About, Baseline, Settings
from harness.errors import WrongUsageError
from harness.files import shown

Kind = Literal["floor", "retriever", "localiser", "assistant"]
KINDS: tuple[Kind, ...] = ("floor", "retriever", "localiser", "assistant")
_ROOT = Path(__file__).parent


class RegistryEntry(NamedTuple):
    """A baseline's name, kind (its folder), summary (first line of its file) and declaration."""

    name: str
    kind: Kind
    summary: str
    about: About

    @property
    def file(self) -> str:
        """Its file, from the root of the project."""
        return f"baselines/{self.kind}s/{self.name}.py"


def all_baselines() -> tuple[RegistryEntry, ...]:
    """All baselines, by kind and name."""
    return tuple(
        entry
        for kind in KINDS
        for path in sorted((_ROOT / f"{kind}s").glob("*.py"))
        if (entry := _entry(path, kind)) is not None
    )


def find(name: str) -> RegistryEntry:
    """The baseline of that name. Raises WrongUsageError if there is none."""
    entries = {entry.name: entry for entry in all_baselines()}
    if name not in entries:
        hint = _did_you_mean(name, list(entries))
        raise WrongUsageError(f"no baseline {shown(name)}; {hint}`ivcr baseline list` shows all")
    return entries[name]


def load(entry: RegistryEntry, assignments: Sequence[str] = ()) -> tuple[Baseline, Settings]:
    """Import a baseline and make it with the settings `key=value`; also returns the settings.

    Raises WrongUsageError at an unknown setting or a value that is not allowed.
    """
    made = class_of(entry)
    settings = _settings(entry.name, made.settings_type, assignments)
    baseline = made(settings)
    baseline.given = frozenset(name.partition("=")[0] for name in assignments)
    return baseline, settings


def class_of(entry: RegistryEntry) -> type[Baseline]:
    """The class of a baseline, which imports its file: the subclass that is defined there."""
    module = importlib.import_module(entry.file.removesuffix(".py").replace("/", "."))
    defined = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Baseline)
        and value.__module__ == module.__name__
    ]  # fmt: skip
    if len(defined) != 1:
        raise TypeError(f"{entry.file}: expected one subclass of Baseline, found {len(defined)}")
    return defined[0]


def changed_settings(settings: Settings) -> dict[str, Any]:
    """Those of the settings that answers depend on which differ from their defaults, by name."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(settings)}
    values = settings.result_settings()
    return {name: value for name, value in values.items() if value != defaults[name]}


def without_paths(value: Any) -> Any:
    """A setting without the folders that it names: a file's own name is what others can read.

    What it holds is told by its hash, in the details.
    """
    if not isinstance(value, str):
        return value
    return "".join(map(_own_name, re.split(r"([;&?=])", value)))


def _own_name(part: str) -> str:
    try:
        return Path(part).resolve().name if "/" in part and Path(part).exists() else part
    except OSError:
        return part


def _entry(path: Path, kind: Kind) -> RegistryEntry | None:
    """What a file declares in `ABOUT = About(...)`, read from its source; None without it."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ABOUT":
            call = cast(ast.Call, node.value)
            about = About(**{str(key.arg): ast.literal_eval(key.value) for key in call.keywords})
            summary = (ast.get_docstring(tree) or "").partition("\n")[0]
            return RegistryEntry(path.stem, kind, summary, about)
    return None


def _settings(name: str, kind: type[Settings], assignments: Sequence[str]) -> Settings:
    known = [field.name for field in msgspec.structs.fields(kind)]
    given: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or key in given:
            raise WrongUsageError(f"--set {shown(assignment)}: expected key=value, each key once")
        if key not in known:
            hint = _did_you_mean(key, known)
            has = f"{name} has {', '.join(known)}" if known else f"nothing can be set in {name}"
            raise WrongUsageError(f"--set {shown(assignment)}: unknown setting; {hint}{has}")
        given[key] = value
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise WrongUsageError(f"{name}: {error} in --set; {_allowed(kind)}") from error


def _allowed(kind: type[Settings]) -> str:
    """The values that the settings may take, in words."""
    return "; ".join(
        f"{field.name} is one of {', '.join(map(_named, field.type.__args__))}"
        if hasattr(field.type, "__args__")
        else f"{field.name} is of type {field.type.__name__}"
        for field in msgspec.structs.fields(kind)
    )


def _named(allowed: Any) -> str:
    """A value, or the name of a type."""
    return allowed.__name__ if isinstance(allowed, type) else str(allowed)


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    # Here, not above: listing the baselines needs no suggestion.
    from rapidfuzz.fuzz import ratio
    from rapidfuzz.process import extractOne

    close = extractOne(word, known, scorer=ratio, score_cutoff=60)
    return "" if close is None else f"did you mean {close[0]}? "
