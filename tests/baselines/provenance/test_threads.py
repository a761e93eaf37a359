"""Every process of a run computes with the run's number of threads."""

import json
import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from baselines.provenance.threads import computing_with, usual_threads
from baselines.registry import find
from baselines.running.run import run_baseline
from baselines.running.run_config import RunConfig
from harness.files import zstd
from tests.baselines.conftest import dialogue, imported, talk

OWN = '''"""Says with how many threads it computes, and in which process."""
import os
import numpy as np
from threadpoolctl import threadpool_info
from baselines.base import About, Answer, Baseline

ABOUT = About(histories=("own",))


class Counting(Baseline):
    def prepare(self, view):
        pass

    def answer(self, queries):
        np.ones((8, 8)) @ np.ones((8, 8))
        found = {pool["num_threads"] for pool in threadpool_info()}
        said = f"{os.environ['OMP_NUM_THREADS']} {sorted(found)}"
        return [Answer(response=said) for _ in queries]
'''


def threads():
    np.ones((8, 8)) @ np.ones((8, 8))
    return {pool["num_threads"] for pool in threadpool_info()}


@pytest.mark.parametrize(
    ("value", "expected"), [("3", 3), ("2,1", 2), (" 4 ", 4), ("0", None), ("many", None)]
)
def test_the_usual_number_is_that_of_the_environment(monkeypatch, value, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert usual_threads() == (expected or len(os.sched_getaffinity(0)))


def test_libraries_compute_with_the_number_in_the_block_and_as_before_behind_it(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = threads()
    with computing_with(3):
        assert threads() == {3}
        assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "3"
    assert threads() == before
    assert os.environ["OMP_NUM_THREADS"] == "1"
    assert "MKL_NUM_THREADS" not in os.environ


def test_torch_computes_with_them_too():
    import torch

    before = torch.get_num_threads()
    with computing_with(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_every_process_of_a_run_computes_with_the_number_that_run_json_names(tmp_path):
    benchmark = imported(tmp_path, [dialogue(talk(f"hello {n}", "hi"), code=0) for n in range(4)])
    (tmp_path / "counting.py").write_text(OWN)
    config = RunConfig(find(str(tmp_path / "counting.py")), "own", threads=3)
    run_baseline(config, benchmark, tmp_path / "sub", processes=2)
    lines = zstd.decompress((tmp_path / "sub" / "predictions.jsonl.zst").read_bytes()).splitlines()
    assert {json.loads(line)["response"] for line in lines} == {"3 [3]"}
    assert json.loads((tmp_path / "sub" / "run.json").read_text("utf-8"))["threads"] == 3


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="expected 1 or more"):
        RunConfig(find("bm25"), "own", threads=0)
