"""The command `ivcr`. A command's module loads when it is called; imports are in the bodies."""

from __future__ import annotations

import importlib
import io
import logging
import os
import signal
import sys
from pathlib import Path
from typing import cast

import click

from harness.errors import DISK_ERRORS, IvcrError, unwritable
from harness.version import __version__

_LOG = logging.getLogger(__name__)
_SHOWN = {"on_screen": True}  # as harness.cli.environment.logs marks what is shown already
COMMANDS = {
    "data": "harness.cli.data:data",
    "submission": "harness.cli.submission:submission",
    "validate": "harness.cli.submission:validate",
    "score": "harness.cli.scoring:score",
    "metrics": "harness.cli.scoring:metrics",
    "compare": "harness.cli.compare:compare",
    "items": "harness.cli.compare:items",
    "probe": "harness.cli.organizing.probe:probe",
    "audit": "harness.cli.audit:audit",
    "baseline": "harness.cli.baseline:baseline",
    "features": "harness.cli.features:features",
    "weights": "harness.cli.weights:weights",
    "leaderboard": "harness.cli.organizing.leaderboard:leaderboard",
    "intake": "harness.cli.organizing.intake:intake",
    "withdraw": "harness.cli.organizing.challenge:withdraw",
    "reveal": "harness.cli.organizing.challenge:reveal",
    "rename": "harness.cli.organizing.challenge:rename",
    "admit": "harness.cli.organizing.challenge:admit",
    "ledger": "harness.cli.organizing.challenge:ledger",
    "serve": "harness.cli.organizing.exam:serve",
    "exam": "harness.cli.organizing.exam:exam",
    "pr": "harness.cli.organizing.pull_requests:pr",
    "reproduce": "harness.cli.provenance.reproduce:reproduce",
    "attest": "harness.cli.provenance.attest:attest",
    "demo": "harness.cli.demo:demo",
    "doctor": "harness.cli.environment.doctor:doctor",
    "completion": "harness.cli.environment.completion:completion",
}


class LazyGroup(click.Group):
    """A group that imports a command's module on its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ivcr")
@click.option("--verbose", is_flag=True, help="Say on standard error what is done, with times.")
@click.option(
    "--log-file", type=click.Path(path_type=Path), metavar="FILE",
    help="Append the same lines to FILE, with the time of each, and all notes and errors.",
)  # fmt: skip
@click.pass_context
def ivcr(ctx: click.Context, verbose: bool, log_file: Path | None) -> None:
    """Benchmark harness and leaderboard for interactive video search.

    Exit codes: 0 fine; 1 something is wrong with what was submitted; 2 wrong usage; 3 the
    environment failed. Results go to standard output, progress and notes to standard error.
    """
    if verbose or log_file is not None:
        from harness.cli.environment.logs import start_logs

        start_logs(verbose=verbose, file=log_file)
        _LOG.debug("ivcr %s %s begins", __version__, ctx.invoked_subcommand)


def main() -> None:
    """Run `ivcr`; a problem from outside ends in one line and its exit code.

    An interrupt ends with 130 and a termination with 143; unfinished files are removed before.
    Threads of torch that wait for one another sleep: where other programs need the cores, waiting
    awake makes a training take several times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path that is no UTF-8 goes out with the bytes with which it came in.
        sys.stdout.reconfigure(errors="surrogateescape")
    try:
        code = _run()
        _LOG.debug("ends with exit code %s", code or 0)
    finally:
        if logs := sys.modules.get("harness.cli.environment.logs"):
            logs.stop_logs()
    sys.exit(code)


def _run() -> int | None:
    """Run the command; returns its exit code. Unknown errors are raised."""
    try:
        return cast("int | None", ivcr(standalone_mode=False))
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        return ended.code
    except click.ClickException as error:
        error.show()
        _log(error.format_message())
        return error.exit_code
    except IvcrError as error:
        return _fail(error)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        return _fail(unwritable(error.filename or "standard output", error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("ivcr: interrupted", err=True)
        return 130


def _fail(error: IvcrError) -> int:
    click.echo(f"ivcr: {error}", err=True)
    _log(str(error))
    return error.exit_code


def _log(message: str) -> None:
    """Keep an error that was shown. Without our own logs, `logging` would show it once more."""
    if not logging.getLogger("harness").propagate:
        _LOG.error("%s", message, extra=_SHOWN)
