"""How a text becomes rows that a text network reads: the project's own words, or others' states."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from numpy.typing import NDArray

from baselines.encoders.text_tokens import load_text_tokens
from baselines.networks.text_network import TextNetwork
from baselines.networks.vocabulary import Vocabulary, from_facts, to_facts
from harness.errors import WrongUsageError

Note = Callable[[str], None]


class TextReader(NamedTuple):
    """Rows of a text, (tokens, k), and the network that reads them.

    pieces: the size of the vocabulary if rows are numbers of its pieces, else 0. width: of a row if
    rows are states of another text model, else 0. parameters: weights of that model. facts: what a
    trained folder keeps of it.
    """

    rows: Callable[[str], NDArray[Any]]
    facts: dict[str, Any]
    pieces: int = 0
    width: int = 0
    parameters: int = 0

    def network(self) -> TextNetwork:
        """A network with new weights."""
        return TextNetwork(pieces=self.pieces, width=self.width)


def new_reader(
    checkpoint: str, revision: str | None, texts: Iterable[str], note: Note
) -> TextReader:
    """The reader to train with: that of a checkpoint, or where none is named the words of `texts`.

    Raises what `load_text_tokens` raises.
    """
    if checkpoint:
        return _states(checkpoint, revision, note)
    return _words(Vocabulary.of_texts(texts))


def trained_reader(
    facts: dict[str, Any], checkpoint: str, revision: str | None, note: Note
) -> TextReader:
    """The reader that a trained folder was trained with.

    Raises WrongUsageError if `checkpoint` is another one, and what `load_text_tokens` raises.
    """
    if "vocabulary" in facts:
        return _words(from_facts(facts["vocabulary"]))
    found = _states(checkpoint, revision, note)
    if found.facts != facts:
        raise WrongUsageError(
            f"the weights were trained on the text model {facts['checkpoint']}, but {checkpoint} "
            f"is {found.facts['checkpoint']}; name the former with --set text=..."
        )
    return found


def _words(vocabulary: Vocabulary) -> TextReader:
    facts = {"vocabulary": to_facts(vocabulary)}
    return TextReader(vocabulary.encode, facts, pieces=vocabulary.size)


def _states(checkpoint: str, revision: str | None, note: Note) -> TextReader:
    model = load_text_tokens(checkpoint, revision, note)
    facts = {"checkpoint": model.key}
    return TextReader(model.tokens, facts, width=model.width, parameters=model.parameters)
