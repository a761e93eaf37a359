"""What is sent before a turn does not depend on the gold of that turn or of later ones.

The other gold stands in a benchmark of its own with the same public files. Every byte of every
reply is compared, with exam ids that are the same in both.
"""

import hashlib
import json
import shutil

import pytest

from harness.benchmark import Benchmark
from harness.exam import service as service_module
from tests.baselines.conftest import imported
from tests.exam.conftest import Served, card
from tests.exam.test_protocol import EMPTY

HISTORIES = ("none", "own", "reference")


def with_other_gold(benchmark, folder, dialogue_id, first):
    """A copy in which the turns of a dialogue from number `first` on have other gold."""
    shutil.copytree(benchmark.folder, folder)
    path = folder / "test" / "gold.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    others = sorted({line["video_id"] for line in lines if line["video_id"]})
    for line in lines:
        if line["dialogue_id"] == dialogue_id and line["turn"] >= first:
            line["answer"] = f"another answer to turn {line['turn']}"
            if line["video_id"]:
                line["video_id"] = next(each for each in others if each != line["video_id"])
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    path.write_bytes(data)
    (folder / "test" / "reference.jsonl").unlink(missing_ok=True)
    header = json.loads((folder / "benchmark.json").read_bytes())
    header["gold_sha256"]["test"] = hashlib.sha256(data).hexdigest()
    (folder / "benchmark.json").write_text(json.dumps(header))
    return Benchmark(folder)


def replies(root, benchmark, history, until):
    """All that is sent in an exam before turn `until` of a dialogue is shown, in order."""
    root.mkdir()
    served = Served(root, benchmark)
    try:
        client, sent = served.client(), []
        exam = client.open(history, card(history), "key")
        sent.append(exam)
        while turns := client.turns(exam["exam"]):
            for turn in turns:
                if (turn["dialogue_id"], turn["turn"]) == until:
                    return json.dumps(sent)
                sent.append(turn)
                place = (exam["exam"], turn["dialogue_id"], turn["turn"])
                sent.append(client.answer(*place, EMPTY[turn["task"]]))
                sent.append(client.status(exam["exam"]))
                sent.append(list(client.answers(exam["exam"])))
        raise AssertionError("the turn was never shown")
    finally:
        served.end()


def turn_numbers(benchmark):
    return [(name, turn.turn) for name, turns in benchmark.split("test").dialogues().items()
            for turn in turns]  # fmt: skip


@pytest.mark.parametrize("history", HISTORIES)
def test_other_gold_from_a_turn_on_changes_no_byte_before_it(tmp_path, monkeypatch, history):
    monkeypatch.setattr(service_module.secrets, "token_hex", lambda size: "ab" * size)
    benchmark = imported(tmp_path)
    for number, (name, turn) in enumerate(turn_numbers(benchmark)):
        other = with_other_gold(benchmark, tmp_path / f"other-{number}", name, turn)
        mine = replies(tmp_path / f"a{number}", benchmark, history, (name, turn))
        theirs = replies(tmp_path / f"b{number}", other, history, (name, turn))
        # Receipts hang on the fingerprint, which is over public files alone: the same in both.
        assert mine == theirs
    if history == "reference":
        with pytest.raises(AssertionError, match="never shown"):
            replies(tmp_path / "last", benchmark, history, ("none", 1))


def test_gold_of_reference_history_does_change_what_comes_after(tmp_path, monkeypatch):
    """The test above can fail: the turn behind the swapped one shows it."""
    monkeypatch.setattr(service_module.secrets, "token_hex", lambda size: "ab" * size)
    benchmark = imported(tmp_path)
    name = next(name for name, turns in benchmark.split("test").dialogues().items()
                if len(turns) > 2)  # fmt: skip
    other = with_other_gold(benchmark, tmp_path / "other", name, 1)
    shown = []
    for at, each in enumerate((benchmark, other)):
        shown.append(replies(tmp_path / f"r{at}", each, "reference", (name, 3)))
    assert shown[0] != shown[1]


def test_no_exam_without_reference_history_opens_gold(tmp_path):
    benchmark = imported(tmp_path)
    (benchmark.folder / "test" / "gold.jsonl").unlink()
    (benchmark.folder / "test" / "reference.jsonl").unlink(missing_ok=True)
    for history in ("none", "own"):
        root = tmp_path / history
        root.mkdir()
        served = Served(root, Benchmark(benchmark.folder))
        client = served.client()
        exam = client.open(history, card(history), "key")["exam"]
        while turns := client.turns(exam):
            for turn in turns:
                client.answer(exam, turn["dialogue_id"], turn["turn"], EMPTY[turn["task"]])
        assert client.finish(exam)["state"] == "finished"
        served.end()
