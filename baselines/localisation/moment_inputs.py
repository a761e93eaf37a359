"""What a localiser reads of frames and texts, in training and in answering: its own or others'.

A trained folder says what it was trained on. Its own frame network and vocabulary are in it; others
have to be given again, and are refused if they are not the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from baselines.base import View
from baselines.encoders.text_tokens import load_text_tokens
from baselines.features.feature_sets import FeatureSet, open_features
from baselines.localisation.moment_data import Encode
from baselines.localisation.span_localiser import LocaliserInputs
from baselines.networks.vocabulary import Vocabulary
from harness.errors import WrongUsageError


class InputSettings(Protocol):
    """The settings that say what is read."""

    @property
    def checkpoint(self) -> str:
        """The trained folder to run with."""

    @property
    def features(self) -> tuple[str, ...]:
        """Folders of features."""

    @property
    def text(self) -> str:
        """A text encoder's checkpoint; none: the train split's own words."""

    @property
    def text_revision(self) -> str | None:
        """The commit of a name."""


class InputFacts(Struct, frozen=True):
    """What checkpoint.json says of a localiser's inputs.

    features: a line for each folder (none: the own frame network). pieces: the own vocabulary
    (none: another text encoder, `text` by its key). feature_width, text_width: of others' rows and
    tokens (0: none).
    """

    features: tuple[str, ...]
    pieces: tuple[str, ...]
    text: str
    feature_width: int
    text_width: int

    @property
    def inputs(self) -> LocaliserInputs:
        """The sizes of the networks' inputs."""
        pieces = Vocabulary(self.pieces).size if not self.text else 0
        return LocaliserInputs(self.feature_width, pieces, self.text_width)


class QueryTokens(NamedTuple):
    """How texts become tokens; parameters: of another text encoder, which is not trained."""

    encode: Encode
    key: str
    width: int
    parameters: int


def text_reader(settings: InputSettings, pieces: tuple[str, ...], view: View) -> QueryTokens:
    """The vocabulary of `pieces`, or the text encoder that the settings name.

    Raises as `load_text_tokens` does.
    """
    if not settings.text:
        return QueryTokens(Vocabulary(pieces).encode, "", 0, 0)
    tokens = load_text_tokens(settings.text, settings.text_revision, view.note)
    return QueryTokens(tokens.tokens, tokens.key, tokens.width, tokens.parameters)


def feature_lines(features: FeatureSet) -> tuple[str, ...]:
    """What identifies features, a line for each folder: the encoder, or imported contents."""
    return tuple(_line(folder) for folder in features.details["folders"])


def _line(folder: Mapping[str, Any]) -> str:
    source = folder.get("encoder") or f"imported {folder['key']}"
    return f"{source}, {folder['width']} wide"


def open_same_features(
    settings: InputSettings, facts: InputFacts, video_ids: Iterable[str], view: View
) -> FeatureSet:
    """The features that the settings name, which must be those of the training.

    Raises as `open_features` does, and WrongUsageError at other features.
    """
    features = open_features(settings.features, video_ids, view.folder, view.note)
    if feature_lines(features) != facts.features:
        raise WrongUsageError(
            f"{settings.checkpoint}: was trained on the features {'; '.join(facts.features)}, "
            f"found {'; '.join(feature_lines(features))}; name the same with --set features=..., "
            "in the same order, or train again"
        )
    return features


def check_text(settings: InputSettings, facts: InputFacts, text: QueryTokens) -> None:
    """Check the text encoder. Raises WrongUsageError if it is not that of the training."""
    if text.key != facts.text:
        raise WrongUsageError(
            f"{settings.checkpoint}: was trained on {_encoder(facts.text)}, found "
            f"{_encoder(text.key)}; name the former with --set text=..., or train again"
        )


def _encoder(key: str) -> str:
    return f"the text encoder {key}" if key else "its own words"
