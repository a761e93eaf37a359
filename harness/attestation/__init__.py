"""Signed statements about scores: who computed which figures of which submission, with what.

keys <- envelope <- statement <- making, checking
"""

from harness.attestation.checking import check_statement
from harness.attestation.envelope import opened_payload, read_envelope, sealed
from harness.attestation.keys import make_keys, private_key, public_key
from harness.attestation.making import statement_of
from harness.attestation.statement import ScoreStatement, read_statement, statement_bytes

__all__ = [
    "ScoreStatement",
    "check_statement",
    "make_keys",
    "opened_payload",
    "private_key",
    "public_key",
    "read_envelope",
    "read_statement",
    "sealed",
    "statement_bytes",
    "statement_of",
]
