"""A line of the ledger: what it says, its bytes, and the SHA-256 that the next line names."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from harness.files import canonical, shown

START = "0" * 64  # `prev` of the first line, and the head of an empty ledger
LONGEST = 1 << 16  # bytes of a line
_CONFLICT = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")
EventName = Literal[
    "accepted", "refused", "scored", "rescored", "replaced", "withdrawn", "revealed",
    "phase-opened", "phase-closed", "labels-committed", "labels-opened",
    "exam-opened", "exam-finished", "exam-expired", "exam-voided",
]  # fmt: skip
EVENTS: tuple[EventName, ...] = get_args(EventName)
# As in harness/schemas/ledger.json; a test holds the two together.
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
FolderName = Annotated[str, Meta(max_length=100, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")]
Reason = Annotated[str, Meta(min_length=1, max_length=1000)]
Time = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z\Z"
    ),
]


class LedgerEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happened, before it has its place in the ledger; None where it has no such thing."""

    event: EventName
    team: FolderName | None = None
    run: FolderName | None = None
    submission_sha256: Sha256 | None = None
    scores_sha256: Sha256 | None = None
    fingerprint: Sha256 | None = None
    gold_sha256: Sha256 | None = None
    scorer: Reason | None = None
    why: Reason | None = None


class LedgerLine(LedgerEvent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event in its place: `seq` from 1, `at` in UTC, `prev` the SHA-256 of the line before.

    That SHA-256 is over the line's bytes **with its newline**, so that
    `tail -n 1 ledger.jsonl | sha256sum` shows the head of a ledger.
    """

    schema: Literal[1] = 1
    seq: Annotated[int, Meta(ge=1, le=2**53)]
    at: Time
    prev: Sha256

    @property
    def time(self) -> datetime:
        """When it happened, in UTC."""
        return parse_time(self.at)

    @property
    def key(self) -> str | None:
        """TEAM/RUN; None for an event of a team or of the challenge."""
        return f"{self.team}/{self.run}" if self.team and self.run else None


_DECODER = msgspec.json.Decoder(LedgerLine)


def encode(line: LedgerLine) -> bytes:
    """The bytes of a line, with its newline: canonical JSON. Raises ValueError at wrong values."""
    data = canonical(line)
    try:
        _DECODER.decode(data).time  # noqa: B018 - msgspec checks values where it decodes alone
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    return data + b"\n"


def decode(data: bytes) -> LedgerLine:
    """The line in its bytes, newline included. Raises ValueError, in words, if they are no line."""
    if data.endswith(b"\r\n"):
        raise ValueError(
            "ends in CR LF, expected LF alone; Git changed it: write `ledger.jsonl -text` into "
            ".gitattributes, and check the file out again"
        )
    if data.startswith(_CONFLICT):
        raise ValueError("a mark of a Git merge conflict; take one side whole, as it was published")
    try:
        line = _DECODER.decode(data)
        line.time  # noqa: B018
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ValueError(f"no line of a ledger: {shown(str(error), 200)[1:-1]}") from error
    if canonical(line) + b"\n" != data:
        raise ValueError("not in canonical form (keys sorted, no spaces, a newline at its end)")
    return line


def digest(data: bytes) -> str:
    """The SHA-256 of a line's bytes, newline included, in hex."""
    return hashlib.sha256(data).hexdigest()


def time_text(time: datetime) -> str:
    """A time in the ledger's form: UTC, cut to whole seconds."""
    return time.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_time(text: str) -> datetime:
    """A time of a ledger, in UTC. Raises ValueError if there is no such time."""
    return datetime.fromisoformat(text)
