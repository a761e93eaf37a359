"""What is said at the end of a run in which most turns have no answer, and what to change."""

from __future__ import annotations

from collections.abc import Mapping

from harness.chat.messages import (
    FILTERED,
    IN_REASONING,
    NO_TOKENS,
    REFUSED,
    TOO_LONG,
    TOOL_CALL,
)
from harness.chat.usage import ABSTAINED, UNANSWERED
from harness.replies.reading import (
    BREAKS_OFF,
    CUT_OFF,
    EMPTY,
    NO_NUMBER,
    NO_SPAN,
    NO_TIME,
    OUT_OF_RANGE,
    OUTSIDE,
    REFUSAL,
    THOUGHTS,
)

_LONGER = (
    "raise max_tokens (for a server that takes max_completion_tokens alone: "
    """extra={"max_completion_tokens": N, "max_tokens": null}), or let the model think less"""
)
_FORM = "look at its replies: a stronger model, or structured=off if a schema makes it worse"
_NO_SCHEMA = "structured=off asks without a schema, which some models answer with nothing"
ADVICE = {
    CUT_OFF: _LONGER,
    THOUGHTS: _LONGER,
    BREAKS_OFF: _LONGER,
    TOO_LONG: "set max_tokens, and look at what the server sends",
    IN_REASONING: "start the server without its reasoning parser, or take structured=off: the "
    "schema was followed in the thoughts",
    TOOL_CALL: "start the server without tools: "
    """extra={"tool_choice": "none"} where it takes that""",
    NO_TOKENS: _NO_SCHEMA,
    EMPTY: _NO_SCHEMA,
    REFUSED: "the model refuses: another model, or texts=none if titles cause it",
    FILTERED: "the server filters: another server, or texts=none if titles cause it",
    REFUSAL: "the model finds nothing: more or larger frames (frames, moment_frames, side)",
    NO_NUMBER: _FORM,
    OUT_OF_RANGE: _FORM,
    NO_TIME: _FORM,
    NO_SPAN: _FORM,
    OUTSIDE: _FORM,
}


def warning(usage: Mapping[str, int], turns: int) -> str | None:
    """A line for a run in which most of its turns have no answer; None for any other."""
    reasons = {
        name.removeprefix(prefix): count
        for prefix in (ABSTAINED, UNANSWERED)
        for name, count in usage.items()
        if name.startswith(prefix)
    }
    if 2 * sum(reasons.values()) <= turns:
        return None
    why = max(reasons, key=lambda reason: (reasons[reason], reason))
    advice = f"; {ADVICE[why]}" if why in ADVICE else ""
    return (
        f"WARNING: {sum(reasons.values()):,} of {turns:,} turns have no answer, most often "
        f"({reasons[why]:,}): {why}{advice}"
    )
