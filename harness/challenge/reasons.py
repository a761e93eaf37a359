"""What the ledger's `why` says: a small grammar, because the keys of a line are fixed.

    accepted        phase NAME                  or phase NAME; admitted late: REASON
    phase-opened    phase NAME                  phase-closed likewise
    replaced        new version                 an `accepted` of the same run follows
                    renamed to NAME; REASON     NAME: of the run, or of the team's folder
                    name changed; REASON        in team.toml; neither name is told
    refused         GROUND: REASON              GROUND: content, team, terms, phase or quota
    labels-committed, labels-opened             as harness.public_copy.commitment says
    withdrawn, rescored, exam-voided            the organizers' own words

No name of a person, no address and no text of a participant is ever part of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple, get_args

from harness.errors import WrongUsageError
from harness.files import shown

LONGEST_REASON = 500  # characters
Ground = Literal["content", "team", "terms", "phase", "quota"]
GROUNDS: tuple[Ground, ...] = get_args(Ground)
NEW_VERSION = "new version"
NAME_CHANGED = "name changed"
_LATE = "; admitted late: "
_COMMITMENT = re.compile(r"labels of \w+: (?:HMAC-SHA256|salt \w{64} of) ([0-9a-f]{64}) \([\w-]+\)")
_RENAMED = re.compile(r"renamed to ([A-Za-z0-9_][A-Za-z0-9_.-]{0,99})(?:; .*)?\Z", re.DOTALL)


class InPhase(NamedTuple):
    """A phase's name; `late`: why a run was admitted by the organizers, None if it was not."""

    phase: str
    late: str | None = None


def phase_reason(name: str, late: str | None = None) -> str:
    """The `why` of an event in a phase."""
    return f"phase {name}" if late is None else f"phase {name}{_LATE}{late}"


def parse_phase(why: str | None) -> InPhase | None:
    """The phase that a `why` names, None if it names none."""
    if why is None or not why.startswith("phase "):
        return None
    # No phase has a semicolon in its name (harness.challenge.challenge_file).
    name, late, reason = why.removeprefix("phase ").partition(_LATE)
    return InPhase(name, reason if late else None)


def renamed_reason(name: str, why: str) -> str:
    """The `why` of a run or team that is called `name` from now on."""
    return f"renamed to {name}; {why}"


def parse_renamed(why: str | None) -> str | None:
    """The new name that a `why` tells, None if it tells none."""
    found = _RENAMED.match(why or "")
    return found[1] if found else None


def parse_commitment(why: str | None) -> str | None:
    """The commitment to labels that a `why` makes or opens, None if it names none."""
    found = _COMMITMENT.fullmatch(why or "")
    return found[1] if found else None


def refused_reason(ground: Ground, text: str) -> str:
    """The `why` of a refusal, cut to what the ledger takes."""
    return f"{ground}: {text}"[: LONGEST_REASON + 100]


def parse_refused(why: str | None) -> Ground | None:
    """The ground of a refusal, None if it names none."""
    start = (why or "").partition(":")[0]
    return next((ground for ground in GROUNDS if ground == start), None)


def require_reason(why: str) -> str:
    """The organizers' reason, without spaces at its ends.

    Raises WrongUsageError if it is empty, too long or not one line of plain text.
    """
    text = why.strip()
    marks = [character for character in text if unicodedata.category(character)[0] == "C"]
    if not text or len(text) > LONGEST_REASON or marks:
        raise WrongUsageError(
            f"--why: expected one line of 1 to {LONGEST_REASON} characters, found {shown(why)}; "
            "say in a few words why (no names, no addresses: the ledger is public)"
        )
    return text
