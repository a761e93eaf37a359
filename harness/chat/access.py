"""Where a chat server is, and the key that it wants; a key is shown nowhere."""

from __future__ import annotations

import base64
import ipaddress
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import httpx2

from harness.errors import WrongUsageError

SHOWN = 7  # characters at the beginning of a key that may show: no secret is as short
WORD = 4  # characters of a key that is not looked for: it is a placeholder, and stands in any text


class ApiKey:
    """A key that no text shows. An empty one stands for no key."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._forms = [_SecretText(form) for form in _forms(value)]

    def __repr__(self) -> str:
        return "ApiKey(...)"

    def headers(self) -> dict[str, str]:
        """The header that carries the key; none if it is empty."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def redact(self, text: str) -> str:
        """`text` without the key, and without the beginning of it: a server may repeat it.

        It is found as it stands, escaped as in JSON, addresses and HTML, and in base64. To be
        called before a text is cut: of a key that is cut off behind SHOWN characters no more is
        recognised.
        """
        for form in self._forms:
            text = form.redact(text)
        return text


class _SecretText:
    """A text to be found by its beginning, each character as it is or escaped."""

    def __init__(self, value: str) -> None:
        flags = re.IGNORECASE if len(value) > SHOWN else re.NOFLAG
        self._units = [re.compile(_unit(character), flags) for character in value]
        beginning = "".join(map(_unit, value[: SHOWN + 1]))
        # A short key, such as EMPTY, may be a part of a word.
        alone = beginning if len(value) > SHOWN else rf"(?<!\w){beginning}(?!\w)"
        self._beginning = re.compile(alone, flags)

    def redact(self, text: str) -> str:
        """`text` with [key] for each place where the secret stands, whole or its beginning."""
        pieces, at = [], 0
        while found := self._beginning.search(text, at):
            pieces += [text[at : found.start()], "[key]"]
            at = found.end()
            for unit in self._units[SHOWN + 1 :]:
                if (more := unit.match(text, at)) is None:
                    break
                at = more.end()
        return "".join(pieces) + text[at:]


def _forms(key: str) -> Iterator[str]:
    """The key, and what of it stands in base64 wherever it begins."""
    if len(key) > WORD:
        yield key
    for offset in range(3 if len(key) > SHOWN else 0):
        # The first signs share bits with what stands before, the last ones with what follows.
        data = base64.b64encode(bytes(offset) + key.encode()).decode().rstrip("=")
        whole = data[-(-8 * offset // 6) : 8 * (offset + len(key)) // 6]
        yield from {whole, whole.replace("+", "-").replace("/", "_")}


def _unit(character: str) -> str:
    """A pattern of one character as it stands, and as JSON, addresses and HTML escape it."""
    code = ord(character)
    escaped = rf"\\(?:u00|x){code:02x}|%{code:02x}|&#(?:x0*{code:x}|0*{code});"
    # Escapes first: the "u" of \u0075 is no letter of the key.
    return rf"(?:{escaped}|\\?{re.escape(character)})"


class ServerAccess(NamedTuple):
    """The address of a server, up to /v1, and the key for it."""

    url: str
    key: ApiKey


def check_address(url: str) -> str:
    """The address itself, if it is one and holds no secret.

    Raises WrongUsageError, which does not show the address, if it is none or may hold a secret.
    """
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise WrongUsageError("--set url: expected http://HOST:PORT/v1 or https://HOST/v1")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise WrongUsageError(
            "--set url: holds a name, a password or a query, which errors would show; "
            "give a key by --set key=VARIABLE"
        )
    return url


def key_from_environment(variable: str) -> ApiKey:
    """The key that an environment variable holds; without a name, no key.

    Raises WrongUsageError, which shows neither name nor value, if the variable holds no key.
    """
    if not variable:
        return ApiKey("")
    value = os.environ.get(variable, "").strip()
    # A user may give the key itself as the name: so the name is not shown.
    if not value:
        raise WrongUsageError(
            "--set key: no environment variable of that name, or it is empty; key names the "
            "variable that holds the key"
        )
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise WrongUsageError(
            "--set key: the variable of that name holds no key; expected one word of printable "
            "ASCII characters"
        )
    return ApiKey(value)


def sends_in_the_clear(access: ServerAccess) -> bool:
    """Whether a key goes to another machine unencrypted, where others may read it on its way."""
    is_plain = httpx2.URL(access.url).scheme == "http"
    return bool(access.key.headers()) and is_plain and not is_local(access.url)


def is_local(url: str) -> bool:
    """Whether the host of an address is this machine: no proxy stands between."""
    host = httpx2.URL(url).host
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
