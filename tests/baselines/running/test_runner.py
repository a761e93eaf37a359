"""The runner shows what the history allows, when it allows it, and nothing else."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import baselines.running.runner as runner
from baselines.base import (
    About,
    Answer,
    Baseline,
    MemberConfig,
    MissingInputError,
    NoSettings,
    Provenance,
)
from baselines.provenance.code_hash import code_sha256
from baselines.provenance.threads import usual_threads
from baselines.registry import RegistryEntry, all_baselines, find
from baselines.running import provenance
from baselines.running.composition import ComposedSettings
from baselines.running.journal import Journal
from baselines.running.runner import RunConfig, RunContext, Shard, start
from harness.benchmark import Benchmark
from harness.checkout import code_state
from harness.errors import WrongUsageError
from harness.files import canonical
from harness.records import HISTORIES, Moment
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.baselines.ready import READY, configured

ROOT = Path(__file__).resolve().parents[3]

# The first video of the spy's answers, by task.
OWN = {"video": COOK, "moment": FOX, "chat": None}


class Spy(Baseline):
    """Keeps every query; answers with marks that can be found again."""

    def __init__(self):
        self.batches = []

    def prepare(self, view):
        self.view = view

    def answer(self, queries):
        self.batches.append(list(queries))
        return [
            Answer(
                videos=(COOK, FOX) if query.task == "video" else None,
                moments=(
                    (Moment(FOX, 0, 1), Moment(COOK, 0, 1)) if query.task == "moment" else None
                ),
                response=f"mine {query.dialogue_id}/{query.turn}",
            )
            for query in queries
        ]

    def queries(self):
        return {(q.dialogue_id, q.turn): q for batch in self.batches for q in batch}


@pytest.fixture
def spied(monkeypatch):
    """Run the spy and give it back with the run."""

    def run(benchmark, history, **about):
        spy = Spy()
        monkeypatch.setattr(runner, "load", lambda *known: (spy, NoSettings()))
        entry = RegistryEntry("spy", "retriever", "A spy.", About(**about))
        made = start(RunConfig(entry, history), benchmark)
        return spy, list(made.predictions()), made.card

    return run


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("candidates", ["used", "unused"])
def test_a_query_holds_what_the_history_allows_and_nothing_else(toy, spied, history, candidates):
    spy, _, _ = spied(toy, history, candidates=candidates)
    split, reference = toy.split(), {(r.dialogue_id, r.turn): r for r in toy.reference()}
    used = candidates == "used"
    for dialogue_id, turns in split.dialogues().items():
        for position, turn in enumerate(turns):
            seen = spy.queries()[turn.key]
            gold = [reference[earlier.key] for earlier in turns[:position]]
            own = [(f"mine {t.dialogue_id}/{t.turn}", OWN[t.task]) for t in turns[:position]]
            told = {"none": [], "own": own, "reference": [(r.answer, r.video_id) for r in gold]}
            earlier = turns[:position] if history != "none" else ()
            assert [e.utterance for e in seen.history] == [t.utterance for t in earlier]
            assert [e.task for e in seen.history] == [t.task for t in earlier]
            assert [(e.answer, e.video_id) for e in seen.history] == told[history]
            shown = [split.candidates.get(t.key, ()) if used else () for t in (*earlier, turn)]
            assert [*(e.candidates for e in seen.history), seen.candidates] == shown
            given = history == "reference" and turn.task == "moment"
            assert seen.video_id == (reference[turn.key].video_id if given else None)
            assert (seen.dialogue_id, seen.utterance) == (dialogue_id, turn.utterance)


def test_a_turn_is_asked_only_after_the_one_before_was_answered(toy, spied):
    spy, _, _ = spied(toy, "own")
    assert [{query.turn for query in batch} for batch in spy.batches] == [{1}, {2}, {3}, {4}]
    assert [len(batch) for batch in spy.batches] == [3, 3, 2, 1]


def test_nothing_that_a_baseline_is_handed_leads_to_test_labels(toy, spied):
    spy, _, _ = spied(toy, "own", needs=("train_labels",))
    public = {t.utterance for t in toy.split().turns} | {
        f"mine {t.dialogue_id}/{t.turn}" for t in toy.split().turns
    }
    told = {e.answer for q in spy.queries().values() for e in q.history}
    assert told <= public
    assert {gold.dialogue_id for gold in spy.view.training.gold}.isdisjoint(toy.split().dialogues())
    assert not any(
        isinstance(getattr(spy.view, name), Benchmark) for name in spy.view.__struct_fields__
    )


def test_a_baseline_runs_without_gold_and_source(toy, spied):
    before = {name: [*spied(toy, name)[1]] for name in ("none", "own")}
    (toy.folder / "test" / "gold.jsonl").unlink()
    (toy.folder / "test" / "reference.jsonl").unlink()
    shutil.rmtree(toy.folder / "source")
    for history, predictions in before.items():
        assert spied(Benchmark(toy.folder), history)[1] == predictions


def test_predictions_stand_in_the_order_of_the_turns(toy, spied):
    _, predictions, _ = spied(toy, "own")
    assert [p.key for p in predictions] == [turn.key for turn in toy.split().turns]


def test_what_a_task_needs_and_an_answer_lacks_becomes_an_abstention(toy, spied, monkeypatch):
    monkeypatch.setattr(Spy, "answer", lambda self, queries: [Answer() for _ in queries])
    _, predictions, _ = spied(toy, "own")
    given = {turn.task: (p.videos, p.moments, p.choice, p.response)
             for turn, p in zip(toy.split().turns, predictions, strict=True)}  # fmt: skip
    assert given == {
        "video": (None, None, (), None),
        "moment": (None, (), None, None),
        "chat": (None, None, None, ""),
    }


def test_a_choice_alone_answers_a_video_turn_and_stands_for_its_video(toy, spied, monkeypatch):
    def chosen(self, queries):
        self.batches.append(list(queries))
        return [Answer(choice=(DOG, CAT)) for _ in queries]

    monkeypatch.setattr(Spy, "answer", chosen)
    spy, predictions, _ = spied(toy, "own", candidates="used")
    assert predictions[0].videos is None
    assert spy.queries()[predictions[1].key].history[0].video_id == DOG


def test_an_answer_too_few_is_refused_and_not_a_shift(toy, spied, monkeypatch):
    monkeypatch.setattr(Spy, "answer", lambda self, queries: [Answer()] * (len(queries) - 1))
    with pytest.raises(WrongUsageError, match="return one Answer for each query"):
        spied(toy, "own")


def test_hidden_labels_have_no_reference_history(make):
    hidden = make(labels="hidden")
    with pytest.raises(MissingInputError, match="no history reference; take own or none"):
        start(RunConfig(find("random"), "reference"), hidden)


def test_a_history_that_a_baseline_does_not_support_is_refused(toy, spied):
    with pytest.raises(
        WrongUsageError, match="spy does not support history own; it supports: none"
    ):
        spied(toy, "own", histories=("none",))


def test_the_card_says_what_was_run(toy):
    card = start(
        RunConfig(find("bm25"), "own", ("context=all", "candidates=used"), seed=3), toy
    ).card
    assert (card.system, card.history, card.candidates) == ("bm25", "own", "used")
    assert card.settings == {"context": "all", "candidates": "used"}
    assert (card.variant, card.control) == ("context=all, candidates=used", None)
    assert (card.languages, card.training_data, card.seed) == (("en", "zh"), (), 3)
    assert (ROOT / card.code).is_file()
    prior = start(RunConfig(find("train_prior"), "own"), toy).card
    assert prior.training_data == ("toy train",)
    assert (card.annotations, prior.annotations) == ("none", "gold spans")


LEARNED = {"tan2d": "gold spans", "moment_detr": "gold spans", "two_tower": "gold videos",
           "clip4clip": "gold videos", "dual_encoder": "annotated events"}  # fmt: skip


@pytest.mark.parametrize(("name", "learned"), LEARNED.items())
def test_a_card_says_what_the_weights_learned_from(toy, ready, tmp_path, name, learned):
    config = configured(name, "reference", ready(name))
    assert start(config, toy, RunContext(tmp_path / "cache")).card.annotations == learned


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("name", [entry.name for entry in all_baselines()])
def test_answers_do_not_depend_on_portions_and_batches(
    toy, said, ready, monkeypatch, name, history
):
    whole = said(name, toy, history, *ready(name))
    monkeypatch.setattr(runner, "BATCH", 2)
    assert said(name, toy, history, *ready(name)) == whole
    monkeypatch.setattr(runner, "PORTION", 1)
    assert said(name, toy, history, *ready(name)) == whole


def with_other_last_turns(benchmark):
    """Rewrite the last turn of each test dialogue: what is asked, shown and right."""
    last = {turns[-1].key for turns in benchmark.split().dialogues().values()}
    changes = {
        "turns": lambda line: {"utterance": "a man cooks rice in a kitchen"},
        "candidates": lambda line: {"candidates": line["candidates"][::-1]},
        "reference": lambda line: {"answer": "else", "video_id": line["video_id"] and COOK},
    }
    for name, change in changes.items():
        file = benchmark.folder / "test" / f"{name}.jsonl"
        lines = [json.loads(line) for line in file.read_bytes().splitlines()]
        for line in lines:
            if (line["dialogue_id"], line["turn"]) in last:
                line |= change(line)
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return Benchmark(benchmark.folder)


@pytest.mark.parametrize("name", [entry.name for entry in all_baselines()])
def test_no_answer_depends_on_a_later_turn(toy, said, ready, name):
    before = {history: said(name, toy, history, *ready(name)) for history in HISTORIES}
    other = with_other_last_turns(toy)
    after = {history: said(name, other, history, *ready(name)) for history in HISTORIES}
    for history in HISTORIES:
        for one, two in zip(before[history], after[history], strict=True):
            assert one[:-1] == two[:-1], history
    reads = find(name).about
    assert (after != before) or not (reads.languages or reads.candidates == "used")


class KilledError(Exception):
    """Stands for whatever ends a process between two batches."""


@pytest.mark.parametrize("batch", [1, 2, 64])
@pytest.mark.parametrize("history", ["own", "reference"])
def test_a_run_that_goes_on_asks_what_is_left_and_says_the_same(
    toy, spied, tmp_path, monkeypatch, history, batch
):
    monkeypatch.setattr(runner, "BATCH", batch)
    spy, predictions, _ = spied(toy, history)
    monkeypatch.setattr(Spy, "answer", killed_after(Spy.answer, 2))
    made = []
    monkeypatch.setattr(Spy, "prepare", lambda self, view: made.append(self))
    monkeypatch.setattr(runner, "load", lambda *known: (Spy(), NoSettings()))
    while len(made) < 20:
        run = start(RunConfig(RegistryEntry("spy", "retriever", "A spy.", About()), history), toy)
        journal = Journal(tmp_path / "journal", run.key(1))
        try:
            again = [p for said in run.dialogues(journal=journal) for p in said]
            break
        except KilledError:
            continue
        finally:
            journal.close()
    assert again == predictions
    answered = [batch for one in made for batch in one.batches]
    assert answered == spy.batches
    assert len(made) == max(1, -(-len(spy.batches) // 2))


def killed_after(answer, batches):
    """An `answer` that ends each baseline after so many batches."""

    def limited(self, queries):
        if len(self.batches) == batches:
            raise KilledError
        return answer(self, queries)

    return limited


def test_shares_are_all_dialogues_each_once(toy, spied):
    run = start(RunConfig(find("bm25"), "own"), toy)
    whole = list(run.dialogues())
    for processes in (2, 3, 5):
        shares = [list(run.dialogues(Shard(n, processes))) for n in range(processes)]
        assert [shares[at % processes][at // processes] for at in range(len(whole))] == whole
        assert sum(map(len, shares)) == len(whole)


@pytest.mark.parametrize(
    ("plan", "changed"),
    [
        ({"seed": 1}, True),
        ({"assignments": ("context=all",)}, True),
        ({"history": "none"}, True),
        ({"split": "train"}, True),
        ({}, False),
    ],
)
def test_another_plan_has_another_key(toy, plan, changed):
    as_it_is = {"entry": find("bm25"), "history": "own"}
    one, other = (start(RunConfig(**{**as_it_is, **more}), toy) for more in ({}, plan))
    assert (one.key(1) != other.key(1)) == changed
    assert one.key(1) != one.key(2)


def test_what_a_baseline_tells_stands_in_card_and_record(toy, spied, monkeypatch):
    tells = Provenance(7, "4 per second", ("other",), "annotated events", {"checkpoint": "abc"})
    monkeypatch.setattr(Spy, "provenance", lambda self: tells, raising=False)
    made = spied(toy, "own", needs=("train_labels",))[2]
    assert (made.parameters, made.frames_per_video, made.training_data) == (
        7, "4 per second", ("other",),
    )  # fmt: skip
    assert made.annotations == "annotated events"  # more than the gold spans that it read
    entry = RegistryEntry("spy", "retriever", "A spy.", About())
    told = start(RunConfig(entry, "own"), toy)
    assert told.record["details"] == {"checkpoint": "abc"}
    monkeypatch.setattr(Spy, "provenance", lambda self: Provenance(details={"checkpoint": "d"}))
    assert start(RunConfig(entry, "own"), toy).key(1) != told.key(1)


def test_the_record_says_how_to_repeat_the_run(toy):
    run = start(RunConfig(find("bm25"), "own", ("context=all",), seed=3), toy)
    state = code_state(("baselines", "harness"))
    assert run.record == {
        "schema": 1,
        "baseline": "bm25",
        "commit": state.commit,
        "changed": state.changed,
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in ("bm25s", "numpy")},
        },
        "threads": usual_threads(),
        "device": "cpu",
        "code_sha256": code_sha256(ROOT / "baselines"),
        "settings": {"context": "all", "candidates": "unused"},
        "history": "own",
        "seed": 3,
        "benchmark": {"name": "toy", "fingerprint": toy.header.fingerprint, "split": "test"},
        "details": {},
    }


@pytest.fixture
def code(tmp_path):
    """A copy of all code of the baselines, which a test may change."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "baselines", tmp_path / "baselines", ignore=ignored))


