"""Which libraries a baseline computes with: from its source and from what that imports."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from baselines.provenance.libraries import device_kind, versions
from baselines.registry import all_baselines, find
from tests.conftest import REPOSITORY

LOADED = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps([name for name in sys.argv[2:] if name in sys.modules]))
"""


def of(name):
    return versions([REPOSITORY / find(name).file])


def test_versions_are_those_that_are_installed():
    found = of("bm25")
    assert found["bm25s"] == metadata.version("bm25s")
    assert found["numpy"] == metadata.version("numpy")
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_what_a_floor_does_not_import_is_not_named():
    assert set(of("random")) == {"python"}
    assert set(of("train_prior")) == {"python", "numpy"}


@pytest.mark.parametrize("name", ["bm25", "dual_encoder", "whole_video"])
def test_nothing_that_importing_it_loads_is_left_out(name):
    libraries = ["numpy", "torch", "av", "bm25s", "safetensors"]
    module = find(name).file.removesuffix(".py").replace("/", ".")
    run = subprocess.run(
        [sys.executable, "-c", LOADED, module, *libraries], cwd=REPOSITORY, check=True,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    # NumPy comes with whatever reads a benchmark's numbers; a floor that does not add is without.
    assert set(json.loads(run.stdout)) - {"numpy"} <= set(of(name))


def test_what_this_process_loaded_does_not_count():
    import torch  # noqa: F401

    assert "torch" not in of("bm25")


def test_files_of_ones_own_count_with_what_they_import(tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def f():\n    import scipy.stats\n    from baselines.video import decoding\n")
    assert {"scipy", "numpy", "av"} <= set(versions([own]))
    own.write_text("import baselines.no_such_module, a_library_that_nobody_has\n")
    os.utime(own, (1, 1))
    assert set(versions([own])) == {"python"}
    own.write_text("no python (")
    os.utime(own, (2, 2))
    assert set(versions([own, tmp_path / "absent.py"])) == {"python"}


def test_every_baseline_is_read():
    for entry in all_baselines():
        assert "python" in versions([Path(REPOSITORY / entry.file)])


def test_without_torch_the_device_is_the_processor():
    assert device_kind(["numpy", "bm25s"]) == "cpu"
    assert device_kind(["torch"]) in ("cpu", "cuda")
