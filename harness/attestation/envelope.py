"""DSSE envelopes: a payload, its type, and Ed25519 signatures over both.

https://github.com/secure-systems-lab/dsse: what is signed is the pre-authentication encoding.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from harness.attestation.keys import key_id
from harness.errors import SubmissionError
from harness.files import readable, shown
from harness.untrusted import UnfitFileError, json_document, read_small

PAYLOAD_TYPE = "application/vnd.in-toto+json"
LARGEST = 1 << 18  # bytes of an envelope; one of ours has two thousand
SIGNATURES = 16  # at most so many in one envelope
_NEXT = "ask whoever gave it to you for the file as it was made"


class DsseSignature(Struct, frozen=True):
    """A signature in Base64; keyid only says which key to try."""

    sig: str
    keyid: str = ""


class DsseEnvelope(Struct, frozen=True):
    """An envelope as its file has it; the payload in Base64."""

    payload: str
    payloadType: str  # noqa: N815 - the standard's name
    signatures: tuple[DsseSignature, ...]


def sealed(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """An envelope's file with one signature: same payload and key, same bytes."""
    signature = key.sign(encoding(PAYLOAD_TYPE, payload))
    return readable(
        DsseEnvelope(
            base64.b64encode(payload).decode(),
            PAYLOAD_TYPE,
            (DsseSignature(base64.b64encode(signature).decode(), key_id(key.public_key())),),
        )
    )


def read_envelope(path: Path) -> DsseEnvelope:
    """The envelope in a file of whatever author. Raises SubmissionError if it is none."""
    try:
        return json_document(read_small(path, LARGEST), DsseEnvelope)
    except UnfitFileError as error:
        raise SubmissionError(f"{path}: expected a DSSE envelope: {error}; {_NEXT}") from error


def opened_payload(envelope: DsseEnvelope, key: Ed25519PublicKey, place: Path) -> bytes:
    """The payload, once a signature of `key` over it is found; `place`: for messages.

    Raises SubmissionError if the payload is no in-toto statement or no signature is the key's.
    """
    if envelope.payloadType != PAYLOAD_TYPE:
        raise SubmissionError(
            f"{place}: payloadType: expected {PAYLOAD_TYPE}, found {shown(envelope.payloadType)}; "
            f"{_NEXT}"
        )
    if len(envelope.signatures) > SIGNATURES:
        raise SubmissionError(
            f"{place}: expected at most {SIGNATURES} signatures, found {len(envelope.signatures):,}"
        )
    payload = _decoded(envelope.payload, f"{place}: payload")
    message = encoding(envelope.payloadType, payload)
    for number, each in enumerate(envelope.signatures, start=1):
        try:
            key.verify(_decoded(each.sig, f"{place}: signature {number}"), message)
        except InvalidSignature:
            continue
        return payload
    raise SubmissionError(
        f"{place}: expected a signature of the key {key_id(key)[:12]}, found none that fits: the "
        f"payload was changed, or another key signed it; {_NEXT}, or name the right key"
    )


def encoding(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding (PAE) of DSSE, version 1."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _decoded(text: str, place: str) -> bytes:
    """Base64, in the standard's alphabet or the one for addresses, as DSSE allows."""
    try:
        return base64.b64decode(text.translate(_STANDARD), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SubmissionError(f"{place}: expected Base64, found other text; {_NEXT}") from error


_STANDARD = str.maketrans("-_", "+/")
