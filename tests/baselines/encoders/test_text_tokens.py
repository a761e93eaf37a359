"""Rows of texts equal the libraries' own states; a text's rows depend on no other text."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

from baselines.encoders.text_tokens import load_text_tokens
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines import tiny

TEXTS = ["a dog on a beach", "找一只在沙滩上奔跑的狗", "snow?", ""]
KINDS = {
    "bert": tiny.bert,
    "xlm_roberta": tiny.xlm_roberta,
    "t5": tiny.t5,
    "clip": tiny.clip,
    "chinese_clip": tiny.chinese_clip,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoints")
    return {
        kind: make(root / kind) for kind, make in (KINDS | {"sentences": tiny.sentences}).items()
    }


def own_states(folder, text):
    """The states that `transformers` gives where nobody chooses anything."""
    network = AutoModel.from_pretrained(folder)
    part = getattr(network, "text_model", getattr(network, "encoder", None))
    part = network if network.main_input_name == "input_ids" and part is None else part
    part = network if type(network).__name__ in ("BertModel", "XLMRobertaModel") else part
    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        return part.eval()(**inputs).last_hidden_state[0].numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_the_last_hidden_states(folders, kind):
    loaded = load_text_tokens(str(folders[kind]), None)
    for text in TEXTS[:3]:
        expected = own_states(folders[kind], text)
        np.testing.assert_allclose(loaded.tokens(text), expected, atol=1e-5)
        np.testing.assert_allclose(loaded.pooled(text), expected.mean(0), atol=1e-5)
    assert np.abs(loaded.pooled(TEXTS[0]) - loaded.pooled(TEXTS[2])).max() > 0.01
    assert loaded.width == tiny.WIDTH


@pytest.mark.parametrize("kind", [*KINDS, "sentences"])
def test_rows_depend_on_their_text_alone(folders, kind):
    first, second = (load_text_tokens(str(folders[kind]), None) for _ in range(2))
    forth = [(first.tokens(text).copy(), first.pooled(text).copy()) for text in TEXTS]
    back = [(second.tokens(text), second.pooled(text)) for text in TEXTS[::-1]][::-1]
    for (rows, vector), (again, vector_again) in zip(forth, back, strict=True):
        assert rows.tobytes() == again.tobytes()
        assert vector.tobytes() == vector_again.tobytes()
        assert (rows.dtype, vector.shape) == (np.float32, (tiny.WIDTH,))
    with pytest.raises(ValueError, match="read-only"):
        first.tokens(TEXTS[0])[0] = 0
    assert first.key == second.key


def test_sentences_are_pooled_by_their_own_library(folders):
    loaded = load_text_tokens(str(folders["sentences"]), None)
    model = SentenceTransformer(str(folders["sentences"]), device="cpu")
    for text in TEXTS:
        np.testing.assert_allclose(loaded.pooled(text), model.encode_query(text), atol=1e-6)
        own = model.encode_query(text, output_value="token_embeddings", convert_to_numpy=False)
        np.testing.assert_allclose(loaded.tokens(text), own.numpy(), atol=1e-6)
    assert loaded.parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(("kind", "most"), [("bert", 64), ("xlm_roberta", 24), ("clip", 77)])
def test_a_text_that_is_too_long_loses_its_beginning(folders, kind, most):
    loaded = load_text_tokens(str(folders[kind]), None)
    end = "a b c d e " * 30
    assert len(loaded.tokens(end)) == most
    np.testing.assert_array_equal(loaded.tokens("z " * 40 + end), loaded.tokens("q " * 40 + end))
    assert not np.array_equal(loaded.tokens(end), loaded.tokens(end + "q"))


def test_a_pooler_may_be_absent_and_nothing_else(folders, tmp_path):
    whole = load_text_tokens(str(folders["bert"]), None)
    for part, complaint in (("pooler", None), ("encoder.layer.1.output.dense", "lacks 2 weights")):
        folder = tiny.bert(tmp_path / part)
        weights = load_file(folder / "model.safetensors")
        kept = {name: of for name, of in weights.items() if part not in name}
        assert len(kept) == len(weights) - 2
        save_file(kept, folder / "model.safetensors", {"format": "pt"})
        if complaint is None:
            found = load_text_tokens(str(folder), None).tokens("a dog")
            np.testing.assert_array_equal(found, whole.tokens("a dog"))
        else:
            with pytest.raises(EnvironmentFailure, match=complaint):
                load_text_tokens(str(folder), None)


def test_what_reads_no_text_is_refused(tmp_path):
    with pytest.raises(WrongUsageError, match="reads no text"):
        load_text_tokens(str(tiny.vit(tmp_path / "vit")), None)
    with pytest.raises(EnvironmentFailure, match="hf download"):
        load_text_tokens("nobody/nothing", None)
    with pytest.raises(WrongUsageError, match="has no revision"):
        load_text_tokens(str(tmp_path), "main")