def test_the_hash_of_the_code_is_that_of_what_sha256sum_says_of_all_files(code):
    files = sorted(path.relative_to(code).as_posix() for path in code.rglob("*.py"))
    listed = subprocess.run(["sha256sum", *files], cwd=code, capture_output=True, check=True)
    assert {"ranking.py", "retrievers/bm25.py", "localisers/__init__.py"} < set(files)
    assert code_sha256(code) == hashlib.sha256(listed.stdout).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        lambda code: (code / "ranking.py").write_bytes((code / "ranking.py").read_bytes() + b"\n"),
        lambda code: (code / "retrievers" / "new.py").write_text(""),
        lambda code: (code / "tokenization.py").rename(code / "terms.py"),
        lambda code: (code / "floors" / "__init__.py").unlink(),
    ],
    ids=["a shared module", "a new one", "a name", "an empty one"],
)
def test_whatever_changes_in_the_code_changes_its_hash_and_the_runs_key(
    toy, code, monkeypatch, change
):
    monkeypatch.setattr(provenance, "_CODE", code)
    before = start(RunConfig(find("bm25"), "own"), toy)
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "search.cpython-311.pyc").write_bytes(b"")
    assert start(RunConfig(find("bm25"), "own"), toy).key(1) == before.key(1)
    change(code)
    after = start(RunConfig(find("bm25"), "own"), toy)
    assert after.record["code_sha256"] != before.record["code_sha256"]
    assert after.key(1) != before.key(1)


