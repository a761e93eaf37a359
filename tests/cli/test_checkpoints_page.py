"""Every command of docs/checkpoints.md runs, with tiny checkpoints under the real names."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file

from baselines.registry import all_baselines
from harness.benchmark import Benchmark
from harness.validation import check
from tests.baselines import tiny
from tests.baselines.conftest import imported

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "checkpoints.md").read_text("utf-8")
# The first block shows how the commands of the others are made up.
LINES = [shlex.split(line) for line in re.findall(r"^    (\w+ .*)$", PAGE, re.MULTILINE)][2:]
# The configuration files of the page, by the names that its text gives them.
FILES = dict(re.findall(r"here (?:in )?`(\w+\.toml)`.*?```toml\n(.*?)```", PAGE, re.DOTALL))
COMMITS = dict(re.findall(r"^\| (\S+/\S+) \| ([0-9a-f]{40}) \|", PAGE, re.MULTILINE))
MAKERS = {
    "google/siglip2-base-patch16-224": tiny.siglip,
    "openai/clip-vit-large-patch14": tiny.clip,
    "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2": tiny.sentences,
}


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """A cache as `hf download` leaves it, where each name was fetched by its commit alone."""
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    for name, make in MAKERS.items():
        make(cache / f"models--{name.replace('/', '--')}" / "snapshots" / COMMITS[name])


@pytest.fixture
def pickled(tmp_path):
    """What --local-dir leaves of a checkpoint that was published as a pickle; its weights."""
    folder = tiny.chinese_clip(tmp_path / "chinese-clip")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    # As in checkpoints of that age: one entry that the library no longer has.
    torch.save({**weights, "text_model.embeddings.position_ids": torch.arange(40)[None]},
               folder / "pytorch_model.bin")  # fmt: skip
    return weights


@pytest.mark.slow
def test_every_command_runs(ivcr, tmp_path, monkeypatch, fetched, pickled):
    imported(tmp_path, name="B", filmed=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    assert sorted(FILES) == ["mix.toml", "pipeline.toml"]
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    made = []
    for tool, *arguments in LINES:
        if tool == "python":
            subprocess.run([sys.executable, *arguments], check=True)
        elif tool == "ivcr":
            few = ["--steps", 2] if arguments[1] == "train" else []
            code, out, err = ivcr(*arguments, *few)
            assert code == 0, err
            made.append((arguments[1], Path(out.strip())))
    submissions = [folder for kind, folder in made if kind == "run"]
    assert all(check(folder, Benchmark(Path("B"))).report.errors == 0 for folder in submissions)
    found = load_file("chinese-clip/model.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in pickled.items())


def test_every_checkpoint_of_a_command_is_in_the_table_with_its_commit():
    fetches = [line for line in LINES if line[0] == "hf"]
    assert [line[:2] for line in fetches] == [["hf", "download"]] * 4
    for line in fetches:
        assert line[3:5] == ["--revision", COMMITS[line[2]]]
    commands = " ".join(" ".join(line) for line in LINES)
    used = re.findall(r"(?:checkpoint|clip)=(\S+/\S+?) --set revision=([0-9a-f]+)", commands)
    used += re.findall(r'checkpoint = "(\S+/\S+)"\nrevision = "([0-9a-f]+)"', PAGE)
    assert len(used) > 5
    assert all(COMMITS[name] == commit for name, commit in used)


def test_every_baseline_that_takes_a_checkpoint_by_name_is_on_the_page():
    root = Path(__file__).resolve().parents[2]
    for entry in all_baselines():
        if "docs/checkpoints.md" in (root / entry.file).read_text("utf-8"):
            assert f"`{entry.name}`" in PAGE
            assert f"ivcr baseline run {entry.name} " in PAGE
