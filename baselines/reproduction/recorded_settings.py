"""The settings of a recorded run, with folders of this machine in place of their names.

Records hold no folder of trained weights, features or a text encoder, only its name and the hash of
what it held. They are of whatever author, so no path, no file of Python and no setting that says
where something goes is taken from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from baselines.base import Settings
from baselines.features.feature_folder import HEADER, read_feature_header
from baselines.registry import RegistryEntry, class_of
from baselines.reproduction.recorded_run import RunRecord, own_baseline
from baselines.settings import are_members, default_of, is_member
from harness.errors import SubmissionError, WrongUsageError
from harness.files import shown

_TRAINED = "checkpoint.json"  # holds the hash of the weights, so its own is that of both files
_ENCODER = ("config.json", "modules.json")  # one of them is in the folder of a text encoder
_FEATURES = "features"  # the setting whose folders are found by the hashes in the details
_FROZEN = ("text", "checkpoint")  # the settings that may name the folder of a text encoder
# The settings that say with what a training begins, which no record holds; the first begins anew.
_FIRST = "dual_encoder"
_BEGINS_WITH = {"recogniser": "DUAL_ENCODER", "start": "DUAL_ENCODER", "clip": "CHECKPOINT"}
_BEFORE = {"reader": "events"}  # what a setting was that older records lack
_OLD_NAMES = {"members": "member"}  # of settings, in records of before
_DEPTH = 4  # of members within members
_LARGEST = 1 << 22  # bytes of checkpoint.json


class TrainedPart(NamedTuple):
    """A baseline with trained weights in a run: itself or a member; the record's details of it."""

    entry: RegistryEntry
    name: str
    details: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """The recorded hash of the trained folder."""
        return str(self.details.get("checkpoint", ""))


class SettingsReader:
    """Reads the settings of a record.

    `folders`: those of trained weights, of features and of text encoders on this machine.
    """

    def __init__(self, record: RunRecord, folders: Sequence[Path] = ()) -> None:
        self._record = record
        self._features = {
            read_feature_header(folder).key: folder for folder in folders if _is_features(folder)
        }
        self._encoders = {
            folder.resolve().name: folder for folder in folders if _is_encoder(folder)
        }
        self._trained = [folder for folder in folders
                         if not (_is_features(folder) or _is_encoder(folder))]  # fmt: skip
        self._hashes = {_sha256(folder): folder for folder in self._trained}
        self.parts: list[TrainedPart] = []

    def settings(self) -> dict[str, Any]:
        """Those settings that are not the defaults, by name, as a configuration file has them.

        Raises SubmissionError if the record holds others than a record may, WrongUsageError if a
        trained folder is not given.
        """
        self.parts = []
        entry = own_baseline(self._record.baseline, "run.json")
        return self._of(entry, self._record.settings, self._record.details, "settings", 0)

    def _of(
        self,
        entry: RegistryEntry,
        given: Mapping[str, Any],
        details: Mapping[str, Any],
        place: str,
        depth: int,
    ) -> dict[str, Any]:
        kind = class_of(entry).settings_type
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        inner = iter(_tables(details.get("members")))
        found: dict[str, Any] = {}
        named = _renamed(given, fields)
        # In the order of the fields, as the details of members have it; unknown ones last.
        for name in sorted(named, key=[*fields, *named].index):
            value = named[name]
            where = f"{place}.{name}"
            if name not in fields or name in kind.RUNTIME_ONLY or depth > _DEPTH:
                raise SubmissionError(
                    f"run.json: {shown(where)}: is no setting that answers of {entry.name} depend "
                    "on; run the code of the row's commit with --at-commit"
                )
            # What is written in a member was given there; of the whole all settings are recorded.
            if depth == 0 and value == _as_recorded(default_of(fields[name])):
                continue
            if name == _FEATURES:
                continue
            if is_member(fields[name].type):
                members = [self._member(each, inner, where, depth) for each in _several(value)]
                several = are_members(fields[name].type)
                if several or members:
                    found[name] = tuple(members) if several else members[0]
            else:
                found[name] = self._value(entry, kind, name, value, details)
        if _FEATURES in fields and (recorded := _feature_folders(details)):
            found[_FEATURES] = tuple(self._features_of(each) for each in recorded)
        return found

    def _features_of(self, recorded: Mapping[str, Any]) -> str:
        """The folder with the recorded features, by their hash."""
        key = str(recorded.get("key"))
        if key in self._features:
            return str(self._features[key].resolve())
        encoder = recorded.get("encoder")
        made = f" of {shown(str(encoder))}" if encoder else ""
        raise WrongUsageError(
            f"expected the features {shown(str(recorded.get('name')))}{made} with the hash "
            f"{shown(key[:12])[1:-1]}, found {len(self._features)} others; name their folder with "
            "--trained FOLDER, or make it with `ivcr features build` or `ivcr features import`"
        )

    def _member(
        self, value: Any, details: Iterator[Mapping[str, Any]], place: str, depth: int
    ) -> dict[str, Any]:
        """A member as a setting has it; `details`: those of the members that are left."""
        table = _member_table(value, place)
        entry = own_baseline(table["baseline"], f"run.json: {place}")
        of_it = next(details, {}).get("details", {})
        settings = self._of(entry, table["settings"], of_it, place, depth + 1)
        return {"baseline": entry.name, "settings": settings, "weight": table["weight"]}

    def _value(
        self,
        entry: RegistryEntry,
        kind: type[Settings],
        name: str,
        value: Any,
        details: Mapping[str, Any],
    ) -> Any:
        if name in kind.PATHS and isinstance(value, list):
            return [self._value(entry, kind, name, each, details) for each in value]
        if name not in kind.PATHS or not isinstance(value, str) or not value:
            return value
        if name in _FROZEN and value in self._encoders:
            return str(self._encoders[value].resolve())
        if not entry.about.trains or name != "checkpoint":
            if Path(value).is_absolute() or ".." in Path(value).parts or Path(value).exists():
                raise SubmissionError(
                    f"run.json: {shown(name)}: expected the published name of a checkpoint, found "
                    f"{shown(value)}, a place on this machine; no record may name one"
                )
            return value
        part = TrainedPart(entry, value, details)
        self.parts.append(part)
        return str(self._folder(part).resolve())

    def _folder(self, part: TrainedPart) -> Path:
        """The folder of a part: by its hash, else by its name, else the only one that is given."""
        if part.sha256 in self._hashes:
            return self._hashes[part.sha256]
        named = [folder for folder in self._trained if folder.resolve().name == part.name]
        for found in (named, self._trained):
            if len(found) == 1:
                return found[0]
        raise WrongUsageError(
            f"{part.entry.name}: expected the trained folder with the hash {part.sha256[:12]}, "
            f"found it in none of the {len(self._trained)} folders that were given; name it with "
            f"--trained FOLDER, or make it with\n  {training_command(part)}"
        )


