"""Rows of the toy benchmark, as `ivcr baseline run` writes them."""

import json

import pytest

from baselines.registry import find
from baselines.running.run import run_baseline
from baselines.running.run_config import RunConfig


@pytest.fixture
def row(toy, tmp_path):
    """Run a baseline as a row house/NAME; returns its folder."""

    def make(name="bm25", label="row", **config):
        folder = tmp_path / "submissions" / "house" / label
        history = config.pop("history", "own")
        run_baseline(RunConfig(find(name), history, **config), toy, folder)
        return folder

    return make


@pytest.fixture
def recorded():
    """Change run.json of a row."""

    def change(folder, **values):
        path = folder / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")
        return folder

    return change
