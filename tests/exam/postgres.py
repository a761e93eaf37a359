"""A PostgreSQL of the tests' own on loopback, from Debian's package, where it is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg


def programs():
    """The folder of initdb and pg_ctl, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _as_owner(command):
    """A command of a user that PostgreSQL accepts: it refuses to run as root."""
    if os.geteuid() == 0:
        return ["runuser", "-u", "postgres", "--", *command]
    return command


@contextmanager
def cluster():
    """The URL of a server, without a database; it ends with the block."""
    tools = programs()
    folder = Path(tempfile.mkdtemp(prefix="ivcr-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, log = str(folder / "data"), str(folder / "log")
    run = lambda *words: subprocess.run(  # noqa: E731
        _as_owner([str(word) for word in words]), check=True, capture_output=True, cwd=folder
    )
    try:
        run(tools / "initdb", "-D", data, "-A", "trust", "-U", "ivcr", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        run(tools / "pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://ivcr@127.0.0.1:{port}"
        finally:
            run(tools / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server, name):
    """The URL of a new database."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"