def training_command(part: TrainedPart, out: str | None = None) -> str:
    """The command that trains the weights of a part again, as far as its record tells."""
    trained = part.details.get("trained")
    trained = trained if isinstance(trained, dict) else {}
    recorded = trained.get("settings")
    settings = _BEFORE | recorded if isinstance(recorded, dict) else _BEFORE
    kind = class_of(part.entry).settings_type
    defaults = {field.name: default_of(field) for field in msgspec.structs.fields(kind)}
    chosen = [
        f"{name}={value}"
        for name, value in settings.items()
        if name in defaults and value != defaults[name] and str(value).isprintable()
    ]
    if part.entry.name != _FIRST and not ("reader" in defaults and settings["reader"] == "frames"):
        chosen += [f"{name}={of}" for name, of in _BEGINS_WITH.items() if name in defaults]
    words = "".join(f" --set {each}" for each in chosen)
    seed = trained.get("seed", 0)
    where = out or f"{part.entry.name}-{seed}"
    return f"ivcr baseline train {part.entry.name} --benchmark B --seed {seed} --out {where}{words}"


def _renamed(given: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their present names."""
    return {
        _OLD_NAMES.get(name, name) if name not in fields else name: value
        for name, value in given.items()
    }


def _as_recorded(value: Any) -> Any:
    """A default as a record has it: lists for tuples."""
    return (
        msgspec.json.decode(msgspec.json.encode(value)) if value is not msgspec.NODEFAULT else ...
    )


def _several(value: Any) -> list[Any]:
    """The members that a setting holds; older records have them as text, one behind a semicolon."""
    if value in (None, "", "none"):
        return []
    if isinstance(value, str):
        return value.split(";")
    return list(value) if isinstance(value, list) else [value]


def _member_table(value: Any, place: str) -> dict[str, Any]:
    """A member's name, settings and weight; older records have name?setting=value&... as text."""
    if isinstance(value, str):
        name, _, rest = value.partition("?")
        pairs = [each.partition("=") for each in rest.split("&") if each]
        return {"baseline": name, "settings": {k: v for k, _, v in pairs}, "weight": 1.0}
    if not isinstance(value, dict) or not isinstance(value.get("baseline"), str):
        raise SubmissionError(f"run.json: {shown(place)}: expected a baseline with its settings")
    settings, weight = value.get("settings", {}), value.get("weight", 1.0)
    if not isinstance(settings, dict) or not isinstance(weight, int | float):
        raise SubmissionError(f"run.json: {shown(place)}: expected settings and a weight")
    return {"baseline": value["baseline"], "settings": settings, "weight": float(weight)}


def _feature_folders(details: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a record says of the folders of features, one by one; empty if there were none."""
    features = details.get(_FEATURES)
    return _tables(features.get("folders")) if isinstance(features, dict) else []


def _is_features(folder: Path) -> bool:
    return (folder / HEADER).is_file()


def _is_encoder(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _ENCODER)


def _tables(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _sha256(folder: Path) -> str:
    """The hash of a trained folder. Raises WrongUsageError if it is none."""
    try:
        with (folder / _TRAINED).open("rb") as stream:
            return hashlib.sha256(stream.read(_LARGEST)).hexdigest()
    except OSError as error:
        raise WrongUsageError(
            f"{folder}: expected a folder of trained weights ({_TRAINED}), of features "
            f"({HEADER}) or of a text encoder ({_ENCODER[0]}): {error.strerror}"
        ) from error
