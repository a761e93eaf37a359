"""Which baselines there are; none is imported before it is run.

The project's own are found by their files, others by the path of a file, or by the entry points
`ivcr.baselines` of installed packages, each of which names a module.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata, util
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

import msgspec

from baselines.base import About, Baseline, NoSettings, Settings
from baselines.settings import read_settings
from harness.declarations import declaration
from harness.errors import EnvironmentFailure, WrongUsageError, did_you_mean
from harness.files import shown

Kind = Literal["floor", "retriever", "localiser", "assistant", "own"]
KINDS: tuple[Kind, ...] = ("floor", "retriever", "localiser", "assistant")
ENTRY_POINTS = "ivcr.baselines"
_ROOT = Path(__file__).parent
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SHAPE = "ABOUT = About(...) with literal arguments (docs/extending.md has an example)"


class RegistryEntry(NamedTuple):
    """A baseline's name, kind (its folder), summary (first line of its file) and declaration.

    Of baselines outside the project: `path` is the file, and `module` its name if it is installed.
    `instance`: one that a program has made itself; `path` is then None where no file has its code.
    """

    name: str
    kind: Kind
    summary: str
    about: About
    path: Path | None = None
    module: str = ""
    instance: Baseline | None = None

    @property
    def file(self) -> str:
        """Its file: from the root of the project, or the name alone if it lies elsewhere.

        Empty where no file has its code.
        """
        if self.path is not None:
            return self.path.name
        return "" if self.instance else f"baselines/{self.kind}s/{self.name}.py"

    @property
    def argument(self) -> str:
        """What the command line takes as its name."""
        return str(self.path) if self.path and not self.module else self.name

    @property
    def code(self) -> Path | None:
        """The file or package outside the project that its answers may depend on."""
        if self.path is None or not self.module:
            return self.path
        levels = self.module.count(".") + (self.path.name == "__init__.py")
        return self.path.parents[levels - 1] if levels else self.path


def all_baselines() -> tuple[RegistryEntry, ...]:
    """All baselines of the project, by kind and name."""
    return tuple(
        RegistryEntry(path.stem, kind, *declared)
        for kind in KINDS
        for path in sorted((_ROOT / f"{kind}s").glob("*.py"))
        if (declared := _declaration(path)) is not None
    )


def installed_baselines() -> dict[str, metadata.EntryPoint]:
    """By name the baselines of installed packages; none of them is imported."""
    return {point.name: point for point in metadata.entry_points(group=ENTRY_POINTS)}


def find(name: str) -> RegistryEntry:
    """The baseline of that name; a name that ends with .py is the path of a file.

    Raises WrongUsageError if there is none, or its file declares none, or two have one name;
    EnvironmentFailure if its file is absent.
    """
    own = {entry.name: entry for entry in all_baselines()}
    if name.endswith(".py"):
        return _outside(Path(name).stem, Path(name), "", own)
    installed = installed_baselines()
    if name in installed:
        point = installed[name]
        return _outside(name, _module_file(point), point.value, own)
    if name not in own:
        hint = did_you_mean(name, [*own, *installed])
        raise WrongUsageError(
            f"no baseline {shown(name)}; {hint}`ivcr baseline list` shows all; the name of a file "
            "ends with .py"
        )
    return own[name]


def load(
    entry: RegistryEntry, assignments: Sequence[str] = (), values: Mapping[str, Any] | None = None
) -> tuple[Baseline, Settings]:
    """Import a baseline and make it with settings; also returns the settings.

    values: settings by name, as a configuration file has them; assignments: more of them as texts
    `key=value`, which come first. Raises WrongUsageError at an unknown setting or a value that is
    not allowed.
    """
    if entry.instance is not None:
        return entry.instance, NoSettings()
    values = values or {}
    kind = class_of(entry)
    settings = read_settings(entry.name, kind.settings_type, assignments, values)
    baseline = kind(settings)
    baseline.given = frozenset([*values, *(text.partition("=")[0] for text in assignments)])
    return baseline, settings


def class_of(entry: RegistryEntry) -> type[Baseline]:
    """The class of a baseline, which imports its file: the subclass that is defined there.

    Raises WrongUsageError if there is not exactly one, or if it lacks a method that it must have.
    """
    module = _module(entry)
    defined = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Baseline)
        and value.__module__ == module.__name__
    ]  # fmt: skip
    if len(defined) != 1:
        raise WrongUsageError(
            f"{entry.path or entry.file}: expected one subclass of Baseline, found {len(defined)}; "
            "define one class with `prepare` and `answer`"
        )
    for name in ("prepare", "answer"):
        if getattr(defined[0], name) is getattr(Baseline, name):
            raise WrongUsageError(
                f"{entry.path or entry.file}: {defined[0].__name__} has no method {name}; define "
                "`prepare` and `answer`"
            )
    return defined[0]


def _module(entry: RegistryEntry) -> ModuleType:
    if entry.path is None or entry.module:
        return importlib.import_module(
            entry.module or entry.file.removesuffix(".py").replace("/", ".")
        )
    place = hashlib.sha256(str(entry.path.resolve()).encode()).hexdigest()[:8]
    name = f"own_baseline_{entry.name}_{place}"
    if name not in sys.modules:
        spec = util.spec_from_file_location(name, entry.path)
        assert spec is not None  # noqa: S101 - its name ends with .py
        assert spec.loader is not None  # noqa: S101
        sys.modules[name] = util.module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            what = f"{type(error).__name__}: {error}"
            raise WrongUsageError(
                f"{entry.path}: cannot be imported: {shown(what)[1:-1]}; try `python {entry.path}`"
            ) from error
    return sys.modules[name]


def _outside(name: str, path: Path, module: str, own: Mapping[str, RegistryEntry]) -> RegistryEntry:
    """A baseline that is no part of the project."""
    if name in own:
        raise WrongUsageError(
            f"{path}: {name} is a baseline of the project already; give this one another name"
        )
    if not _NAME.fullmatch(name):
        raise WrongUsageError(
            f"{path}: expected a name of 1 to 60 letters, digits, _ or -, found {shown(name)}; "
            "rename it"
        )
    declared = _declaration(path)
    if declared is None:
        raise WrongUsageError(f"{path}: expected {_SHAPE}, found no ABOUT; add it")
    return RegistryEntry(name, "own", *declared, path, module)


def _module_file(point: metadata.EntryPoint) -> Path:
    """The file of an entry point's module. Imports the packages that it lies in, not the module."""
    place = f"{point.name}: installed by {point.dist.name if point.dist else 'a package'}"
    if point.attr:
        raise WrongUsageError(
            f"{place}: expected an entry point that names a module, found {shown(point.value)}; "
            f"leave :{point.attr} out"
        )
    try:
        spec = util.find_spec(point.module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise EnvironmentFailure(
            f"{place}: its module {point.module} is not there; install the package again"
        )
    return Path(spec.origin)


def _declaration(path: Path) -> tuple[str, About] | None:
    """The first line of a file and its `ABOUT = About(...)`, read from the source; or None."""
    try:
        declared = declaration(path.read_bytes(), "ABOUT")
    except OSError as error:
        raise EnvironmentFailure(
            f"{path}: cannot be read: {error.strerror}; name a file of Python, or a baseline that "
            "`ivcr baseline list` shows"
        ) from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise WrongUsageError(f"{path}: is no Python: {error or type(error).__name__}") from error
    return declared and (declared.summary, _about(path, declared.value))


def _about(path: Path, value: ast.expr) -> About:
    try:
        about = _about_of(value)
    except (TypeError, ValueError, msgspec.ValidationError) as error:
        raise WrongUsageError(f"{path}: expected {_SHAPE}, found another ({error})") from error
    if not about.histories:
        raise WrongUsageError(f"{path}: ABOUT: expected one history at least; leave histories out")
    return about


def _about_of(value: ast.expr) -> About:
    """The record that `About(...)` writes. Raises ValueError or TypeError if it is not that."""
    if not isinstance(value, ast.Call) or ast.unparse(value.func) != "About" or value.args:
        raise ValueError(shown(ast.unparse(value)))
    given = {str(key.arg): ast.literal_eval(key.value) for key in value.keywords}
    return msgspec.convert(msgspec.to_builtins(About(**given)), About)
