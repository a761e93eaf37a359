"""A tokenizer as Llama's: digit by digit."""

import pytest

from baselines.interllava.tokenizer import Words
from tests.baselines.interllava import layout


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    """The tokenizer of the tiny published files, with the added tokens."""
    from transformers import AutoTokenizer

    place = tmp_path_factory.mktemp("llama") / "files"
    layout.folder(place)
    return Words(AutoTokenizer.from_pretrained(place / "llama"))
