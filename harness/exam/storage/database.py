"""The database of a server: SQLite by default, PostgreSQL by its URL; tables and migrations.

SQLite runs with a write-ahead log and `synchronous = FULL`: what was committed is on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from harness.errors import EnvironmentFailure, WrongUsageError

WAITS = 10.0  # seconds for a lock
_WRITERS = 0x69766372  # the lock of those who write, among those of a PostgreSQL
META = MetaData()
VERSION = Table("schema_version", META, Column("version", Integer, primary_key=True))
TOKENS = Table(
    "tokens",
    META,
    Column("id", String(32), primary_key=True),
    Column("team", String(100), nullable=False, index=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("label", Text, nullable=False, default=""),
    Column("made_at", String(32), nullable=False),
    Column("expires_at", String(32)),
    Column("revoked_at", String(32)),
)
EXAMS = Table(
    "exams",
    META,
    Column("id", String(32), primary_key=True),
    Column("team", String(100), nullable=False),
    Column("run", String(100), nullable=False),
    Column("phase", String(100), nullable=False),
    Column("split", String(20), nullable=False),
    Column("card", Text, nullable=False),
    Column("request_key", String(200), nullable=False),
    Column("verified", Integer, nullable=False),
    Column("opened_at", String(32), nullable=False),
    Column("closes_at", String(32), nullable=False),
    Column("state", String(20), nullable=False),
    Column("why", Text),
    Column("turns", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("final_card", Text),
    Column("finished_at", String(32)),
    Column("recorded", Integer, nullable=False),
    UniqueConstraint("team", "request_key"),
    Index("exams_of_team", "team", "phase"),
)
EXAM_DIALOGUES = Table(
    "exam_dialogues",
    META,
    Column("exam", ForeignKey("exams.id"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("dialogue_id", Text, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    UniqueConstraint("exam", "dialogue_id"),
    Index("dialogues_in_order", "exam", "answered", "place"),
)
ANSWERS = Table(
    "answers",
    META,
    Column("exam", ForeignKey("exams.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("dialogue_id", Text, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("receipt", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    UniqueConstraint("exam", "dialogue_id", "turn"),
)
# What brings a database of version n (its place in the list, from 0) to version n + 1.
MIGRATIONS: tuple[Callable[[Connection], None], ...] = (META.create_all,)


class Database:
    """A connection pool; `reading` and `writing` are transactions."""

    def __init__(self, url: str) -> None:
        """Connect, and bring the tables to the version of this code.

        Raises WrongUsageError at a URL of another kind, EnvironmentFailure if the database cannot
        be opened or is newer than this code.
        """
        self._engine = _engine(url)
        self.shown = self._engine.url.render_as_string(hide_password=True)
        try:
            with self.writing() as connection:
                _migrate(connection, self.shown)
        except SQLAlchemyError as error:
            raise EnvironmentFailure(
                f"{self.shown}: cannot be opened: {_first_line(error)}"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state and changes nothing."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block has ended, or else undone."""
        with (
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise WrongUsageError(
            f"database {url!r}: expected a URL, such as sqlite:///exam.db"
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    if backend != "sqlite":
        raise WrongUsageError(
            f"database: expected sqlite:///FILE or postgresql://..., found {backend}"
        )
    engine = create_engine(parsed, connect_args={"timeout": WAITS, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader could find at its first write that another one was faster.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    # Writers take turns as in SQLite: what one has checked holds until it has written.
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")


def _migrate(connection: Connection, shown: str) -> None:
    version = 0
    if inspect(connection).has_table(VERSION.name):
        version = connection.execute(select(VERSION.c.version)).scalar_one()
    if version > len(MIGRATIONS):
        raise EnvironmentFailure(
            f"{shown}: expected tables of version {len(MIGRATIONS)} at most, found {version}; "
            "update the harness"
        )
    if version == len(MIGRATIONS):
        return
    for migration in MIGRATIONS[version:]:
        migration(connection)
    change = update(VERSION) if version else insert(VERSION)
    connection.execute(change.values(version=len(MIGRATIONS)))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
