"""CONFIG.toml of `ivcr serve`: where a server's files are. Paths are relative to the file.

submissions = "submissions"       # with challenge.toml, which has the phases
benchmark = "benchmark"           # the full one, with gold
public = "public"                 # the copy that participants have, by `data publish --exam`
results = "results"               # what the organizers' builds computed
database = "sqlite:///exam.db"    # or postgresql://USER@HOST/NAME
practice = ["dry run"]            # phases whose turns participants have: never `verified`
host = "127.0.0.1"
port = 8000
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Phase, require_challenge
from harness.errors import EnvironmentFailure, IvcrError, WrongUsageError, did_you_mean
from harness.files import shown
from harness.untrusted import UnfitFileError, read_small, toml_table

LIMIT = 1 << 20  # bytes
DATABASE = "sqlite:///exam.db"
_FILE = "sqlite:///"


class ServeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What a server is told; places are absolute."""

    submissions: Path
    benchmark: Path
    results: Path
    public: Path | None = None
    database: str = DATABASE
    practice: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000


def read_serve_config(path: Path) -> ServeConfig:
    """The configuration in a file. Raises WrongUsageError, EnvironmentFailure if it is absent."""
    try:
        table: dict[str, Any] = dict(toml_table(read_small(path, LIMIT)))
    except UnfitFileError as error:
        kind = EnvironmentFailure if error.reason == "unreadable" else WrongUsageError
        raise kind(f"{path}: {error}") from error
    names = ServeConfig.__struct_fields__
    for name in table:
        if name not in names:
            raise WrongUsageError(
                f"{path}: unknown key {shown(name)}; {did_you_mean(name, names)}expected "
                + ", ".join(names)
            )
    folder = path.absolute().parent
    for name in ("submissions", "benchmark", "results", "public"):
        if isinstance(table.get(name), str):
            table[name] = str(folder / table[name])
    database = table.get("database", DATABASE)
    if isinstance(database, str) and database.startswith(_FILE):
        table["database"] = _FILE + str(folder / database.removeprefix(_FILE))
    try:
        return msgspec.convert(table, ServeConfig, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise WrongUsageError(f"{path}: {error}; see docs/hosting.md") from error


def config_problems(config: ServeConfig) -> Iterator[str]:
    """All that is wrong with a configuration, a line each."""
    try:
        challenge = require_challenge(config.submissions)
        benchmark = Benchmark(config.benchmark).checked()
    except IvcrError as error:
        yield str(error)
        return
    exams = [phase for phase in challenge.phases if phase.kind == "exam"]
    if not exams:
        yield f"{config.submissions}/challenge.toml: expected a phase of kind exam, found none"
    names = [phase.name for phase in exams]
    for name in config.practice:
        if name not in names:
            hint = did_you_mean(name, names)
            yield f"practice: no phase of kind exam has the name {shown(name)}; {hint}".rstrip("; ")
    for phase in exams:
        if not benchmark.has_gold(phase.split):
            yield f"phase {phase.name}: {config.benchmark} has no gold of {phase.split}"
        if phase.name not in config.practice:
            yield from _published_turns(config, benchmark, phase)
    results = config.results.resolve()
    for place in (config.submissions, config.public):
        if place is not None and results.is_relative_to(place.resolve()):
            yield f"results: {results} lies in {place}, which others read; name another place"


def _published_turns(config: ServeConfig, benchmark: Benchmark, phase: Phase) -> Iterator[str]:
    """Why the exams of a phase could not say that nobody looked ahead."""
    step = "or list the phase under practice, where nothing is verified"
    if config.public is None:
        yield (
            f"phase {phase.name}: expected `public`, the copy that participants have, found none; "
            f"make it by `ivcr data publish --exam {phase.split}`, {step}"
        )
        return
    try:
        public = Benchmark(config.public).checked()
    except IvcrError as error:
        yield str(error)
        return
    about = public.header.exam
    if about is None or phase.split not in about.splits:
        yield (
            f"phase {phase.name}: the turns of {phase.split} were published ({config.public}), so "
            f"an exam would prove nothing; take another split, {step}"
        )
    elif about.of != benchmark.header.fingerprint:
        yield f"public: {config.public} is a copy of another benchmark than {config.benchmark}"


def require_sound(config: ServeConfig) -> None:
    """Raises WrongUsageError with the first problem of a configuration."""
    for problem in config_problems(config):
        raise WrongUsageError(f"{problem}; `ivcr serve --check` names all")
