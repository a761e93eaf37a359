"""ivcr attest: signed statements about scores, which verify without a network."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import extras

PATH = click.Path(path_type=Path)


@click.group()
def attest() -> None:
    """Sign what was scored, and verify what others signed (in-toto, DSSE, Ed25519)."""


@attest.command()
@click.option("--key", required=True, type=PATH, help="The private key to make (mode 0600).")
@click.option("--public", type=PATH, help="The public key; by default beside it, KEY.pub.pem.")
def keygen(key: Path, public: Path | None) -> None:
    """Make a pair of Ed25519 keys in PEM files. The private one is not encrypted."""
    with extras("ivcr attest", "attest"):
        from harness.attestation.keys import make_keys

        place = public or key.with_name(f"{key.stem}.pub.pem")
        make_keys(key, place)
    click.echo(str(place))


@attest.command()
@click.argument("submission", type=PATH, metavar="SUB")
@click.option("--benchmark", required=True, type=PATH, help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split to score.")
@click.option("--key", required=True, type=PATH, help="The private key, PEM.")
@click.option("--out", required=True, type=PATH, help="The statement's file.")
@click.option("--expires", metavar="DATE", help="RFC 3339; by default never.")
def make(
    submission: Path, benchmark: Path, split: str, key: Path, out: Path, expires: str | None
) -> None:
    """Score SUB now and sign a statement over submission, scores, benchmark and code."""
    from harness.benchmark import Benchmark
    from harness.files import require_apart, write
    from harness.submission import CARD, PREDICTIONS

    with extras("ivcr attest", "attest"):
        from harness.attestation import private_key, sealed, statement_bytes, statement_of
    where, secret = Benchmark(benchmark), private_key(key)
    inputs = [key, *(submission / name for name in (CARD, *PREDICTIONS)), *where.files(split)]
    require_apart([out], inputs)
    _require_date(expires)
    statement = statement_of(submission, where, split, expires=expires)
    write(out, sealed(statement_bytes(statement), secret))
    click.echo(str(out))


@attest.command()
@click.argument("file", type=PATH, metavar="FILE")
@click.option("--key", required=True, type=PATH, help="The public key of the signer, PEM.")
@click.option("--submission", type=PATH, metavar="SUB", help="Compare with this submission.")
@click.option("--benchmark", type=PATH, help="Compare with this benchmark; scores too, with SUB.")
def verify(file: Path, key: Path, submission: Path | None, benchmark: Path | None) -> None:
    """Verify the signature of a statement, and that it fits the folders that are given.

    Needs no network. With SUB and the benchmark the submission is scored again. Exits with 1 if
    the signature or a digest does not fit.
    """
    from harness.files import shown

    with extras("ivcr attest", "attest"):
        from harness.attestation import check_statement, opened_payload, public_key, read_envelope
        from harness.attestation.statement import read_statement
    payload = opened_payload(read_envelope(file), public_key(key), file)
    statement = read_statement(payload, file)
    compared = check_statement(statement, submission=submission, benchmark=benchmark)
    of, code = statement.benchmark, statement.code
    click.echo(f"signed: {shown(statement.team)}, {shown(statement.system)}")
    click.echo(f"  submission {shown(statement.submission_sha256)}")
    click.echo(f"  scores     {shown(statement.scores_sha256)}")
    click.echo(f"  benchmark  {shown(of.name)} {shown(of.version)}, split {shown(of.split)}")
    changed = ", changed since" if code.changed else ""
    click.echo(
        f"  code       {shown(code.version)}, commit {shown(code.commit or 'none')}{changed}"
    )
    for line in compared:
        click.echo(f"fits {line}")
    if not compared:
        click.echo("compared with nothing at hand; --submission and --benchmark do it", err=True)


def _require_date(text: str | None) -> None:
    from harness.attestation.statement import expiry
    from harness.errors import WrongUsageError
    from harness.files import shown

    try:
        if text is not None:
            expiry(text)
    except ValueError as error:
        raise WrongUsageError(
            f"--expires: expected a date such as 2027-06-30, found {shown(text or '')}"
        ) from error
