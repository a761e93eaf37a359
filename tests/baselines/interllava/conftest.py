"""A tokenizer that writes numbers digit by digit, as Llama's does."""

import pytest

from baselines.interllava.tokenizer import Tokenizer
from tests.baselines.interllava import layout


@pytest.fixture(scope="session")
def llama(tmp_path_factory):
    """The tokenizer of the tiny published files, with the added tokens."""
    from transformers import AutoTokenizer

    place = tmp_path_factory.mktemp("llama") / "files"
    layout.folder(place)
    return Tokenizer(AutoTokenizer.from_pretrained(place / "llama"))
