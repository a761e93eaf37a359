"""Any multimodal model behind an OpenAI-compatible chat endpoint (vLLM, SGLang, hosted ...).

It shows the model the dialogue so far as a conversation. In a video turn each of the ten candidates
is one strip of `frames` time-stamped frames with its texts (`texts=none`: pictures alone). In a
moment turn the video is `moment_frames` frames, each after its time. Frames are stretched to a
square of `side` pixels. The prompts stand in baselines/vlm/prompts.py; baselines/vlm/assistant.py
says how a turn is answered. Ignored: sound, candidates of earlier turns. docs/assistants.md has
commands for servers, and says what is kept, counted and paid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.vlm.assistant import Assistant
from baselines.vlm.conversation import PromptBuilder
from baselines.vlm.images import VideoImages
from baselines.vlm.prompts import PROMPTS_SHA256
from harness.chat.access import (
    ServerAccess,
    check_address,
    key_from_environment,
    sends_in_the_clear,
)
from harness.chat.client import ChatClient
from harness.chat.connection import RequestLimits
from harness.chat.response_cache import FILE, ResponseCache
from harness.chat.usage import Prices, UsageTracker
from harness.chat.wire_format import ChatModel
from harness.errors import WrongUsageError
from harness.files import shown
from harness.records import Moment

ABOUT = About(
    needs=("frames", "network"),
    explains=True,
    candidates="used",
    languages=("en", "zh"),
    example=("model=NAME",),
)


class EndpointSettings(Settings, frozen=True):
    """The model, its pictures and texts, the parameters of a request, the server and the budget.

    model: its name on the server. version: change it if another model took the same name, so that
    replies of the earlier one are not used. frames: of each candidate. moment_frames: pictures of a
    moment turn's video. side: of a frame, in pixels. texts: whether prompts hold the texts of
    videos. structured: `auto` asks for JSON by a schema, until the server refuses that. max_tokens:
    the length of a reply. temperature: of the sampling of replies. extra: a JSON object of more
    parameters (null takes one away). url: the server's address. key: the environment variable that
    holds the key. concurrency: the most requests at a time. timeout: of a request, in seconds.
    attempts: the most tries of a request. price_in, price_out: of a million tokens. currency: of
    the prices. budget: the most money that one process of a run may spend. budget_tokens: the most
    tokens that one process of a run may spend.
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
    """Chooses, grounds and answers by the model's replies."""

    settings_type = EndpointSettings
    _settings: EndpointSettings

    def __init__(self, settings: EndpointSettings) -> None:
        """Keep the settings. Raises WrongUsageError if a number is out of range."""
        _check(settings)
        self._settings = settings

    def prepare(self, view: View) -> None:
        """Make the pictures and open the cache of replies; no request is sent yet.

        Raises WrongUsageError without a model or key, MissingInputError if no video can be read.
        """
        chosen = self._settings
        if not chosen.model:
            raise WrongUsageError("endpoint: --set model=NAME says which model to use")
        access = ServerAccess(check_address(chosen.url), key_from_environment(chosen.key))
        if sends_in_the_clear(access):
            view.note(
                f"WARNING: the key goes unencrypted to {shown(chosen.url)}, and whoever is on the "
                "way can read it; take https, or a tunnel to 127.0.0.1"
            )
        cache = ResponseCache(view.cache)
        if count := cache.count(chosen.model):
            view.note(
                f"{count:,} replies of {shown(chosen.model)} are kept in {view.cache}/{FILE} and "
                "not requested again; for another model of that name take --set version=..."
            )
        self._pictures = VideoImages(view, chosen.frames, chosen.moment_frames, chosen.side)
        prices = Prices(chosen.price_in, chosen.price_out, chosen.currency)
        self._usage = UsageTracker(prices, chosen.budget, chosen.budget_tokens)
        parameters = {"max_tokens": chosen.max_tokens, "temperature": chosen.temperature,
                      "seed": view.seed, **_extra(chosen.extra)}  # fmt: skip
        model = ChatModel(chosen.model, chosen.version, parameters, chosen.structured == "auto")
        limits = RequestLimits(chosen.concurrency, chosen.timeout, chosen.attempts)
        client = ChatClient(access, model, limits, cache, self._usage)
        builder = PromptBuilder(view.videos, self._pictures, with_texts=chosen.texts == "all")
        self._assistant = Assistant(client.complete, builder, view.videos)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query; all requests are sent at once."""
        return self._assistant.answer(queries)

    def explain(self, moments: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """What the model says to the user about a moment that another baseline found."""
        return self._assistant.explain(moments)

    def restore_usage(self, usage: Mapping[str, int]) -> None:
        """Count an earlier part of this run against the budget."""
        self._usage.add(usage)

    def cost(self, usage: Mapping[str, int]) -> dict[str, int | float | str]:
        """Requests, tokens, and money where prices are given."""
        return self._usage.cost(usage)

    def provenance(self) -> Provenance:
        """The hashes of prompts and pictures; what the model was trained on is unknown."""
        chosen = self._settings
        frames = f"{chosen.frames} of a candidate, {chosen.moment_frames} for moments"
        details = {"prompts_sha256": PROMPTS_SHA256, "pictures": self._pictures.details()}
        return Provenance(
            frames_per_video=frames, training_data=(f"unknown ({chosen.model})",), details=details
        )


def _check(chosen: EndpointSettings) -> None:
    """Check the numbers, the address and the extra parameters."""
    positive = ("frames", "side", "max_tokens", "concurrency", "attempts", "timeout")
    not_negative = (
        "moment_frames",
        "temperature",
        "price_in",
        "price_out",
        "budget",
        "budget_tokens",
    )
    for name, value in ((name, getattr(chosen, name)) for name in positive):
        if not value > 0:
            raise WrongUsageError(f"endpoint: --set {name}={value}: expected a number above 0")
    for name, value in ((name, getattr(chosen, name)) for name in not_negative):
        if value is not None and not value >= 0:
            raise WrongUsageError(f"endpoint: --set {name}={value}: expected 0 or more")
    if chosen.budget is not None and None in (chosen.price_in, chosen.price_out):
        raise WrongUsageError(
            "endpoint: --set budget counts money, which needs price_in and price_out as well; "
            "budget_tokens counts tokens"
        )
    check_address(chosen.url)
    _extra(chosen.extra)


def _extra(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise WrongUsageError(
            f"endpoint: --set extra={shown(text)}: expected a JSON object such as "
            f'{{"top_p": 0.9}}: {error}'
        ) from error
