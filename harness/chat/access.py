"""Where a chat server is, and the key that it wants; a key is shown nowhere."""

from __future__ import annotations

import ipaddress
import os
from typing import NamedTuple

import httpx2

from harness.errors import WrongUsageError


class ApiKey:
    """A key that no text shows. An empty one stands for no key."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "ApiKey(...)"

    def headers(self) -> dict[str, str]:
        """The header that carries the key; none if it is empty."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def redact(self, text: str) -> str:
        """`text` without the key: a server may repeat it."""
        return text.replace(self._value, "[key]") if self._value else text


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


def is_local(url: str) -> bool:
    """Whether the host of an address is this machine: no proxy stands between."""
    host = httpx2.URL(url).host
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
