"""ivcr baseline train: what it writes, what it refuses, and how an interrupted run is resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from baselines import registry
from baselines.base import About, Baseline, Settings
from baselines.registry import RegistryEntry
from baselines.training import trainer
from baselines.training.checkpoints import load, save
from baselines.training.fit import fit
from tests.baselines.conftest import SAMPLES, ask, dialogue, imported
from tests.baselines.toys import Regression, batches
from tests.conftest import WAIT, heed_signals

ROOT = Path(__file__).resolve().parents[2]
STEPS, HELD = 8, 5
VAL = dialogue(ask("val cat", "A/cat.mp4"), split="val")


class ToySettings(Settings, frozen=True):
    dropout: float = 0.2


class Toy(Baseline):
    """Trains two stages of a regression; its first weights come from the seed."""

    views = ()

    def __init__(self, settings):
        self.settings = settings

    def train(self, view, config):
        Toy.views = (*Toy.views, view)
        weights = {}
        for stage in ("first", "second"):
            module = Regression(self.settings.dropout)
            torch.nn.init.normal_(module.net[0].weight)
            fit(module, batches(config.seed).loader(), config, stage=stage, steps=STEPS,
                note=view.note)  # fmt: skip
            weights |= {f"{stage}.{name}": value for name, value in module.state_dict().items()}
        save(config.out, baseline="toy", settings=self.settings, weights=weights, facts={})


def toy_entry(name):
    return RegistryEntry(name, "retriever", "A toy.", About(trains=True))


def toy_load(entry, assignments):
    settings = ToySettings(*(float(text.partition("=")[2]) for text in assignments))
    return Toy(settings), settings


@pytest.fixture
def train(ivcr, monkeypatch):
    """Train the toy by the command."""
    monkeypatch.setattr(Toy, "views", ())
    monkeypatch.setattr(registry, "find", toy_entry)
    monkeypatch.setattr(trainer, "load", toy_load)
    return lambda *arguments: ivcr("baseline", "train", "toy", *arguments)


@pytest.fixture
def benchmark(tmp_path):
    return imported(tmp_path, [*SAMPLES, VAL])


def weights_of(folder):
    return load(folder, baseline="toy").weights


def same(one, other):
    one, other = weights_of(one), weights_of(other)
    return all(torch.equal(one[name], other[name]) for name in one)


def test_training_leaves_a_checkpoint_and_says_where(train, benchmark, tmp_path):
    out = tmp_path / "out"
    code, printed, err = train("--benchmark", benchmark.folder, "--out", out, "--steps", 3)
    assert (code, printed) == (0, f"{out}\n")
    assert [line.split(",")[0] for line in err.splitlines()] == [
        "first: 3 steps", "second: 3 steps",
    ]  # fmt: skip
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.json", "weights.safetensors"]
    assert len(weights_of(out)) == 8


def test_one_seed_one_checkpoint(train, benchmark, tmp_path):
    what = ["--benchmark", benchmark.folder, "--steps", 3, "--out"]
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        assert train(*what, tmp_path / name, "--seed", seed)[0] == 0
    assert same(tmp_path / "one", tmp_path / "two")
    assert not same(tmp_path / "one", tmp_path / "three")


def test_a_baseline_is_trained_on_labels_of_train_and_val_alone(train, benchmark, tmp_path):
    train("--benchmark", benchmark.folder, "--out", tmp_path / "out", "--steps", 1)
    [view] = Toy.views
    assert view.training.gold == benchmark.gold("train")
    assert view.validation.gold == benchmark.gold("val")
    assert view.corpus == benchmark.split("train").corpus
    test = set(benchmark.split("test").dialogues())
    assert test.isdisjoint(turn.dialogue_id for turn in (*view.training.turns,
                                                         *view.validation.turns))  # fmt: skip


def test_without_labels_of_val_there_is_no_validation(train, tmp_path):
    folder = imported(tmp_path).folder
    assert train("--benchmark", folder, "--out", tmp_path / "out", "--steps", 1)[0] == 0
    assert Toy.views[0].validation is None


def test_what_a_finished_run_left_is_not_trained_again(train, benchmark, tmp_path):
    what = ["--benchmark", benchmark.folder, "--out", tmp_path / "out", "--steps", 1]
    train(*what)
    before = (tmp_path / "out" / "checkpoint.json").stat().st_mtime_ns
    code, _, err = train(*what, "--resume")
    assert (code, len(Toy.views)) == (0, 1)
    assert "is trained already" in err
    assert (tmp_path / "out" / "checkpoint.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--out", "FULL"], 2, "is not an empty folder; continue"),
        (["--out", "FULL", "--resume"], 2, "found no readable begun.json"),
        (["--out", "OUT", "--resume"], 2, "found no readable begun.json"),
        (["--out", "OUT", "--strategy", "fsdp"], 2, "expected auto or one of Lightning's ddp"),
        (["--out", "OUT", "--precision", "7"], 2, "--precision"),
        (["--out", "FULL/file/out"], 3, "cannot be written"),
    ],
)
def test_training_that_cannot_be_is_refused_in_one_line(
    train, benchmark, tmp_path, arguments, code, expected
):
    full = tmp_path / "full"
    full.mkdir()
    (full / "file").write_text("mine")
    places = {"FULL": full, "OUT": tmp_path / "out", "FULL/file/out": full / "file" / "out"}
    found, out, err = train(
        *(places.get(part, part) for part in arguments), "--benchmark", benchmark.folder
    )
    assert (found, out, len(err.splitlines())) == (code, "", 1)
    assert expected in err
    assert (full / "file").read_text() == "mine"


def test_a_benchmark_without_labels_of_train_is_refused(train, tmp_path):
    folder = imported(tmp_path, [s for s in SAMPLES if s["split"] == "test"]).folder
    code, _, err = train("--benchmark", folder, "--out", tmp_path / "out")
    assert (code, len(err.splitlines())) == (3, 1)
    assert "has no train split with labels" in err
    assert not (tmp_path / "out").exists()


def test_training_what_has_nothing_to_train_is_refused(ivcr, benchmark, tmp_path):
    what = ["--benchmark", benchmark.folder, "--out", tmp_path / "out"]
    code, _, err = ivcr("baseline", "train", "bm25", *what)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "bm25 has nothing to train" in err


def test_a_run_is_resumed_with_its_own_seed_alone(train, benchmark, tmp_path, monkeypatch):
    def interrupt(self, batch, number):
        raise KeyboardInterrupt

    what = ["--benchmark", benchmark.folder, "--out", tmp_path / "out"]
    with monkeypatch.context() as patched:
        patched.setattr(Regression, "training_step", interrupt)
        assert train(*what)[0] == 130
    code, _, err = train(*what, "--resume", "--seed", 1)
    assert (code, len(err.splitlines())) == (2, 1)
    assert 'was started with another seed ("0"); repeat the command' in err
    assert train(*what, "--resume")[0] == 0


# The command, with state saved at every step. HOLD: it stops there and waits to be ended, in the
# second stage before its step HELD.
SCRIPT = """
import os, sys, time
from pathlib import Path
from baselines import registry
from baselines.training import stages
from baselines.training import trainer
from harness.cli import main
from tests.baselines.toys import Regression
from tests.cli.test_training import HELD, toy_entry, toy_load

