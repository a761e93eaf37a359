"""What answers cost is counted once, whoever answers and whatever is interrupted."""

import pytest

from baselines.assistants.two_stage import TwoStageSettings
from baselines.base import About, Answer, Baseline, MemberConfig, NoSettings, Settings
from baselines.registry import RegistryEntry
from baselines.running import runner
from baselines.running.journal import Journal, usage_in
from baselines.running.provenance import with_cost
from baselines.running.runner import RunConfig, start
from baselines.settings import changed_settings
from harness.chat.usage import add_usage
from harness.records import Prediction

BATCHES = [[Prediction("d1", 1, choice=())], [Prediction("d1", 2, choice=())]]


class Paid(Baseline):
    """Each answer costs one request and its turn's number of tokens; ends after `lives` batches."""

    def __init__(self, lives=99):
        self.lives, self.before = lives, []

    def prepare(self, view):
        pass

    def answer(self, queries):
        if not self.lives:
            raise KeyboardInterrupt
        self.lives -= 1
        return [Answer(choice=(), usage={"requests": 1, "prompt_tokens": q.turn, "milliseconds": 7})
                for q in queries]  # fmt: skip

    def restore_usage(self, usage):
        self.before.append(dict(usage))

    def cost(self, usage):
        return {"requests": usage["requests"], "EUR": 0.5}


@pytest.fixture
def run(toy, monkeypatch):
    monkeypatch.setattr(runner, "BATCH", 2)

    def made(baseline):
        monkeypatch.setattr(runner, "load", lambda *known: (baseline, NoSettings()))
        return start(RunConfig(RegistryEntry("paid", "assistant", "Costs.", About()), "own"), toy)

    return made


def test_a_run_that_was_cut_off_counts_what_was_spent_before(run, toy, tmp_path):
    turns = [turn.turn for turn in toy.split().turns]
    whole = {"requests": len(turns), "prompt_tokens": sum(turns), "milliseconds": 7 * len(turns)}
    path = tmp_path / "journal"
    lives = Paid(lives=2)
    with pytest.raises(KeyboardInterrupt):
        go_on(run(lives), path)
    again = Paid()
    assert go_on(run(again), path) == whole
    assert add_usage(*again.before)["requests"] == 3, "two batches: of two turns and of one"
    assert usage_in(path) == whole


def go_on(made, path):
    journal = Journal(path, made.key(1))
    try:
        for _ in made.dialogues(journal=journal):
            pass
        return dict(journal.usage)
    finally:
        journal.close()


def test_the_card_has_the_bill_and_the_record_the_counts_but_no_time(run):
    made = run(Paid())
    usage = {"requests": 3, "milliseconds": 21, "abstained: empty reply": 1}
    card, record = with_cost(made.card, made.record, made.baseline, usage)
    assert card.cost == {"requests": 3, "EUR": 0.5}
    assert record["spent"] == {"requests": 3, "abstained: empty reply": 1}
    assert with_cost(made.card, made.record, made.baseline, {}) == (made.card, made.record)


def test_a_journal_keeps_counts_with_their_batch(tmp_path):
    path = tmp_path / "journal"
    journal = Journal(path, "run")
    journal.add(BATCHES[0], {"requests": 2})
    journal.add(BATCHES[1])
    journal.close()
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        journal = Journal(path, "run")
        for batch, usage in zip(BATCHES, ({"requests": 2}, {}), strict=True):
            if journal.answered([prediction.key for prediction in batch]) is None:
                journal.add(batch, usage)
        assert journal.usage == {"requests": 2}
        journal.close()
        assert path.read_bytes() == whole


class ServerSettings(Settings, frozen=True):
    model: str = "m"
    url: str = "here"
    RUNTIME_ONLY = ("url",)


def test_runtime_settings_are_shown_nowhere():
    assert ServerSettings("x", "there").result_settings() == {"model": "x"}
    assert changed_settings(ServerSettings("m", "there")) == {}


def test_of_members_the_runtime_settings_are_left_out():
    member = MemberConfig("endpoint", {"key": "K", "model": "a", "budget": 1, "frames": 2}, 2.0)
    inside = MemberConfig("two_stage", {"assistant": member})
    expected = {"baseline": "endpoint", "settings": {"model": "a", "frames": 2}, "weight": 2.0}
    assert TwoStageSettings(assistant=member).result_settings()["assistant"] == expected
    outer = TwoStageSettings(assistant=inside).result_settings()["assistant"]
    assert outer["settings"]["assistant"] == expected
