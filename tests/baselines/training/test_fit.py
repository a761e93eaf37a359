"""Training ends with the same weights however it is interrupted, and by one process or two."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from baselines.base import TrainerConfig
from baselines.training import stages
from baselines.training.batches import gather
from baselines.training.fit import fit
from harness.errors import EnvironmentFailure, WrongUsageError
from tests.baselines.toys import (
    INPUTS,
    TARGETS,
    Contrastive,
    Regression,
    batches,
    pairs,
    validation,
)
from tests.conftest import WAIT

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def often(monkeypatch):
    """State is saved at every step."""
    monkeypatch.setattr(stages, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(stages, "CHECK_STEPS", 1)


class StoppedError(Exception):
    """Stands for any end of a process in the middle of a step."""


class Interrupted(Regression):
    """Ends at a step, as a killed process would."""

    def __init__(self, at, error=StoppedError):
        super().__init__()
        self.at, self.error = at, error

    def training_step(self, batch, number):
        if self.trainer.global_step == self.at:
            raise self.error
        return super().training_step(batch, number)


def trained(out, module=None, steps=12, seed=0, stage="only", **options):
    """Fit a module; its weights."""
    module = module or Regression()
    resume = options.pop("resume", False)
    loader = options.pop("loader", None) or batches(seed).loader()
    how = {
        name: options.pop(name) for name in [*options] if name in TrainerConfig.__struct_fields__
    }
    fit(module, loader, TrainerConfig(out, seed, resume=resume, **how), stage=stage, steps=steps,
        note=options.pop("note", lambda line: None), **options)  # fmt: skip
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[k].cpu(), other[k].cpu()) for k in one
    )


def test_one_seed_gives_the_same_weights_and_another_seed_others(tmp_path):
    one, again = trained(tmp_path / "1"), trained(tmp_path / "2")
    assert same(one, again)
    assert not same(one, trained(tmp_path / "3", seed=1))


@pytest.mark.parametrize("how", [{}, {"validation": validation(), "monitor": "loss", "every": 3}])
@pytest.mark.parametrize("at", [1, 5, 6, 7, 11])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(tmp_path, often, at, how):
    whole, lines = trained(tmp_path / "whole", **how), []
    with pytest.raises(StoppedError):
        trained(tmp_path / "cut", Interrupted(at), **how)
    module = Regression()
    resumed = trained(tmp_path / "cut", module, resume=True, note=lines.append, **how)
    assert same(resumed, whole)
    # At most the step that was cut, and one whose validation had not ended, are done again.
    assert 12 - at <= len(module.seen) <= 12 - at + 1
    assert len(lines) == 1
    assert "only: 12 steps, " in lines[0]


def test_a_resumed_run_sees_the_batches_that_are_left(tmp_path, often):
    whole, rest = Regression(), Regression()
    trained(tmp_path / "whole", whole)
    with pytest.raises(StoppedError):
        trained(tmp_path / "cut", Interrupted(7))
    trained(tmp_path / "cut", rest, resume=True)
    assert rest.seen == whole.seen[7:]


def test_each_step_and_each_seed_has_a_batch_of_its_own():
    rows = set()
    for seed in (0, 1):
        dataset = batches(seed, collate=tuple)
        dataset.begin(3)
        steps = iter(dataset)
        rows |= {next(steps) for _ in range(5)}
    assert len(rows) == 10
    # The rows of seed 0 and step 3: another NumPy, or another way to seed, would change all runs.
    assert (39, 34, 18, 37) in rows


def test_each_step_draws_other_noise_and_a_resumed_run_draws_the_same(tmp_path, often):
    class Noisy(Interrupted):
        def training_step(self, batch, number):
            loss = super().training_step(batch, number)
            noise.append(float(torch.rand(1)))
            return loss

    noise = []
    trained(tmp_path / "whole", Noisy(99))
    whole, noise = noise, []
    with pytest.raises(StoppedError):
        trained(tmp_path / "cut", Noisy(7))
    trained(tmp_path / "cut", Noisy(99), resume=True)
    assert len(set(whole)) == 12
    assert noise == whole


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_workers(workers):
    dataset = batches(seed=5)
    dataset.begin(3)
    loader = iter(dataset.loader(workers))
    expected = iter(dataset)
    for _ in range(4):
        assert torch.equal(next(loader)[0], next(expected)[0])


def test_shares_of_processes_make_up_the_batch():
    whole, first, second = (batches(seed=5) for _ in range(3))
    first.begin(2, 0, 2)
    second.begin(2, 1, 2)
    whole.begin(2)
    shares = [next(iter(first))[0], next(iter(second))[0]]
    assert torch.equal(torch.cat(shares), next(iter(whole))[0])


def test_a_batch_that_cannot_be_divided_equally_is_refused():
    dataset = batches()
    dataset.begin(0, 0, 3)
    with pytest.raises(
        WrongUsageError, match="batch of 4 cannot be divided equally among 3 processes"
    ):
        next(iter(dataset))


def test_early_stopping_ends_with_the_best_weights(tmp_path):
    figures = []

    class Worsening(Regression):
        def validation_step(self, batch, number):
            value = [5.0, 3.0, 4.0, 6.0, 1.0][len(figures)]
            figures.append((value, {k: v.clone() for k, v in self.state_dict().items()}))
            self.log("loss", value)

    loader = torch.utils.data.DataLoader([0])
    module = Worsening()
    weights = trained(tmp_path, module, 20, validation=loader, monitor="loss", patience=2, every=2)
    assert [value for value, _ in figures] == [5, 3, 4, 6]
    assert len(module.seen) == 8
    assert same(weights, figures[1][1])


def test_a_figure_is_best_where_it_is_greatest_and_a_loss_where_it_is_least(tmp_path):
    for monitor, best in (("R@1", 1), ("val_loss", 0)):
        kept = []

        class Rising(Regression):
            def validation_step(self, batch, number, monitor=monitor, kept=kept):
                kept.append({k: v.clone() for k, v in self.state_dict().items()})
                self.log(monitor, float(len(kept)))

        loader = torch.utils.data.DataLoader([0])
        weights = trained(
            tmp_path / str(best), Rising(), 4, validation=loader, monitor=monitor, every=2
        )
        assert same(weights, kept[best])


def test_a_finished_stage_is_read_back_and_the_next_is_the_same(tmp_path, often):
    def both(out, second, resume=False):
        first = trained(out, stage="first", steps=4, resume=resume)
        torch.rand(1)
        module = second()
        with torch.no_grad():
            module.net[0].weight.add_(torch.rand(8, 6))
        return first, trained(out, module, stage="second", resume=resume)

    whole = both(tmp_path / "whole", Regression)
    with pytest.raises(StoppedError):
        both(tmp_path / "cut", lambda: Interrupted(5))
    again = both(tmp_path / "cut", Regression, resume=True)
    assert same(whole[0], again[0])
    assert same(whole[1], again[1])
    untouched = Interrupted(0)
    trained(tmp_path / "cut", untouched, stage="second", resume=True)
    assert same(untouched.state_dict(), whole[1])


def test_only_the_weights_are_left_of_a_stage(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = trained(Path("out"), validation=validation(), monitor="signs", patience=3, every=3)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == [
        "out", "out/only", "out/only/trained.safetensors",
    ]  # fmt: skip
    assert same(load_file("out/only/trained.safetensors"), weights)


@pytest.mark.parametrize(
    ("damage", "error", "expected"),
    [
        (lambda path: path.unlink(), EnvironmentFailure, "found none; remove"),
        (lambda path: path.write_bytes(b""), EnvironmentFailure, "damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:999]), EnvironmentFailure, "damaged"),
        (lambda path: path.write_text("text"), EnvironmentFailure, "damaged"),
        (lambda path: torch.save({"state_dict": {"a": torch.ones(1)}, "global_step": 1}, path),
         WrongUsageError, "weights of the names and shapes"),
    ],
)  # fmt: skip
def test_state_that_cannot_be_resumed_is_refused(tmp_path, often, damage, error, expected):
    with pytest.raises(StoppedError):
        trained(tmp_path, Interrupted(5))
    damage(tmp_path / "only" / "last.ckpt")
    with pytest.raises(error, match=expected) as refusal:
        trained(tmp_path, resume=True)
    assert str(tmp_path / "only") in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_a_full_disk_keeps_the_last_state(tmp_path, often, monkeypatch):
    with pytest.raises(StoppedError):
        trained(tmp_path, Interrupted(5))
    before = (tmp_path / "only" / "last.ckpt").read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.files.os.fsync", full)
    with pytest.raises(EnvironmentFailure, match=r"last\.ckpt: cannot be written: No space left"):
        trained(tmp_path, resume=True)
    assert (tmp_path / "only" / "last.ckpt").read_bytes() == before
    assert [path.name for path in (tmp_path / "only").iterdir()] == ["last.ckpt"]


def test_an_interrupt_stays_one_and_the_state_stays(tmp_path, often):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, Interrupted(5, KeyboardInterrupt))
    assert signal.getsignal(signal.SIGINT) == before
    assert torch.load(tmp_path / "only" / "last.ckpt", weights_only=True)["global_step"] == 5


def test_the_config_shortens_a_stage(tmp_path):
    module = Regression()
    fit(module, batches().loader(), TrainerConfig(tmp_path, steps=3), stage="only", steps=50,
        validation=validation(), monitor="loss", every=10, note=lambda line: None)  # fmt: skip
    assert len(module.seen) == 3


def test_mixed_precision_trains_in_bfloat16_and_keeps_whole_weights(tmp_path):
    kinds = []

    class Looking(Regression):
        def training_step(self, batch, number):
            kinds.append(self.net(batch[0]).dtype)
            return super().training_step(batch, number)

    weights = trained(tmp_path, Looking(dropout=0), 3, precision="bf16-mixed")
    assert kinds == [torch.bfloat16] * 3
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"strategy": "fsdp"}, "--strategy fsdp: expected auto"),
        ({"strategy": "ddp_spawn"}, "--strategy ddp_spawn: expected auto"),
        ({"precision": "13"}, "--precision"),
        ({"strategy": "ddp_of_mine"}, "--strategy"),
        ({"devices": 0}, "--devices"),
    ],
)
def test_a_config_that_cannot_be_carried_out_is_refused(tmp_path, config, expected):
    with pytest.raises(WrongUsageError, match=r"expected auto|cannot be set up") as refusal:
        trained(tmp_path, **config)
    assert expected in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_a_loader_that_cannot_be_resumed_is_a_bug(tmp_path):
    loader = torch.utils.data.DataLoader(list(zip(INPUTS, TARGETS, strict=True)))
    with pytest.raises(TypeError, match="StepBatches"):
        trained(tmp_path, loader=loader)


def test_training_shows_one_line_and_none_of_lightnings(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("baselines.progress_notes.FIRST", 3_600)  # on a slow machine, too
    fit(Regression(), batches().loader(), TrainerConfig(tmp_path), stage="first", steps=6,
        validation=validation(), monitor="loss", every=3)  # fmt: skip
    out, err = capfd.readouterr()
    assert out == ""
    assert re.fullmatch(
        r"first: 6 steps, [\d.]+ steps/s, \d+ % of the time waiting on data, "
        r"loss [\d.]+, signs [\d.]+; kept loss [\d.]+\n",
        err,
    )


def test_a_long_training_says_what_is_left(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("baselines.progress_notes.FIRST", 0)
    fit(Regression(), batches().loader(), TrainerConfig(tmp_path), stage="first", steps=6)
    lines = capfd.readouterr().err.splitlines()
    said = [re.fullmatch(r"first: (\d) of 6 steps, about \d+ s left", line) for line in lines[:-1]]
    assert [int(each[1]) for each in said] == [2, 3, 4, 5]


def test_gather_returns_the_tensor_itself_in_one_process():
    rows = torch.ones(2, 3)
    assert gather(rows) is rows


def run_script(folder, script, *arguments, **environment):
    """Run a script as a file: `--devices` starts it again for each process."""
    path = folder / "script.py"
    path.write_text(script, "utf-8")
    return subprocess.run(
        [sys.executable, path, *map(str, arguments)], capture_output=True, text=True, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip


TWO = """
import sys
from pathlib import Path
import torch
from baselines.training.processes import is_main_process
from baselines.base import TrainerConfig
from baselines.training.fit import fit
from tests.baselines.toys import Contrastive, Regression, batches, validation

