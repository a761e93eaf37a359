"""What to change when a server refuses a request: the setting that helps."""

from __future__ import annotations

import re

TIMED_OUT = "; --set timeout=SECONDS waits longer, --set structured=off asks without a schema"
_KEY = "; --set key=VARIABLE names the environment variable that holds the key"
_BY_STATUS = {
    400: "; if it is too much at once, take fewer or smaller frames",
    401: _KEY,
    403: _KEY,
    404: "; --set url is the address up to /v1, --set model a name that the server lists",
    413: "; take fewer or smaller frames",
    422: "; --set extra changes the parameters of a request",
}
# What the server's own words name, the surest first.
_BY_WORDS = (
    (
        "max_completion_tokens",
        "; this server takes another name for the length of a reply: "
        """--set 'extra={"max_completion_tokens": 512, "max_tokens": null}'""",
    ),
    ("response_format|json_schema|guided|grammar|structured", "; --set structured=off"),
    (
        "temperature",
        """; --set 'extra={"temperature": null}' leaves the temperature to the server""",
    ),
    (r"\bseed\b", """; --set 'extra={"seed": null}' sends no seed"""),
    ("context.{0,20}(?:length|window)|too many (?:tokens|images)", _BY_STATUS[400]),
    ("max_tokens", "; --set max_tokens=N is the length of a reply"),
)


def hint(status: int, body: bytes) -> str:
    """The setting that helps against an error, by what the server says and by its status."""
    text = body[:4096].decode("utf-8", "replace").lower()
    if status not in (401, 403, 413, 429):
        for words, advice in _BY_WORDS:
            if re.search(words, text):
                return advice
    return _BY_STATUS.get(status, "")
