"""Ed25519 keys in PEM files (RFC 8032; PKCS #8 and SubjectPublicKeyInfo)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from harness.errors import EnvironmentFailure, WrongUsageError, unwritable
from harness.files import canonical

_LARGEST = 1 << 14  # bytes of a PEM file
_MAKE = "`ivcr attest keygen` makes a pair of keys"


def make_keys(private: Path, public: Path) -> None:
    """Make a pair of keys; the private one is for its owner's eyes alone (mode 0600), unencrypted.

    Raises WrongUsageError if one of the files is there already, EnvironmentFailure if one cannot
    be written.
    """
    for path in (private, public):
        if os.path.lexists(path):
            raise WrongUsageError(f"{path}: is there already; name another place, or remove it")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write_new(private, secret, 0o600)
    _write_new(public, shown, 0o644)


def private_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file. Raises WrongUsageError if it holds none of Ed25519."""
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise WrongUsageError(
            f"{path}: expected an unencrypted private key in PEM, found none; {_MAKE}"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongUsageError(f"{path}: expected a key of Ed25519, found another kind; {_MAKE}")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises WrongUsageError if it holds none of Ed25519."""
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise WrongUsageError(
            f"{path}: expected a public key in PEM, found none; ask for it whoever signed"
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise WrongUsageError(f"{path}: expected a key of Ed25519, found another kind; {_MAKE}")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """The identifier of a key: as TUF and in-toto have it, SHA-256 (hex) over its JSON."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    about = {"keytype": "ed25519", "keyval": {"public": raw}, "scheme": "ed25519"}
    return hashlib.sha256(canonical(about)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as error:
        raise EnvironmentFailure(
            f"{path}: cannot be read: {error.strerror}; name the PEM file of the key"
        ) from error
    if len(data) > _LARGEST:
        raise WrongUsageError(f"{path}: expected a PEM file of a key, found a larger file")
    return data


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that was not there; no other ever holds a key, not even for a moment."""
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(place, "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise unwritable(path, error) from error
