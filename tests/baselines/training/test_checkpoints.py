"""A checkpoint comes back as it was saved, or is refused with the reason."""

import hashlib
import json

import pytest
import safetensors.torch
import torch
from msgspec import Struct

from baselines.training.checkpoints import load, save
from harness.errors import EnvironmentFailure, WrongUsageError


class Settings(Struct, frozen=True):
    width: int = 16
    context: str = "last"


WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.count": torch.tensor(3)}
FACTS = {"seed": 1, "steps": 20, "figures": {"R@1": 0.5}}


def saved(folder, **changed):
    what = {"baseline": "toy", "settings": Settings(), "weights": WEIGHTS, "facts": FACTS}
    save(folder, **{**what, **changed})
    return folder


def test_what_was_saved_is_loaded(tmp_path):
    found = load(saved(tmp_path / "new"), baseline="toy")
    assert (found.settings, found.facts) == ({"width": 16, "context": "last"}, FACTS)
    assert found.weights.keys() == WEIGHTS.keys()
    assert all(torch.equal(found.weights[name], WEIGHTS[name]) for name in WEIGHTS)


def test_the_weights_are_a_plain_safetensors_file(tmp_path):
    found = safetensors.torch.load_file(saved(tmp_path) / "weights.safetensors")
    assert torch.equal(found["a.weight"], WEIGHTS["a.weight"])
    document = json.loads((tmp_path / "checkpoint.json").read_text())
    assert (document["schema"], document["baseline"]) == (1, "toy")
    data = (tmp_path / "weights.safetensors").read_bytes()
    assert document["weights"] == hashlib.sha256(data).hexdigest()


def test_same_values_same_bytes_and_one_hash_for_both_files(tmp_path):
    for name in ("one", "two"):
        saved(tmp_path / name)
    for file in ("checkpoint.json", "weights.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    one = load(tmp_path / "one", baseline="toy").sha256
    assert one == load(tmp_path / "two", baseline="toy").sha256
    others = [{"settings": Settings(17)}, {"facts": {}}, {"weights": {"a": torch.ones(1)}}]
    hashes = {load(saved(tmp_path / "two", **other), baseline="toy").sha256 for other in others}
    assert len(hashes | {one}) == 4


def test_tied_strided_and_half_weights_keep_their_values(tmp_path):
    tied = torch.arange(6.0).reshape(2, 3)
    weights = {"a": tied, "b": tied, "c": tied.T, "d": tied.to(torch.bfloat16)}
    found = load(saved(tmp_path, weights=weights), baseline="toy").weights
    assert all(torch.equal(found[name], weights[name]) for name in weights)
    assert found["d"].dtype == torch.bfloat16


def test_only_the_first_process_writes(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    saved(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def cut(name, size):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


@pytest.mark.parametrize(
    ("damage", "error", "expected"),
    [
        (lambda f: (f / "checkpoint.json").unlink(), EnvironmentFailure, "baseline info toy"),
        (lambda f: (f / "weights.safetensors").unlink(), EnvironmentFailure, "cannot be read"),
        (cut("checkpoint.json", 40), EnvironmentFailure, "checkpoint.json: damaged"),
        (cut("weights.safetensors", 40), EnvironmentFailure, "weights.safetensors: damaged"),
        (lambda f: saved(f, baseline="\x1b[31m"), WrongUsageError, r"found one of"),
        (lambda f: (f / "checkpoint.json").write_text('{"schema":1}'), EnvironmentFailure, "dam"),
    ],
)
def test_what_is_no_whole_checkpoint_of_this_baseline_is_refused(tmp_path, damage, error, expected):
    damage(saved(tmp_path))
    with pytest.raises(error, match=expected) as refusal:
        load(tmp_path, baseline="toy")
    assert str(refusal.value).isprintable()


def test_one_bit_of_the_weights_is_noticed(tmp_path):
    path = saved(tmp_path) / "weights.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert safetensors.torch.load_file(path).keys() == WEIGHTS.keys()
    with pytest.raises(EnvironmentFailure, match=r"weights\.safetensors: damaged: its hash"):
        load(tmp_path, baseline="toy")


def test_weights_that_are_no_safetensors_are_refused_even_if_their_hash_agrees(tmp_path):
    document = json.loads((saved(tmp_path) / "checkpoint.json").read_text())
    (tmp_path / "weights.safetensors").write_bytes(b"not tensors")
    document["weights"] = hashlib.sha256(b"not tensors").hexdigest()
    (tmp_path / "checkpoint.json").write_text(json.dumps(document))
    with pytest.raises(EnvironmentFailure, match="damaged"):
        load(tmp_path, baseline="toy")


def test_a_newer_schema_asks_for_a_newer_harness(tmp_path):
    document = json.loads((saved(tmp_path) / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps({**document, "schema": 2}))
    with pytest.raises(EnvironmentFailure, match="expected schema 1, found 2"):
        load(tmp_path, baseline="toy")
