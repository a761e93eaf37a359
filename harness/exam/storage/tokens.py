"""Tokens of teams: shown once, kept as SHA-256, with an end and a time of revocation.

A token is `ivcr_` and 43 characters of 256 random bits, so its plain hash cannot be guessed.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from harness.exam.refusals import NotSignedInError
from harness.exam.storage.database import TOKENS

PREFIX = "ivcr_"
_ADVICE = "ask the organizers for a token, and send it as `Authorization: Bearer TOKEN`"


class TokenInfo(NamedTuple):
    """What is kept of a token; times are RFC 3339, None where there is none."""

    id: str
    team: str
    label: str
    made_at: str
    expires_at: str | None
    revoked_at: str | None


def make_token(
    connection: Connection, team: str, now: str, expires_at: str | None, label: str = ""
) -> tuple[TokenInfo, str]:
    """A new token of a team, and its text, which is kept nowhere."""
    text = PREFIX + secrets.token_urlsafe(32)
    made = TokenInfo(secrets.token_hex(6), team, label, now, expires_at, None)
    connection.execute(insert(TOKENS).values(**made._asdict(), sha256=_sha256(text)))
    return made, text


def team_of(connection: Connection, text: str | None, now: str) -> str:
    """The team whose token it is. Raises NotSignedInError."""
    if not text:
        raise NotSignedInError(f"expected a token, found none; {_ADVICE}")
    row = connection.execute(
        select(TOKENS.c.team, TOKENS.c.expires_at, TOKENS.c.revoked_at).where(
            TOKENS.c.sha256 == _sha256(text)
        )
    ).first()
    if row is None:
        raise NotSignedInError(f"expected a token of this server, found another; {_ADVICE}")
    if row.revoked_at is not None:
        raise NotSignedInError(f"this token was revoked at {row.revoked_at}; {_ADVICE}")
    if row.expires_at is not None and now >= row.expires_at:
        raise NotSignedInError(f"this token ended at {row.expires_at}; {_ADVICE}")
    return str(row.team)


def list_tokens(connection: Connection, team: str | None = None) -> list[TokenInfo]:
    """The tokens, of all teams or of one, the first one first."""
    columns = [TOKENS.c[name] for name in TokenInfo._fields]
    query = select(*columns).order_by(TOKENS.c.made_at, TOKENS.c.id)
    rows = connection.execute(query if team is None else query.where(TOKENS.c.team == team))
    return [TokenInfo(*row) for row in rows]


def revoke_token(connection: Connection, token_id: str, now: str) -> bool:
    """Revoke a token; whether there was one that was not revoked yet."""
    found = connection.execute(
        update(TOKENS)
        .where(TOKENS.c.id == token_id, TOKENS.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return bool(found.rowcount)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
