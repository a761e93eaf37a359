"""Any multimodal model behind an OpenAI-compatible chat endpoint (vLLM, SGLang, hosted ...).

Reads: the dialogue so far as a conversation, the ten candidates each as one strip of `frames`
time-stamped frames and their texts (`texts=none`: pictures alone), in a moment turn the video as
`moment_frames` frames, each after its time. The prompts stand in baselines/vlm/prompts.py, what is
done with a turn in baselines/vlm/assistant.py. Frames are stretched to a square of `side` pixels.
Ignores: sound, candidates of earlier turns. In a moment turn the rule of `pipeline` says whether a
candidate is chosen first. docs/assistants.md has commands for servers, and what is kept, counted
and paid.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import httpx
import msgspec

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.vlm.assistant import Assistant
from baselines.vlm.conversation import Writer
from baselines.vlm.images import VideoImages
from baselines.vlm.prompts import PROMPTS_SHA256
from harness.chat.client import Chat
from harness.chat.response_cache import FILE, ResponseCache
from harness.chat.usage import Prices, UsageTracker
from harness.chat.wire_format import Access, Key, Limits, Model
from harness.errors import WrongUsageError
from harness.files import shown
from harness.records import Moment

ABOUT = About(needs=("frames", "network"), explains=True, candidates="used", languages=("en", "zh"))


class EndpointSettings(Settings, frozen=True):
    """The model; what it is shown; how it is asked; where it is and what it may cost.

    model: as the server lists it. version: changed by you where another model took the same name,
    so that kept replies are not taken for its own. structured: `auto` asks for JSON by a schema,
    until the server refuses that. extra: a JSON object of more parameters (null takes one away).
    key: the environment variable that holds the key. price_in and price_out: of a million tokens;
    budget, in money, and budget_tokens: what one process of a run may spend.
    """

    model: str = ""
    version: str = ""
    frames: int = 8
    moment_frames: int = 32
    side: int = 224
    texts: Literal["none", "all"] = "all"
    structured: Literal["auto", "off"] = "auto"
    max_tokens: int = 512
    temperature: float = 0.0
    extra: str = "{}"
    url: str = "http://127.0.0.1:8000/v1"
    key: str = ""
    concurrency: int = 16
    timeout: float = 300.0
    attempts: int = 8
    price_in: float | None = None
    price_out: float | None = None
    currency: str = "USD"
    budget: float | None = None
    budget_tokens: int | None = None

    RUNTIME_ONLY: ClassVar[tuple[str, ...]] = (
        *("url", "key", "concurrency", "timeout", "attempts"),
        *("price_in", "price_out", "currency", "budget", "budget_tokens"),
    )


class Endpoint(Baseline):
    """Chooses, grounds and answers by what the model says."""

    settings_type = EndpointSettings
    _settings: EndpointSettings

    def __init__(self, settings: EndpointSettings) -> None:
        """Keep the settings. Raises WrongUsageError if a number is out of range."""
        _check(settings)
        self._settings = settings

    def prepare(self, view: View) -> None:
        """Make the pictures and open the kept replies; the model is not asked yet.

        Raises WrongUsageError without a model or key, MissingInputError if no video can be read.
        """
        chosen = self._settings
        if not chosen.model:
            raise WrongUsageError("endpoint: --set model=NAME says which model to ask")
        access, replies = Access(_address(chosen.url), _key(chosen.key)), ResponseCache(view.cache)
        if kept := replies.count(chosen.model):
            view.note(
                f"{kept:,} replies of {shown(chosen.model)} are kept in {view.cache}/{FILE} and "
                "not asked for again; for another model of that name take --set version=..."
            )
        self._pictures = VideoImages(view, chosen.frames, chosen.moment_frames, chosen.side)
        prices = Prices(chosen.price_in, chosen.price_out, chosen.currency)
        self._usage = UsageTracker(prices, chosen.budget, chosen.budget_tokens)
        parameters = {"max_tokens": chosen.max_tokens, "temperature": chosen.temperature,
                      "seed": view.seed, **_extra(chosen.extra)}  # fmt: skip
        model = Model(chosen.model, chosen.version, parameters, chosen.structured == "auto")
        limits = Limits(chosen.concurrency, chosen.timeout, chosen.attempts)
        chat = Chat(access, model, limits, replies, self._usage)
        writer = Writer(view.videos, self._pictures, with_texts=chosen.texts == "all")
        self._assistant = Assistant(chat.ask, writer, view.videos)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query; all are asked at once."""
        return self._assistant.answer(queries)

    def explain(self, told: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """What is said to the user of a moment that another has found."""
        return self._assistant.explain(told)

    def restore_usage(self, usage: Mapping[str, int]) -> None:
        """Count an earlier part of this run against the budget."""
        self._usage.add(usage)

    def cost(self, usage: Mapping[str, int]) -> dict[str, int | float | str]:
        """Requests, tokens, and money where prices are given."""
        return self._usage.cost(usage)

    def provenance(self) -> Provenance:
        """The prompts' hash and the pictures' hashes; what the model was trained on is unknown."""
        chosen = self._settings
        frames = f"{chosen.frames} of a candidate, {chosen.moment_frames} for moments"
        details = {"prompts_sha256": PROMPTS_SHA256, "pictures": self._pictures.details()}
        return Provenance(
            frames_per_video=frames, training_data=(f"unknown ({chosen.model})",), details=details
        )


def _check(chosen: EndpointSettings) -> None:
    """Refuse numbers that mean nothing."""
    above = ("frames", "side", "max_tokens", "concurrency", "attempts", "timeout")
    least = ("moment_frames", "temperature", "price_in", "price_out", "budget", "budget_tokens")
    for name, value in ((name, getattr(chosen, name)) for name in above):
        if not value > 0:
            raise WrongUsageError(f"endpoint: --set {name}={value}: expected a number above 0")
    for name, value in ((name, getattr(chosen, name)) for name in least):
        if value is not None and not value >= 0:
            raise WrongUsageError(f"endpoint: --set {name}={value}: expected 0 or more")
    if chosen.budget is not None and None in (chosen.price_in, chosen.price_out):
        raise WrongUsageError(
            "endpoint: --set budget counts money, which needs price_in and price_out as well; "
            "budget_tokens counts tokens"
        )
    _address(chosen.url)
    _extra(chosen.extra)


def _address(url: str) -> str:
    """The address, if it is one and holds no secret. Raises WrongUsageError, without showing it."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise WrongUsageError(
            "endpoint: --set url: expected http://HOST:PORT/v1 or https://HOST/v1"
        )
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise WrongUsageError(
            "endpoint: --set url: holds a name, a password or a query, which would be shown in "
            "errors; give a key by --set key=VARIABLE"
        )
    return url


def _key(variable: str) -> Key:
    """The key that an environment variable holds. Raises WrongUsageError, without its value."""
    if not variable:
        return Key("")
    value = os.environ.get(variable, "").strip()
    # What is given for the name of a variable may be a key: it is not shown.
    if not value:
        raise WrongUsageError(
            "endpoint: --set key: no environment variable of that name, or it is empty; key names "
            "the variable that holds the key"
        )
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise WrongUsageError(
            "endpoint: --set key: the variable of that name holds more than one word of printable "
            "ASCII, which is no key"
        )
    return Key(value)


def _extra(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise WrongUsageError(
            f"endpoint: --set extra={shown(text)}: expected a JSON object such as "
            f'{{"top_p": 0.9}}: {error}'
        ) from error
