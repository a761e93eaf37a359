"""kill -9 of server and client: no answer lost, none doubled, the same bytes at the end."""

import time

import pytest

from harness.challenge.ledger import read_ledger
from harness.challenge.ledger_check import verify
from harness.exam.client import ExamClient, check_receipts
from harness.files import zstd
from harness.records import Prediction
from harness.submission import line
from tests.baselines.conftest import SAMPLES, imported
from tests.exam.conftest import card
from tests.exam.killing import killed_at_random
from tests.exam.test_protocol import EMPTY


def check_whole(server, benchmark):
    """All answers are there once, their receipts follow, and the run is the ledger's."""
    client = ExamClient(server.url, server.token, patience=60.0)
    exam = client.open("own", card(), "key")["exam"]
    answers = list(client.answers(exam))
    turns = benchmark.split("test").turns
    assert sorted((each["dialogue_id"], each["turn"]) for each in answers) == sorted(
        turn.key for turn in turns
    )
    head = check_receipts(exam, benchmark.header.fingerprint, card(), answers)
    status = client.status(exam)
    assert (status["head"], status["state"]) == (head, "finished")
    client.close()
    folder, lines = server.root / "submissions" / "one" / status["run"], []
    until = time.monotonic() + 60
    while "scored" not in lines and time.monotonic() < until:
        time.sleep(0.2)
        lines = [each.event for each in read_ledger(server.root / "submissions").lines]
    assert lines == ["exam-opened", "exam-finished", "accepted", "scored"]
    assert verify(server.root / "submissions").problems == ()
    return (folder / "predictions.jsonl.zst").read_bytes()


@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.long)])
def test_killed_again_and_again_an_exam_ends_whole(tmp_path, kills):
    benchmark = imported(tmp_path, SAMPLES * 10 * kills)
    server, done = killed_at_random(tmp_path, benchmark.folder, kills, seed=kills)
    try:
        data = check_whole(server, benchmark)
    finally:
        server.kill()
    assert done == kills
    assert zstd.decompress(data) == b"".join(
        line(Prediction(*turn.key, **_nothing(turn.task))) for turn in benchmark.split("test").turns
    )


def _nothing(task):
    return {name: tuple(value) if isinstance(value, list) else value
            for name, value in EMPTY[task].items()}  # fmt: skip
