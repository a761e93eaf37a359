"""What a model's reply says of a turn: candidates, a moment, or words to show.

Only a number, a time or a text to show is taken from a reply. A reply that cannot be read, or says
that nothing fits, is an abstention with a reason. `harness.replies` reads it, as it does for the
converter of official result files and for the audit.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.chat.messages import Reply
from harness.records import Moment
from harness.replies import candidate_numbers, response, span
from harness.replies.reading import OUTSIDE

NO_CANDIDATES = "no candidates to choose from"
NO_VIDEO = "no video to look into"
LONGEST = 4_000  # characters of a response that are kept


class Choice(NamedTuple):
    """Numbers of candidates, best first, from 1 (none: `why` gives the reason).

    response: the words to the user.
    """

    numbers: tuple[int, ...]
    response: str
    why: str | None = None


class Grounding(NamedTuple):
    """A moment (None: `why` gives the reason). response: the words to the user."""

    moment: Moment | None
    response: str
    why: str | None = None


def read_choice(reply: Reply, count: int) -> Choice:
    """The candidates that a reply names, among `count`."""
    if reply.why is not None:
        return Choice((), "", reply.why)
    numbers, why = candidate_numbers(reply.text, count, cut=reply.cut)
    return Choice(numbers or (), words(reply), why)


def read_grounding(reply: Reply, video_id: str, duration: int | None) -> Grounding:
    """The span that a reply names in a video of `duration` ms, clipped to its end."""
    if reply.why is not None:
        return Grounding(None, "", reply.why)
    found, why = span(reply.text, cut=reply.cut)
    if found is None:
        return Grounding(None, words(reply), why)
    end = found.end if duration is None else min(found.end, duration)
    if found.start >= end:
        return Grounding(None, words(reply), OUTSIDE)
    return Grounding(Moment(video_id, found.start, end), words(reply))


def words(reply: Reply) -> str:
    """A reply as the user sees it: no thoughts, no JSON, of bounded length, valid UTF-8."""
    if reply.why is not None:
        return ""
    cut = response(reply.text, cut=reply.cut)[:LONGEST]
    return cut.encode("utf-8", "replace").decode("utf-8")
