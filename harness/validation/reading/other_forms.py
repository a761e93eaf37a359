"""Predictions in another form than JSON Lines, known by how their file begins."""

from __future__ import annotations

import re

from harness.submission import PREDICTION_KEYS

_KEYS = "|".join(PREDICTION_KEYS).encode()
# For patterns in which blanks do not count: a text of JSON, and a colon with blanks around it.
_TEXT = rb'"(?:[^"\\]|\\.)*+"'
_COLON = rb"\s*+:\s*+"
_OTHER_KEY = rb'(?! "(?:%b)" ) %b' % (_KEYS, _TEXT)
_BY_ID = (
    "one JSON object of all answers; write an object a line, with dialogue_id and turn among its "
    "keys"
)
_PATTERNS = {
    rb"\s*+ \[ \s*+ \{": (
        "one JSON array; write its entries one a line, without the brackets and commas around them "
        "(`jq -c '.[]'` does it)"
    ),
    # {"d1/1": {"videos": ..., {"d1": {"1": {"videos": ..., {"answers": [{"dialogue_id": ...
    rb'\s*+ \{ \s*+ %b %b (?: \{ \s*+ "[0-9]++" %b )? \[?+ \s*+ \{ \s*+ "(?:%b)"'
    % (_TEXT, _COLON, _COLON, _KEYS): _BY_ID,
    # {"d1/1": ["a.mp4"], "d1/2": [...
    rb"\s*+ \{ \s*+ %b %b \[ [^][{}]*+ \] \s*+ , \s*+ %b %b \["
    % (_OTHER_KEY, _COLON, _OTHER_KEY, _COLON): _BY_ID,
    rb"\s*+ \{ [\x20\t\r]*+ \n": (
        "objects over several lines; write each on one line (`jq -c .` does it)"
    ),
    rb'(?i: "?dialogue_id"?+ \x20*+ [,;\t] )': (
        "a CSV table; convert it with `ivcr submission convert csv FILE --benchmark B --out SUB`"
    ),
    rb"\S{1,600} /[0-9]++ [\x20\t]++ Q0 [\x20\t]": (
        "a TREC run; convert it with `ivcr submission convert trec FILE --benchmark B --out SUB`"
    ),
}
_FORMS = [
    (re.compile(pattern, re.VERBOSE | re.DOTALL), advice) for pattern, advice in _PATTERNS.items()
]


def other_form(beginning: bytes) -> str | None:
    """Which other form a file has that begins so, with the next step; None if it has none."""
    return next((advice for pattern, advice in _FORMS if pattern.match(beginning)), None)