stages.SAVE_SECONDS, stages.CHECK_STEPS = 0.0, 1
registry.find, trainer.load = toy_entry, toy_load
go_on = Regression.training_step

def held(self, batch, number):
    if self.trainer.default_root_dir.endswith("second") and self.trainer.global_step == HELD:
        Path(os.environ["HOLD"], str(os.getpid())).touch()
        time.sleep(600)
    return go_on(self, batch, number)

if "HOLD" in os.environ:
    Regression.training_step = held
main()
"""


@pytest.fixture
def apart(tmp_path, benchmark):
    """The command as a process of its own."""
    script = tmp_path / "ivcr.py"
    script.write_text(SCRIPT)

    def command(out, *more, **environment):
        what = ["baseline", "train", "toy", "--benchmark", benchmark.folder, "--out", out]
        return subprocess.Popen(
            [sys.executable, script, *what, *map(str, more)], text=True, cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_signals,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        )  # fmt: skip

    return command


@pytest.fixture
def cut_off(apart, tmp_path):
    """Send a signal to the first process in the middle of the second stage: its end, its words."""

    def run(out, number, *more, processes=1):
        held = tmp_path / "held"
        held.mkdir()
        process = apart(out, *more, HOLD=str(held))
        until = time.monotonic() + WAIT
        while len(list(held.iterdir())) < processes and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=WAIT)
        pids = [int(path.name) for path in held.iterdir()]
        assert len(pids) == processes, err
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        return process.returncode, err

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGKILL, -9, None),
    ],
)
def test_training_that_is_cut_off_is_resumed_to_the_same_checkpoint(
    cut_off, train, benchmark, tmp_path, number, code, word
):
    assert train("--benchmark", benchmark.folder, "--out", tmp_path / "whole")[0] == 0
    out = tmp_path / "out"
    found, err = cut_off(out, number)
    assert found == code, err
    if word:
        assert err.splitlines()[1:] == [
            f"ivcr: {word}; {out}: what was saved stays; "
            "the same command with --resume goes on from there"
        ]
    assert not (out / "checkpoint.json").exists()
    code, _, err = train("--benchmark", benchmark.folder, "--out", out, "--resume", "--seed", 1)
    assert code == 2
    assert "was started with another seed" in err
    code, _, err = train("--benchmark", benchmark.folder, "--out", out, "--resume")
    assert code == 0, err
    assert len(err.splitlines()) == 1, "the first stage was not trained again"
    assert same(out, tmp_path / "whole")
    assert json.loads((out / "checkpoint.json").read_bytes())["baseline"] == "toy"


@pytest.mark.slow
def test_two_devices_write_the_checkpoint_of_one_though_both_were_ended_in_between(
    apart, cut_off, train, benchmark, tmp_path
):
    one, two = tmp_path / "one", tmp_path / "two"
    alike = ["--set", "dropout=0"]
    assert train("--benchmark", benchmark.folder, "--out", one, *alike)[0] == 0
    many = [*alike, "--devices", 2, "--strategy", "ddp"]
    code, err = cut_off(two, signal.SIGTERM, *many, processes=2)
    assert (code, err.splitlines()[-1][:17]) == (143, "ivcr: terminated;")
    process = apart(two, *many, "--resume")
    out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, out) == (0, f"{two}\n"), err
    assert len(err.splitlines()) == 1, "the first stage was not trained again"
    expected = weights_of(one)
    for name, value in weights_of(two).items():
        assert torch.allclose(value, expected[name], rtol=0, atol=1e-5), name
