"""A benchmark, a submission of it, and a pair of keys."""

from pathlib import Path
from typing import NamedTuple

import pytest

from harness.attestation import make_keys, private_key, public_key, sealed, statement_bytes
from harness.attestation.making import statement_of
from harness.benchmark import Benchmark
from harness.formats.conversion import abstention
from harness.submission import STARTER, write
from tests.baselines.conftest import imported


class Attested(NamedTuple):
    """What a statement is about, the statement, the keys, and the file that holds it."""

    benchmark: Benchmark
    submission: Path
    statement: object
    secret: object
    public: object
    file: Path


@pytest.fixture(scope="session")
def attested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attested")
    benchmark = imported(folder)
    write(folder / "sub", STARTER, map(abstention, benchmark.split().turns))
    make_keys(folder / "key.pem", folder / "key.pub.pem")
    secret, public = private_key(folder / "key.pem"), public_key(folder / "key.pub.pem")
    statement = statement_of(folder / "sub", benchmark)
    file = folder / "statement.json"
    file.write_bytes(sealed(statement_bytes(statement), secret))
    return Attested(benchmark, folder / "sub", statement, secret, public, file)
