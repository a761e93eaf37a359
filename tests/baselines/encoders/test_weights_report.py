"""Weights that do not fit their network are refused by name: nothing random ever runs."""

import ast
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers.base.modules import Dense
from sentence_transformers.sentence_transformer.modules import LayerNorm, StaticEmbedding

from baselines.base import View
from baselines.encoders.image_text import load_clip
from baselines.encoders.resolve import loading
from baselines.encoders.sentence_model import load_sentence_model
from baselines.registry import find, load
from harness.errors import EnvironmentFailure
from tests.baselines import tiny

WEIGHTS = "model.safetensors"
DAMAGES = ["lacks", "holds", "shape", "cut"]


def local_mllm(folder):
    baseline, _ = load(find("local_mllm"), [f"checkpoint={folder}"])
    baseline.prepare(View({}, [], Path(), "own", 0))


def backbone(folder, unused=()):
    """A network of `transformers` alone, as feature encoders load it."""
    with loading(str(folder), folder, unused):
        return transformers.AutoModel.from_pretrained(folder)


def dense_sentences(folder):
    torch.manual_seed(0)
    return tiny.sentences(folder, 0, Dense(tiny.WIDTH, 8), LayerNorm(8))


MAKERS = {
    "clip": (tiny.clip, WEIGHTS, lambda folder: load_clip(str(folder), None)),
    "sentences": (dense_sentences, WEIGHTS, lambda folder: load_sentence_model(str(folder), None)),
    "dense": (dense_sentences, f"2_Dense/{WEIGHTS}",
              lambda folder: load_sentence_model(str(folder), None)),
    "norm": (dense_sentences, f"3_LayerNorm/{WEIGHTS}",
             lambda folder: load_sentence_model(str(folder), None)),
    "mllm": (tiny.llava, WEIGHTS, local_mllm),
    "backbone": (tiny.bert, WEIGHTS, backbone),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("checkpoints")
    makers = {maker for maker, _, _ in MAKERS.values()}
    return {maker: maker(home / maker.__name__) for maker in makers}


@pytest.fixture
def checkpoint(made, tmp_path):
    """A copy of a checkpoint, the file to be damaged, and its loader."""

    def copy(kind):
        maker, file, loader = MAKERS[kind]
        folder = shutil.copytree(made[maker], tmp_path / kind)
        return folder, folder / file, loader

    return copy


@pytest.mark.parametrize("what", DAMAGES)
@pytest.mark.parametrize("kind", MAKERS)
def test_weights_that_do_not_fit_are_refused_by_name(checkpoint, kind, what):
    folder, file, loader = checkpoint(kind)
    name = tiny.tamper(file, what).removeprefix("language_model.")  # which transformers leaves out
    with pytest.raises(EnvironmentFailure, match=re.escape(name)) as refusal:
        loader(folder)
    assert str(refusal.value).startswith(f"{folder}: ")
    assert str(refusal.value).isprintable()


def test_many_are_counted_and_the_first_are_named(checkpoint):
    folder, file, loader = checkpoint("clip")
    weights = load_file(file)
    lost = sorted(name for name in weights if "vision_model.encoder" in name)
    save_file({n: w for n, w in weights.items() if n not in lost}, file, {"format": "pt"})
    first = ", ".join(f'"{name}"' for name in lost[:3])
    told = f"lacks {len(lost)} weights: {first} and {len(lost) - 3} more"
    with pytest.raises(EnvironmentFailure, match=re.escape(told)):
        loader(folder)


def test_a_config_with_fewer_layers_than_the_file_is_refused(checkpoint):
    folder, _, loader = checkpoint("backbone")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 1}))
    with pytest.raises(EnvironmentFailure, match=r"without a place for them.*layer\.1\."):
        loader(folder)


def test_a_pooler_that_mean_pooling_does_not_read_may_be_absent(checkpoint):
    folder, file, loader = checkpoint("sentences")
    before = loader(folder)[0].encode(["a dog"])
    weights = load_file(file)
    kept = {name: weight for name, weight in weights.items() if "pooler" not in name}
    assert len(kept) == len(weights) - 2
    save_file(kept, file, {"format": "pt"})
    after, _ = loader(folder)
    assert np.array_equal(after.encode(["a dog"]), before)
    absent = [weight for name, weight in after.named_parameters() if "pooler" in name]
    assert len(absent) == 2
    assert all(weight.isnan().all() for weight in absent)