config = TrainerConfig(Path(sys.argv[1]), devices=2, strategy="ddp")
for module in (Regression(dropout=0), Contrastive()):
    fit(module, batches().loader(), config, stage=type(module).__name__, steps=3)
    if is_main_process():
        torch.save([module.grads, module.state_dict()], f"{type(module).__name__}.pt")
"""


@pytest.mark.slow
def test_two_processes_get_the_gradients_and_weights_of_one(tmp_path):
    run = run_script(tmp_path, TWO, tmp_path / "two")
    assert run.returncode == 0, run.stderr
    assert [line.split(",")[0] for line in run.stderr.splitlines()] == [
        "Regression: 3 steps", "Contrastive: 3 steps",
    ]  # fmt: skip
    for module in (Regression(dropout=0), Contrastive()):
        trained(tmp_path / "one", module, steps=3, stage=type(module).__name__)
        grads, weights = torch.load(tmp_path / f"{type(module).__name__}.pt")
        for found, expected in zip(grads, module.grads, strict=True):
            for name, tensor in expected.items():
                assert tensor.abs().max() > 0
                assert torch.allclose(found[name], tensor, rtol=0, atol=1e-6), name
        for name, tensor in module.state_dict().items():
            assert torch.allclose(weights[name], tensor, rtol=0, atol=1e-5), name


WORDS = """
import sys
import torch
from baselines.training.batches import gather, pad_alike
rank, store = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=2)
words = torch.full((2, 3 + 2 * rank, 4), rank + 1.0, requires_grad=True)
together = gather(pad_alike(words))
(together * (rank + 1)).sum().backward()
torch.save([together.detach(), words.grad], f"{rank}.pt")
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_texts_of_other_numbers_of_words_in_each_process_are_gathered(tmp_path):
    (tmp_path / "words.py").write_text(WORDS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "words.py", str(rank), str(tmp_path / "store")],
            cwd=tmp_path,
            env=environment,
        )
        for rank in range(2)
    ]
    assert [process.wait(WAIT) for process in started] == [0, 0]
    expected = torch.zeros(4, 5, 4)
    expected[:2, :3], expected[2:] = 1.0, 2.0
    for rank in range(2):
        together, gradient = torch.load(tmp_path / f"{rank}.pt")
        assert torch.equal(together, expected)
        assert torch.equal(gradient, torch.full((2, 3 + 2 * rank, 4), 3.0))


