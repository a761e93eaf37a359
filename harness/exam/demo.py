"""A small server to try: IVCR-Mini, a challenge with exams, a team, and CONFIG.toml."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.benchmark import Benchmark
from harness.challenge.ledger_lines import time_text
from harness.errors import WrongUsageError
from harness.exam.serve_config import read_serve_config
from harness.exam.storage.database import Database
from harness.exam.storage.tokens import make_token
from harness.public_copy import publish

TEAM = "demo-team"
DAYS = 30
CONFIG = """submissions = "submissions"
benchmark = "full"
public = "public"
results = "results"
practice = ["dry run"]
"""


def make_demo(
    folder: Path, make_benchmark: Callable[[Path], None], tell: Callable[[str], object]
) -> Path:
    """Make what `ivcr serve` needs in `folder`, or take what an earlier call made: CONFIG.toml.

    `make_benchmark` makes an IVCR-Mini in a folder; `tell` gets a line for each thing that a person
    should know, the token among them. Raises WrongUsageError if the folder holds something else.
    """
    config = folder / "CONFIG.toml"
    if not config.is_file():
        if folder.exists() and any(folder.iterdir()):
            raise WrongUsageError(f"{folder}: expected an empty folder or nothing; name another")
        tell(f"making IVCR-Mini in {folder}/full")
        make_benchmark(folder / "full")
        publish(Benchmark(folder / "full"), folder / "public", exam=["test"], videos=True)
        team = folder / "submissions" / TEAM
        team.mkdir(parents=True)
        (team / "team.toml").write_text(f'name = "{TEAM}"\n', "utf-8")
        (folder / "submissions" / "challenge.toml").write_text(_challenge(), "utf-8")
        config.write_text(CONFIG, "utf-8")
    chosen = read_serve_config(config)
    database = Database(chosen.database)
    now = datetime.now(UTC)
    with database.writing() as connection:
        ends = time_text(now + timedelta(days=DAYS))
        _, token = make_token(connection, TEAM, time_text(now), ends, "demo")
    database.close()
    address = f"http://{chosen.host}:{chosen.port}"
    tell(f"token of {TEAM}: {token}")
    tell(
        f"try: IVCR_TOKEN={token} ivcr baseline run bm25 --exam {address} --phase final "
        f"--benchmark {folder}/public --history own --team {TEAM} --out my-exam"
    )
    return config


def _challenge() -> str:
    now = datetime.now(UTC)
    times = f"opens = {time_text(now)}\ncloses = {time_text(now + timedelta(days=DAYS))}\n"
    phases = (
        ("final", "test", "own"),
        ("reference", "test", "reference"),
        ("dry run", "val", "own"),
    )
    parts = [
        f'[[phase]]\nname = "{name}"\nkind = "exam"\nsplit = "{split}"\nhistory = "{history}"\n'
        f'{times}feedback = "exact"\nexam_hours = 48\n'
        for name, split, history in phases
    ]
    return 'title = "Exams on IVCR-Mini"\n' + "".join(parts)