def test_a_pooler_that_is_read_and_absent_is_refused(checkpoint):
    folder, file, loader = checkpoint("sentences")
    said = {"modality_config": {"text": {"method": "forward",
                                         "method_output_name": "pooler_output"}},
            "module_output_name": "sentence_embedding"}  # fmt: skip
    (folder / "sentence_bert_config.json").write_text(json.dumps(said))
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([modules[0], *modules[2:]]))
    assert np.isfinite(loader(folder)[0].encode(["a dog"])).all()
    kept = {name: weight for name, weight in load_file(file).items() if "pooler" not in name}
    save_file(kept, file, {"format": "pt"})
    with pytest.raises(EnvironmentFailure, match=r"no numbers.*pooler"):
        loader(folder)
    with pytest.raises(EnvironmentFailure, match=r"lacks 2 weights: .*pooler\.dense\.bias"):
        backbone(folder)


def test_old_buffers_tied_weights_and_heads_of_other_tasks_are_no_fault(checkpoint, tmp_path):
    folder, file, loader = checkpoint("backbone")
    more = {
        "embeddings.position_ids": torch.arange(64)[None],
        "cls.predictions.bias": torch.ones(9),
    }
    save_file(load_file(file) | more, file, {"format": "pt"})
    assert loader(folder).config.model_type == "bert"
    config = transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=9, n_positions=8)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path / "gpt")
    assert "lm_head.weight" not in load_file(tmp_path / "gpt" / WEIGHTS)
    with loading("gpt", tmp_path / "gpt"):
        transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "gpt")
    head = pytest.raises(EnvironmentFailure, match=r"lacks \d weights: .cls\.predictions")
    with head, loading("bert", folder):
        transformers.AutoModelForMaskedLM.from_pretrained(folder)


def test_a_static_embedding_with_a_tensor_more_is_refused(tmp_path):
    from sentence_transformers import SentenceTransformer

    static = StaticEmbedding(tiny.unigrams()[0].backend_tokenizer, embedding_dim=4)
    SentenceTransformer(modules=[static], device="cpu").save(str(tmp_path / "static"))
    assert load_sentence_model(str(tmp_path / "static"), None)
    [file] = (tmp_path / "static").rglob("*.safetensors")
    save_file(load_file(file) | {"added": torch.ones(2)}, file)
    with pytest.raises(EnvironmentFailure, match='1 weight: "added"'):
        load_sentence_model(str(tmp_path / "static"), None)


def test_an_adapter_is_refused_because_its_network_lies_elsewhere(checkpoint):
    folder, _, loader = checkpoint("sentences")
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(EnvironmentFailure, match=r"is an adapter.*merge_and_unload"):
        loader(folder)


def test_a_module_whose_weights_are_a_pickle_is_refused(checkpoint):
    folder, file, loader = checkpoint("dense")
    torch.save(load_file(file), file.with_name("pytorch_model.bin"))
    file.unlink()
    with pytest.raises(EnvironmentFailure, match=r"a pickle \(2_Dense/pytorch_model\.bin\)"):
        loader(folder)


def test_the_library_loads_as_before_once_the_check_is_over(checkpoint):
    folder, file, loader = checkpoint("backbone")
    loader(folder)
    tiny.tamper(file, "lacks")
    with pytest.raises(EnvironmentFailure):
        loader(folder)
    network, report = transformers.AutoModel.from_pretrained(folder, output_loading_info=True)
    assert len(report["missing_keys"]) == 1
    assert isinstance(network, transformers.BertModel)


def test_every_loader_of_networks_stands_inside_the_check():
    """Factories of other things than networks, and what is called with `loading` around it."""
    harmless = ("Tokenizer", "Config", "Processor", "ImageProcessor")
    root, found, bare = Path(__file__).parents[3] / "baselines", 0, []
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        checked = {
            id(node)
            for block in ast.walk(tree)
            if isinstance(block, ast.With)
            and any("loading(" in ast.unparse(item.context_expr) for item in block.items)
            for node in ast.walk(block)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            loads = called.endswith(".from_pretrained") or called == "SentenceTransformer"
            if loads and not called.removesuffix(".from_pretrained").endswith(harmless):
                found += 1
                bare += [f"{path.name}:{node.lineno}"] * (id(node) not in checked)
    assert found >= 4
    assert bare == []
