"""Commitments to hidden labels: binding, hiding, opened in the ledger, checked by anyone."""

import hashlib
import json
import shutil
import stat
import subprocess
from itertools import product

import pytest

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import canonical
from harness.public_copy.commitment import (
    COMMITTED,
    OPENED,
    LabelsEvent,
    check_commitments,
    commit,
    commitment_of,
    faults,
    openable,
    read_salts,
)

HEX = "0" * 63 + "1"


@pytest.fixture
def salts(full, tmp_path):
    return commit(full, ("val", "test"), tmp_path / "salts.json", ())


def committed(salts):
    return [LabelsEvent(seq, COMMITTED, salts.fingerprint, salted.committed_reason(split))
            for seq, (split, salted) in enumerate(salts.labels.items(), start=1)]  # fmt: skip


def disclosed(salts, *splits):
    return [LabelsEvent(9, OPENED, salts.fingerprint, salts.labels[split].opened_reason(split))
            for split in splits]  # fmt: skip


def states(events, benchmark):
    return {check.split: check.state for check in check_commitments(events, benchmark)}


def test_openssl_computes_the_same(full, salts, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    gold = (full.folder / "test" / "gold.jsonl").read_bytes()
    salted = salts.labels["test"]
    run = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{salted.salt}"],
        input=b"ivcr-labels-1\ntest\n" + gold, capture_output=True, check=True,
    )  # fmt: skip
    assert run.stdout.decode().split()[-1] == salted.commitment


def test_salts_are_for_their_owner_alone_and_differ_from_split_to_split(salts, tmp_path):
    path = tmp_path / "salts.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_salts(path) == salts
    assert len({salted.salt for salted in salts.labels.values()}) == 2
    assert len(bytes.fromhex(salts.labels["test"].salt)) == 32


def test_salts_are_kept_out_of_what_is_published_and_never_lost(full, salts, tmp_path):
    for folder in (tmp_path, tmp_path.parent):
        with pytest.raises(WrongUsageError, match="salts stay secret"):
            commit(full, ("test",), tmp_path / "new.json", [folder])
    assert not (tmp_path / "new.json").exists()
    assert commit(full, ("val", "test"), tmp_path / "salts.json", ()) == salts
    with pytest.raises(WrongUsageError, match="salts of other labels"):
        commit(full, ("test",), tmp_path / "salts.json", ())
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(WrongUsageError, match="salts stay secret"):
        commit(full, ("test",), tmp_path / "link" / "new.json", [tmp_path])


def test_a_commitment_is_closed_until_its_salt_is_there_and_then_holds(full, published, salts):
    events = committed(salts)
    assert states(events, full) == {"val": "closed", "test": "closed"}
    events += disclosed(salts, "val")
    assert states(events, full) == {"val": "holds", "test": "closed"}
    assert states(events, Benchmark(published)) == {"val": "unchecked", "test": "closed"}
    assert faults(check_commitments(events, full)) == []


def test_other_labels_than_those_committed_to_show(own_full, salts):
    events = committed(salts) + disclosed(salts, "val", "test")
    assert states(events, own_full) == {"val": "holds", "test": "holds"}
    path = own_full.folder / "test" / "gold.jsonl"
    lines = path.read_bytes().splitlines()
    lines[0] = canonical(json.loads(lines[0]) | {"tags": ["mended"]})
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    header = json.loads((own_full.folder / "benchmark.json").read_bytes())
    header["gold_sha256"]["test"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (own_full.folder / "benchmark.json").write_text(json.dumps(header))
    other = Benchmark(own_full.folder)
    assert states(events, other) == {"val": "holds", "test": "broken"}
    assert "not those that were committed to" in faults(check_commitments(events, other))[0]
    with pytest.raises(EnvironmentFailure, match="not those that were committed to"):
        openable(other, salts, "test", committed(salts))


def test_two_commitments_to_one_split_are_told(full, salts, tmp_path):
    again = commit(full, ("val", "test"), tmp_path / "again.json", ())
    events = committed(salts) + committed(again) + disclosed(again, "test")
    assert any("2 commitments" in line for line in faults(check_commitments(events, full)))
    assert faults(check_commitments([], full)) != []


def test_the_rescoring_that_explains_a_second_commitment_is_named(full, salts, tmp_path):
    again = commit(full, ("val", "test"), tmp_path / "again.json", ())
    events = [*committed(salts), *committed(again)]
    events = [each._replace(seq=seq) for seq, each in enumerate(events)]
    early, late = (LabelsEvent(seq, "rescored", None, f"why {seq}") for seq in (1, 9))
    checks = check_commitments(events, full)
    (told,) = [each for each in faults(checks, [early, *events, late]) if "test" in each]
    assert "2 commitments; line 9 scored again: 'why 9'" in told.replace('"', "'")
    assert "why 1" not in told
    assert any("ask why" in each for each in faults(checks, [early, *events]))


def test_only_what_was_committed_to_is_opened_and_once(full, salts):
    with pytest.raises(WrongUsageError, match="no commitment"):
        openable(full, salts, None, [])
    events = committed(salts)
    assert set(openable(full, salts, None, events)) == {"val", "test"}
    assert set(openable(full, salts, "val", events)) == {"val"}
    assert set(openable(full, salts, None, events + disclosed(salts, "val"))) == {"test"}


def test_the_split_the_salt_and_every_byte_count():
    salt = bytes(32)
    made = {
        commitment_of(*each)
        for each in product((salt, bytes(31) + b"\1"), ("val", "test"), (b"", b"\n", b"gold\n"))
    }
    assert len(made) == 12
    with pytest.raises(ValueError, match="32 bytes"):
        commitment_of(b"short", "test", b"")


@pytest.mark.parametrize("text", [
    "", "[]", "{}", '{"schema":2}', '{"fingerprint":"x","labels":{"test":{"salt":"1"}}}',
])  # fmt: skip
def test_what_holds_no_salts_is_refused(text, tmp_path):
    (tmp_path / "salts.json").write_text(text)
    with pytest.raises(EnvironmentFailure, match="expected salts"):
        read_salts(tmp_path / "salts.json")


def test_a_hash_without_salt_would_tell_the_last_label_and_a_commitment_does_not(full, salts):
    """Who knows all gold but one turn's tries its ten candidates against the published hash."""
    data = (full.folder / "test" / "gold.jsonl").read_bytes()
    lines = data.splitlines(keepends=True)
    names = full.split().candidates[full.gold()[0].key]
    guesses = []
    for at, name in enumerate(names, start=1):
        row = json.loads(lines[0]) | {
            "video_id": name,
            "answer": f"The query matches video {at}.",
        }
        guesses.append(b"".join((canonical(row) + b"\n", *lines[1:])))
    right = [names[at] for at, guess in enumerate(guesses)
             if hashlib.sha256(guess).hexdigest() == full.header.gold_sha256["test"]]  # fmt: skip
    assert right == [full.gold()[0].video_id]
    tried = {commitment_of(bytes.fromhex(HEX), "test", guess) for guess in guesses}
    assert salts.labels["test"].commitment not in tried