def test_without_gathering_the_gradients_would_be_others(tmp_path):
    whole, halves = Contrastive(), Contrastive()
    left, right = pairs(range(4))
    whole.loss((left, right)).backward()
    sum(halves.loss((left[at], right[at])) / 2 for at in (slice(2), slice(2, 4))).backward()
    assert not torch.allclose(whole.left.weight.grad, halves.left.weight.grad, atol=1e-3)


LOGGED = """
import sys
from pathlib import Path
from baselines.base import TrainerConfig
from baselines.training.fit import fit
from tests.baselines.toys import Regression, batches, validation

config = TrainerConfig(Path(sys.argv[1]), wandb="project")
fit(Regression(), batches().loader(), config, stage="s", steps=20, validation=validation(),
    monitor="loss", every=10)
"""


@pytest.mark.slow
def test_a_run_logged_to_wandb_prints_nothing_and_keeps_no_key(tmp_path):
    key = "k" * 40
    home = tmp_path / "home"
    run = run_script(
        tmp_path, LOGGED, tmp_path / "out", WANDB_MODE="offline", WANDB_API_KEY=key, HOME=str(home)
    )
    assert run.returncode == 0, run.stderr
    assert (run.stdout, len(run.stderr.splitlines())) == ("", 1)
    files = [path for path in (tmp_path / "out" / "wandb").rglob("*") if path.is_file()]
    assert any(path.suffix == ".wandb" for path in files)
    assert not any(key.encode() in path.read_bytes() for path in files)
    [logged] = [path.read_bytes() for path in files if path.suffix == ".wandb"]
    assert b"signs" in logged
