"""Published files become one network; its parts compute what the original models compute."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from baselines.interllava.model import EncodedFrames
from baselines.interllava.published.published_files import FILES, POSITIONS, PublishedModel
from baselines.interllava.published.published_network import PublishedNetwork
from harness.errors import EnvironmentFailure
from tests.baselines import tiny
from tests.baselines.interllava import layout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("published") / "files"
    return place, layout.folder(place, stale=True)


@pytest.fixture(scope="module")
def files(made):
    return PublishedModel(made[0], torch.float32).eval()


def test_the_frame_encoder_equals_the_original_model(files, made):
    pictures = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        ours = files.vision(pictures).last_hidden_state
        theirs = made[1].vision(pictures).last_hidden_state
    assert ours.shape == (3, 5, layout.EVA)
    torch.testing.assert_close(ours, theirs)


def test_video_tokens_equal_those_of_the_models_in_the_last_files(files, made):
    """The models of `transformers`, composed here as in the paper."""
    _, parts = made
    frames = torch.randn(7, 5, layout.EVA)
    words = torch.tensor([[6, 7, 8, 9, 10, 13 + at, 11] for at in range(7)])
    ones = torch.ones_like(words)
    with torch.no_grad():
        state = parts.qformer(
            words,
            attention_mask=torch.ones(7, layout.QUERIES + 7),
            query_embeds=parts.loose["query_tokens"].expand(7, -1, -1),
            encoder_hidden_states=frames,
        ).last_hidden_state
        places = parts.loose["video_frame_position_embedding.weight"]
        nearest = torch.nn.functional.interpolate(places.T[None], POSITIONS, mode="nearest")[0].T
        state = (state + nearest[:7, None]).flatten(0, 1)[None]
        hidden = parts.video(
            query_embeds=parts.loose["video_query_tokens"], encoder_hidden_states=state
        ).last_hidden_state
        theirs = hidden @ parts.loose["llama_proj.weight"].T + parts.loose["llama_proj.bias"]
        ours = files.net.tokens(EncodedFrames(frames[None], words[None], ones[None]))
    torch.testing.assert_close(ours, theirs)


def test_the_language_model_has_its_adapters_and_five_tokens_more(files, made):
    _, parts = made
    ids = torch.randint(3, 200, (2, 9))
    with torch.no_grad():
        for layer, block in enumerate(parts.language.model.layers):
            for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
                stem = f"llama_model.base_model.model.model.layers.{layer}.self_attn.{name}.lora_"
                down, up = (parts.loose[f"{stem}{part}.default.weight"] for part in "AB")
                getattr(block.self_attn, name).weight += up @ down  # alpha / r is 1
        theirs = parts.language(ids).logits
        ours = files.net.language(input_ids=ids).logits
    assert ours.shape[-1] == theirs.shape[-1] + 5
    torch.testing.assert_close(ours[..., : theirs.shape[-1]], theirs, rtol=1e-4, atol=1e-4)


def test_trained_weights_are_those_of_the_paper_and_the_special_tokens(files):
    trained = {
        name for name, weight in PublishedNetwork(files).named_parameters() if weight.requires_grad
    }
    assert {name.split(".")[0] for name in trained} == {"net"}
    language = {name for name in trained if ".language." in name}
    assert {"lora_" in name or "trainable_tokens" in name for name in language} == {True}
    assert sum("lora_" in name for name in language) == 2 * 4 * 2
    assert len(trained - language) == len(list(files.net.tokens.parameters()))


def test_numbers_are_written_digit_by_digit(files):
    numbers = files.tokenizer.number_tokens(10)
    one, ten = numbers.candidates[0], numbers.candidates[9]
    assert len(one) == 1
    assert ten == (*one, numbers.candidates[9][1])
    assert sorted(numbers.digits.values()) == list(range(10))


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_there_is_named(made, tmp_path, name):
    shutil.copytree(made[0], tmp_path / "files")
    (tmp_path / "files" / name).unlink()
    with pytest.raises(EnvironmentFailure, match=f"{name}: expected a published file"):
        PublishedModel(tmp_path / "files", torch.float32)


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("timechat_7b.safetensors", "Qformer.bert.encoder.layer.0.added.weight"),
        ("timechat_7b.safetensors", "llama_model.base_model.model.lora_A.added.weight"),
        ("eva_vit_g.safetensors", "blocks.0.added.weight"),
    ],
)
def test_a_weight_that_the_layout_does_not_have_is_refused(made, tmp_path, name, weight):
    shutil.copytree(made[0], tmp_path / "files")
    weights = load_file(tmp_path / "files" / name)
    save_file(weights | {weight: torch.ones(2)}, tmp_path / "files" / name)
    with pytest.raises(EnvironmentFailure, match=r"without a place for them, 1 weight: .*added"):
        PublishedModel(tmp_path / "files", torch.float32)


@pytest.mark.parametrize("what", ["lacks", "holds", "shape"])
def test_a_language_model_that_does_not_fit_is_refused_by_name(made, tmp_path, what):
    shutil.copytree(made[0], tmp_path / "files")
    name = tiny.tamper(tmp_path / "files" / "llama" / "model.safetensors", what)
    with pytest.raises(EnvironmentFailure, match=f"{what}.*{re.escape(name)}"):
        PublishedModel(tmp_path / "files", torch.float32)


@pytest.mark.parametrize(
    ("name", "weight", "found"),
    [
        ("timechat_7b.safetensors", "llama_proj.weight", 'has, of another shape, 1 weight: "proj'),
        ("timechat_7b.safetensors", "video_query_tokens", "video_query_tokens"),
        ("eva_vit_g.safetensors", "blocks.1.norm1.weight", "layer_norm1.weight"),
        ("eva_vit_g.safetensors", "pos_embed", "pos_embed"),
    ],
)
def test_a_file_of_another_layout_is_refused(made, tmp_path, name, weight, found):
    shutil.copytree(made[0], tmp_path / "files")
    weights = load_file(tmp_path / "files" / name)
    if weight == "llama_proj.weight":
        weights[weight] = torch.zeros(layout.HIDDEN + 1, layout.WIDTH)
    else:
        del weights[weight]
    save_file(weights, tmp_path / "files" / name)
    with pytest.raises(EnvironmentFailure, match="not a file of the published layout") as error:
        PublishedModel(tmp_path / "files", torch.float32)
    assert found in str(error.value)


def test_the_page_s_command_makes_safetensors_of_a_published_pickle(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "assistants.md"
    [line] = [each for each in page.read_text("utf-8").splitlines() if "    python -c" in each]
    weights = {"query_tokens": torch.randn(1, 2, 3), "Qformer.x": torch.randn(4, 2).T}
    torch.save({"model": weights, "epoch": 3}, tmp_path / "published.pth")
    _, flag, code, *_ = shlex.split(line)
    subprocess.run([sys.executable, flag, code, "published.pth", "made.safetensors"],
                   cwd=tmp_path, check=True)  # fmt: skip
    found = load_file(tmp_path / "made.safetensors")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], weights[name]) for name in weights)
