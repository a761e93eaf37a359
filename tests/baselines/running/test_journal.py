"""A journal gives back whole batches, in order, of its own run alone."""

import pytest

from baselines.running.journal import Journal
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.records import Moment, Prediction

BATCHES = [
    [
        Prediction("d1", 1, videos=("a\n", "b")),
        Prediction("d2", 1, moments=(Moment("猫", 1, 2),), response="\u2028"),
    ],
    [Prediction("d1", 2, choice=())],
    [Prediction("d1", 3, response="")],
]
KEYS = [[prediction.key for prediction in batch] for batch in BATCHES]


@pytest.fixture
def path(tmp_path):
    """A journal of three batches, closed."""
    path = tmp_path / "run" / "1-of-1.jsonl"
    journal = Journal(path, "run")
    for batch in BATCHES:
        journal.add(batch)
    journal.close()
    return path


def read(path, run="run"):
    """What a new run finds; the journal stays open for adding."""
    journal = Journal(path, run)
    found = []
    for keys in KEYS:
        if (batch := journal.answered(keys)) is None:
            break
        found.append(batch)
    return journal, found


def test_what_was_added_is_answered_again(path):
    journal, found = read(path)
    journal.close()
    assert found == BATCHES


@pytest.mark.parametrize("cut", [1, 2, 20, 60, 100, 150])
def test_half_a_line_is_dropped_and_the_rest_can_be_added(path, cut):
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    journal, found = read(path)
    assert found == BATCHES[: len(found)]
    assert len(found) < 3
    for batch in BATCHES[len(found) :]:
        journal.add(batch)
    journal.close()
    assert path.read_bytes() == whole


def test_every_cut_of_the_file_can_be_gone_on_from(path):
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        journal, found = read(path)
        for batch in BATCHES[len(found) :]:
            journal.add(batch)
        journal.close()
        assert path.read_bytes() == whole


def test_what_stands_behind_a_spoilt_line_is_not_believed(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\0" * 30 + b"\n", lines[3]]))
    journal, found = read(path)
    journal.close()
    assert found == BATCHES[:1]
    assert path.read_bytes() == b"".join(lines[:2])


def test_a_batch_of_other_turns_is_not_this_batch(path):
    journal = Journal(path, "run")
    assert journal.answered(KEYS[1]) is None
    journal.close()


def test_another_run_is_refused_and_nothing_is_lost(path):
    before = path.read_bytes()
    with pytest.raises(WrongUsageError, match="answers of another run"):
        Journal(path, "other")
    assert path.read_bytes() == before


def test_a_run_that_answered_nothing_gives_way(path):
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    journal = Journal(path, "other")
    journal.add(BATCHES[0])
    journal.close()
    journal, found = read(path, "other")
    journal.close()
    assert found == BATCHES[:1]


def test_two_processes_do_not_write_one_journal(path):
    journal = Journal(path, "run")
    with pytest.raises(EnvironmentFailure, match="another process is writing it"):
        Journal(path, "run")
    journal.close()
    Journal(path, "run").close()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        Journal(tmp_path / "file" / "1-of-1.jsonl", "run")
