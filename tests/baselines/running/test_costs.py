"""What answers cost is counted once, whoever answers and whatever is interrupted."""

import json

import pytest

from baselines.base import About, Answer, Baseline, NoSettings, Settings
from baselines.registry import RegistryEntry, changed_settings
from baselines.running import runner
from baselines.running.composition import lasting_text
from baselines.running.journal import Journal, spent_in
from baselines.running.provenance import with_cost
from baselines.running.runner import RunConfig, start
from harness.chat.messages import Reply
from harness.chat.response_cache import ResponseCache
from harness.chat.usage import BudgetExceededError, Prices, UsageTracker, added
from harness.errors import EnvironmentFailure
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
        monkeypatch.setattr(runner, "load", lambda entry, settings: (baseline, NoSettings()))
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
    assert added(*again.before)["requests"] == 3, "two batches: of two turns and of one"
    assert spent_in(path) == whole


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


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (Prices(2.5, 10.0), 0.000350),
        (Prices(0.0, 0.0), 0.0),
        (Prices(2.5, None), None),
        (Prices(), None),
    ],
)
def test_money_is_tokens_times_prices_of_a_million(prices, expected):
    usage = {"requests": 1, "prompt_tokens": 100, "completion_tokens": 10, "milliseconds": 5}
    assert prices.cost(usage) == expected
    counts = {"requests": 1, "prompt_tokens": 100, "completion_tokens": 10}
    assert UsageTracker(prices, None, None).cost(usage) == (
        counts if expected is None else counts | {"USD": expected}
    )


def test_a_purse_is_empty_when_as_much_is_spent():
    purse = UsageTracker(Prices(1.0, 1.0), 0.001, None)
    purse.add({"prompt_tokens": 999})
    purse.check()
    purse.add({"completion_tokens": 1})
    with pytest.raises(BudgetExceededError, match=r"0.001 of 0.001 USD"):
        purse.check()


class Passing(Settings, frozen=True):
    model: str = "m"
    url: str = "here"
    RUNTIME_ONLY = ("url",)


def test_passing_settings_are_told_nowhere():
    assert Passing("x", "there").result_settings() == {"model": "x"}
    assert changed_settings(Passing("m", "there")) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bm25", "bm25"),
        ("none", "none"),
        ("endpoint?url=http://h/v1", "endpoint"),
        ("endpoint?key=K&model=a%26b&budget=1&frames=2", "endpoint?model=a%26b&frames=2"),
        ("2*bm25?context=all; endpoint?timeout=3", "2*bm25?context=all;endpoint"),
    ],
)
def test_of_members_in_a_setting_the_passing_settings_are_left_out(text, expected):
    assert lasting_text(text) == expected


def test_kept_replies_outlive_the_process_and_damage_is_no_reply(tmp_path):
    one = ResponseCache(tmp_path)
    reply = Reply("猫", None, 3, None, 12, structured=True)
    one.put("k", "m", reply)
    other = ResponseCache(tmp_path)
    assert (other.get("k"), other.get("l"), other.count("m"), other.count("n")) == (
        reply, None, 1, 0,
    )  # fmt: skip
    other._base.execute("UPDATE replies SET reply = x'00'")
    assert one.get("k") is None


def test_a_file_that_is_no_base_is_one_line(tmp_path):
    (tmp_path / "replies.sqlite").write_bytes(b"x" * 4096)
    with pytest.raises(EnvironmentFailure, match="replies cannot be kept there") as failure:
        ResponseCache(tmp_path)
    assert "\n" not in str(failure.value)
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(EnvironmentFailure, match="name another folder"):
        ResponseCache(tmp_path / "file")
