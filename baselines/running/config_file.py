"""The file that `--config` names: the settings of a baseline, and of those that it is made of.

    variant = "BM25 and SigLIP 2"             # how people tell the run from others; optional

    [settings]                                # of the whole
    candidates = "unused"

    [[member]]                                # hybrid: as many as there are
    baseline = "bm25"

    [[member]]
    baseline = "clip"
    weight = 2
    [member.settings]                         # as `--set` takes them
    context = "decayed"

`pipeline` and `two_stage` have tables of their own instead of members: [retriever], [localiser],
[assistant]. A member that is itself made of others has its members inside, as
[[retriever.member]]. Paths are relative to the file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from baselines.base import MemberConfig, Settings
from baselines.registry import RegistryEntry, class_of, find
from baselines.running.card_settings import check_variant
from baselines.settings import are_members, check_value, finding, is_member
from harness.errors import EnvironmentFailure, IvcrError, WrongUsageError, did_you_mean
from harness.files import shown
from harness.untrusted import UnfitFileError, toml_table

MAX_BYTES = 65_536
MAX_TABLES = 300
MAX_DEPTH = 3  # of members within members
MAX_WEIGHT = 1e6


class ConfigFile(NamedTuple):
    """The contents of a file: the settings of a baseline by name, and the name of the variant."""

    settings: dict[str, Any]
    variant: str | None = None


def read_config(path: Path, entry: RegistryEntry) -> ConfigFile:
    """Read a file that describes the baseline `entry`.

    Raises EnvironmentFailure if the file cannot be read, WrongUsageError at an unknown key, a value
    of the wrong kind and an unknown baseline.
    """
    table = _table_of(path)
    variant = table.pop("variant", None)
    if variant is not None:
        check_variant(variant, f"{path}: variant")
    named = table.pop("baseline", entry.name)
    if named not in (entry.name, entry.argument):
        raise WrongUsageError(
            f"{path}: baseline: expected {shown(entry.name)}, as the command names it, found "
            f"{finding(named)}; correct one of them"
        )
    return ConfigFile(_Reader(path).settings(table, "", entry), variant)


def _table_of(path: Path) -> dict[str, Any]:
    """The TOML of a small plain file. What is nested too deep is refused before it is parsed."""
    try:
        if path.exists() and not path.is_file():
            raise WrongUsageError(f"{path}: expected a file of TOML, found something else")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise WrongUsageError(f"{path}: expected at most {MAX_BYTES:,} bytes; leave some out")
    if data.count(b"[") + data.count(b"{") > MAX_TABLES:
        raise WrongUsageError(
            f"{path}: expected at most {MAX_TABLES} tables and lists; describe fewer baselines"
        )
    try:
        return toml_table(data)
    except UnfitFileError as error:
        raise WrongUsageError(f"{path}: expected TOML in UTF-8: {error}") from error


class _Reader(NamedTuple):
    """Reads the tables of one file."""

    path: Path

    def settings(
        self, table: Mapping[str, Any], place: str, entry: RegistryEntry, more: Collection[str] = ()
    ) -> dict[str, Any]:
        """The settings that a baseline's table gives, its members among them.

        more: keys of the table that are not read here.
        """
        kind = class_of(entry).settings_type
        members = {
            field.name: field.type
            for field in msgspec.structs.fields(kind)
            if is_member(field.type)
        }
        known = ["settings", *members, *more]
        for key in table:
            if key not in known:
                raise self._fault(f"{place}{key}", f"unknown key; {did_you_mean(key, known)}"
                                  f"{entry.name} takes {', '.join(known)}")  # fmt: skip
        found = self._plain(table.get("settings", {}), f"{place}settings", kind, list(members))
        for name, of in members.items():
            if name in table and are_members(of):
                found[name] = self._several(table[name], f"{place}{name}")
            elif name in table:
                found[name] = self._member(table[name], f"{place}{name}", weighted=False)
        return found

    def _plain(
        self, table: Any, place: str, kind: type[Settings], members: list[str]
    ) -> dict[str, Any]:
        """Settings that are no baselines; paths relative to the file."""
        values = self._table(table, place)
        for key, value in values.items():
            if key in members:
                raise self._fault(
                    f"{place}.{key}", f"is a table of its own: [{key}]; move it there"
                )
            check_value(f"{self.path}: {place}", kind, key, value)
        return {
            key: self._relative(value) if key in kind.PATHS else value
            for key, value in values.items()
        }

    def _relative(self, value: Any) -> Any:
        """A setting that may be a path, or several; relative to the file."""
        if isinstance(value, list):
            return [self._relative(each) for each in value]
        return self._beside(value) if isinstance(value, str) else value

    def _several(self, tables: Any, place: str) -> tuple[MemberConfig, ...]:
        if not isinstance(tables, list) or not tables:
            raise self._fault(place, f"expected tables [[{place}]], found {finding(tables)}")
        return tuple(
            self._member(table, f"{place} {number}", weighted=True)
            for number, table in enumerate(tables, start=1)
        )

    def _member(self, value: Any, place: str, *, weighted: bool) -> MemberConfig:
        table = self._table(value, place)
        if place.count(".") >= MAX_DEPTH:
            raise self._fault(place, f"expected members at most {MAX_DEPTH} deep; flatten them")
        name, weight = table.get("baseline"), table.get("weight", 1.0)
        if not isinstance(name, str):
            raise self._fault(f"{place}.baseline", 'expected a name, such as baseline = "bm25"')
        if isinstance(weight, bool) or not (
            isinstance(weight, int | float) and 0 < weight <= MAX_WEIGHT
        ):
            limit = f"expected a number above 0, at most {MAX_WEIGHT:,.0f}"
            raise self._fault(f"{place}.weight", f"{limit}, found {finding(weight)}")
        if name.endswith(".py"):
            name = self._beside(name)
        try:
            entry = find(name)
        except IvcrError as error:
            raise type(error)(f"{self.path}: {place}.baseline: {error}") from error
        more = ("baseline", "weight") if weighted else ("baseline",)
        return MemberConfig(name, self.settings(table, f"{place}.", entry, more), float(weight))

    def _beside(self, text: str) -> str:
        """A path relative to the file; text that names no path stays as it is."""
        path = self.path.parent / text
        try:
            return str(path) if path.exists() or Path(text).exists() else text
        except OSError:
            return text

    def _table(self, value: Any, place: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._fault(place, f"expected a table [{place}], found {finding(value)}")
        return value

    def _fault(self, place: str, text: str) -> WrongUsageError:
        # Keys are any text, so they are shown without controls.
        return WrongUsageError(f"{self.path}: {shown(place)[1:-1]}: {text}")