def test_no_folder_of_a_machine_stands_in_card_or_record(toy, spied, monkeypatch, tmp_path):
    class Named(ComposedSettings, frozen=True):
        member: tuple[MemberConfig, ...] = ()
        checkpoint: str = ""
        model: str = ""

    weights = tmp_path / "weights"
    weights.mkdir()
    clip = MemberConfig("clip", {"checkpoint": str(weights)}, 2.0)
    chosen = Named((MemberConfig("bm25"), clip), f"{weights}/", "org/name")
    monkeypatch.setattr(runner, "load", lambda *known: (Spy(), chosen))
    run = start(RunConfig(RegistryEntry("spy", "retriever", "A spy.", About()), "own"), toy)
    assert run.record["settings"] == {
        "member": [
            {"baseline": "bm25", "settings": {}, "weight": 1.0},
            {"baseline": "clip", "settings": {"checkpoint": "weights"}, "weight": 2.0},
        ],
        "checkpoint": "weights",
        "model": "org/name",
    }
    assert str(tmp_path).encode() not in canonical([run.card, run.record])


@pytest.mark.parametrize("name", ["dual_encoder", "hybrid"])
def test_no_folder_of_trained_weights_does_either(toy, ready, name):
    [given] = ready("dual_encoder")
    folder = Path(given.partition("=")[2])
    values = {"checkpoint": str(folder)}
    if name == "hybrid":
        values = {"member": (MemberConfig("dual_encoder", values),)}
    run = start(RunConfig(find(name), "own", settings=values), toy)
    assert folder.is_dir()
    assert str(folder.parent).encode() not in canonical([run.card, run.record])


SAYING = """
import json, sys
from pathlib import Path
from tests.baselines.running.test_runner import told

sys.stdout.buffer.write(told(Path(sys.argv[1]), json.loads(sys.argv[2])))
"""


def told(folder, chosen):
    """All that runs of several baselines say, as bytes."""
    runs = [start(configured(name, "own", given), Benchmark(folder)) for name, given in chosen]
    return b"\n".join(canonical([run.card, run.record, *run.predictions()]) for run in runs)


@pytest.mark.parametrize("heavy", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_same_input_same_bytes_in_another_process_under_another_hash_seed(toy, ready, heavy):
    names = [entry.name for entry in all_baselines() if (entry.name in READY) == heavy]
    chosen = [(name, ready(name)) for name in names]
    assert len(chosen) > 5
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    run = subprocess.run(
        [sys.executable, "-c", SAYING, str(toy.folder), json.dumps(chosen)], check=True,
        capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
    )  # fmt: skip
    assert run.stdout == told(toy.folder, chosen)
