"""Hostile trees, each refused at its cause: the report names the code, and nothing breaks."""

import gzip
import os

import pytest

from harness.benchmark import Benchmark
from harness.pull_requests import bounds, history
from harness.pull_requests.change_check import CheckOptions, check_change
from tests.pull_requests.conftest import codes, require_sound
from tests.pull_requests.trees import (
    BASE,
    HONEST,
    NEW,
    PREDICTIONS,
    Node,
    S,
    changed,
    run_at,
)
from tests.validation.samples import CARD

LINK = "120000"
COMMIT = b"1" * 40
ALPHA, BETA = f"{S}/alpha", f"{S}/beta"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5\n"


def beside(changes):
    """A change that goes along with an honest new team."""
    return {**HONEST, **changes}


def named(name):
    """An honest run with one more file of that name."""
    return beside({f"{NEW}/run1/{name}": b"x"})


HOSTILE = [
    # Whose folder it is
    ("a stranger edits a run", "another-team", {f"{ALPHA}/run1/card.toml": CARD.encode() + b"#"}),
    ("a stranger adds a run", "another-team", run_at(f"{ALPHA}/run2")),
    ("a stranger removes a file", "another-team", {f"{ALPHA}/run1/predictions.jsonl": None}),
    ("a stranger makes himself an account", "another-team",
     {f"{ALPHA}/team.toml": b'name = "A team"\naccounts = ["gina"]\n'}),
    ("a team without accounts", "another-team", run_at(f"{BETA}/run2")),
    ("a new team and an old one", "several-teams", beside(run_at(f"{ALPHA}/run2"))),
    ("two new teams", "several-teams",
     beside({f"{S}/delta/team.toml": b'name = "D"\n', **run_at(f"{S}/delta/run")})),
    ("a team's folder becomes a file", "another-team", {ALPHA: None, f"{S}/alpha": b"x"}),
    # What is the organizers'
    ("the ledger edited", "ledger", beside({f"{S}/ledger.jsonl": b"{}\n{}\n"})),
    ("the ledger removed", "ledger", beside({f"{S}/ledger.jsonl": None})),
    ("the ledger as a link", "ledger", beside({f"{S}/ledger.jsonl": Node(b"x", LINK)})),
    ("the ledger as a folder", "ledger",
     beside({f"{S}/ledger.jsonl": None, f"{S}/ledger.jsonl/x": b"1"})),
    ("a second ledger", "ledger", beside({f"{S}/Ledger.jsonl": b"{}\n"})),
    ("the challenge edited", "challenge", beside({f"{S}/challenge.toml": b'title = "B"\n'})),
    ("the readme", "outside", beside({"README.md": b"mine\n"})),
    ("the code", "outside", beside({"harness/check.py": b"import os\n"})),
    ("a file beside the teams", "outside", beside({f"{S}/notes.md": b"hello\n"})),
    ("a new folder beside the submissions", "outside", beside({"other/x.py": b"1"})),
    ("the submissions become a link", "outside", {S: None, f"{S}": Node(b"/etc", LINK)}),
    ("a workflow", "git-file", beside({".github/workflows/evil.yml": b"on: push\n"})),
    ("attributes of the repository", "git-file", beside({".gitattributes": b"* filter=x\n"})),
    ("attributes of a folder", "git-file", beside({f"{NEW}/.gitattributes": b"* filter=x\n"})),
    ("modules", "git-file", beside({".gitmodules": b'[submodule "x"]\n'})),
    ("a repository inside", "git-file", beside({f"{NEW}/run1/.git/config": b"[core]\n"})),
    ("a repository in capitals", "git-file", beside({f"{NEW}/run1/.GIT/config": b"[core]\n"})),
    ("a repository's short name", "git-file", named("git~1")),
    ("a repository with a hidden letter", "git-file", named(".g\u200cit")),
    # What was accepted stays
    ("a run removed", "deletion", {f"{ALPHA}/run1": None}),
    ("a run renamed", "deletion", {f"{ALPHA}/run1": None, **run_at(f"{ALPHA}/run2")}),
    ("team.toml removed", "deletion", {f"{ALPHA}/team.toml": None}),
    # Names of teams and runs
    ("a team in capitals", "case-clash", run_at(f"{S}/ALPHA/run")),
    ("a team with a digit for a letter", "confusable-team", run_at(f"{S}/a1pha/run")),
    ("a team with a hyphen", "confusable-team", run_at(f"{S}/al-pha/run")),
    ("a team in Cyrillic", "name", run_at(f"{S}/\u0430lpha/run")),
    ("a team in wide letters", "case-clash", run_at(f"{S}/\uff41lpha/run")),
    ("a team called as a device", "device-name", run_at(f"{S}/NUL/run")),
    ("a team that begins with a hyphen", "name", run_at(f"{S}/-rf/run")),
    ("two runs but for capitals", "case-clash", beside(run_at(f"{NEW}/Run1"))),
    ("two files but for capitals", "case-clash", named("CARD.toml")),
    ("one name in two forms", "normalisation-clash",
     beside({f"{NEW}/run1/\u00e9": b"1", f"{NEW}/run1/e\u0301": b"2"})),
    ("a name in parts", "normalisation", named("e\u0301.json")),
    # Names that some system cannot have
    ("the console", "device-name", named("CON")),
    ("aux with an ending", "device-name", named("aux.txt")),
    ("a port", "device-name", named("com1.json")),
    ("a dot at the end", "name", named("card.toml.")),
    ("a space at the end", "name", named("card.toml ")),
    ("the folder above", "name", beside({f"{NEW}/run1/../x": b"1"})),
    ("the folder itself", "name", beside({f"{NEW}/run1/./x": b"1"})),
    ("a slash in a name", "name", named("..\x1f..\x1fetc")),
    ("an absolute name", "name", named("\x1fetc\x1fpasswd")),
    ("a backslash", "name", named("..\\evil")),
    ("a stream", "name", named("card.toml:evil")),
    ("a line break", "name", named("a\nb")),
    ("a terminal escape", "name", named("\x1b[2J")),
    ("a mark that turns text around", "name", named("\u202etoml.card")),
    ("no UTF-8", "name", named("\udcff\udcfe")),
    ("an empty name", "unreadable", beside({f"{NEW}/run1//x": b"1"})),
    ("a long name", "path-length", named("x" * 101)),
    ("a long path", "path-length", beside(run_at(f"{NEW}/{'r' * 99}/{'s' * 99}"))),
    ("many folders", "path-length", beside({f"{NEW}/" + "d/" * 40 + "x": b"1"})),
    # Kinds of files
    ("predictions as a link", "link",
     beside({f"{NEW}/run1/predictions.jsonl": Node(b"/etc/passwd", LINK)})),
    ("a run as a link", "link", beside({f"{NEW}/run2": Node(b"../alpha/run1", LINK)})),
    ("a team as a link", "link", {f"{S}/gamma": Node(b"alpha", LINK)}),
    ("a run as a submodule", "submodule", beside({f"{NEW}/run2": Node(COMMIT, "160000")})),
    ("a team as a submodule", "submodule", {f"{S}/gamma": Node(COMMIT, "160000")}),
    ("an executable", "executable",
     beside({f"{NEW}/run1/card.toml": Node(CARD.encode(), "100755")})),
    ("a mode that Git has not", "link",
     beside({f"{NEW}/run1/card.toml": Node(CARD.encode(), "140000")})),
    ("an empty folder", "stray-file", beside({f"{NEW}/run2": {}})),
    ("a pointer of LFS", "lfs-pointer", beside({f"{NEW}/run1/predictions.jsonl": POINTER})),
    # What belongs to no run
    ("code beside a run", "stray-file", named("model.py")),
    ("a folder in a run", "stray-file", beside({f"{NEW}/run1/logs/run.json": b"{}"})),
    ("a file beside the runs", "stray-file", beside({f"{NEW}/README.md": b"hello\n"})),
    ("what a system leaves", "stray-file", named(".DS_Store")),
    ("a pickle", "stray-file", named("scores.pkl")),
    # Sizes and counts
    ("a large card", "too-large", beside({f"{NEW}/run1/card.toml": CARD.encode() + b"#" * 70_000})),
    ("large predictions", "too-large",
     beside({f"{NEW}/run1/predictions.jsonl": b"\n" * ((95 << 20) + 1)})),
    ("too many files", "too-many-files",
     beside({f"{NEW}/run1/{number}": b"x" for number in range(1001)})),
    ("too many runs", "too-many-files",
     beside({path: data for n in range(51) for path, data in run_at(f"{NEW}/r{n}").items()})),
    # What validation finds
    ("two predictions files", "invalid-run",
     beside({f"{NEW}/run1/predictions.jsonl.gz": gzip.compress(PREDICTIONS)})),
    ("no card", "invalid-run", {**HONEST, f"{NEW}/run1/card.toml": None}),
    ("no JSON", "invalid-run", beside({f"{NEW}/run1/predictions.jsonl": b"{" * 100_000})),
    ("a turn too few", "invalid-run",
     beside({f"{NEW}/run1/predictions.jsonl": PREDICTIONS.partition(b"\n")[2]})),
    ("a gzip bomb", "invalid-run",
     {**HONEST, f"{NEW}/run1/predictions.jsonl": None,
      f"{NEW}/run1/predictions.jsonl.gz": gzip.compress(b"\0" * (200 << 20), 1)}),
    # team.toml
    ("no team.toml", "team-file", run_at(f"{NEW}/run1")),
    ("an unknown key", "team-file", beside({f"{NEW}/team.toml": b'name = "G"\nadmin = true\n'})),
    ("a deep team.toml", "team-file",
     beside({f"{NEW}/team.toml": b"name = " + b"[" * 10_000 + b"\n"})),
    ("an anonymous team", "anonymous",
     beside({f"{NEW}/team.toml": b'name = "The Foxes"\nanonymous = true\n'})),
    ("nothing", "no-change", {}),
]  # fmt: skip


def test_there_are_fifty_and_more():
    assert len(HOSTILE) >= 50
    assert len({name for name, _, _ in HOSTILE}) == len(HOSTILE)


OWN = {"a run removed", "a run renamed", "team.toml removed"}


@pytest.mark.parametrize(("name", "code", "changes"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_hostile_tree_is_refused_at_its_cause(name, code, changes, checked):
    report = checked(changed(BASE, changes), author="alice" if name in OWN else "gina")
    assert report.verdict == "refused"
    assert code in codes(report), report.findings


def test_an_honest_part_is_not_blamed(checked):
    report = checked(changed(BASE, named("CON")))
    assert codes(report) == {"device-name", "stray-file"}
    assert {finding.path for finding in report.findings} == {f"{NEW}/run1/CON"}


def test_a_bomb_of_trees_is_bounded(repository, checked):
    level = repository.add("blob", b"x")
    entry = "100644"
    for _ in range(12):  # 10 ** 12 files
        oid = bytes.fromhex(level)
        rows = (f"{entry} {number}".encode() + b"\0" + oid for number in range(10))
        level, entry = repository.add("tree", b"".join(rows)), "40000"
    report = checked(changed(BASE, beside({f"{NEW}/run2": Node(level.encode(), "40000")})))
    assert codes(report) == {"too-many-files"}


def test_a_name_that_stands_twice_is_refused(repository, checked):
    one, two = (bytes.fromhex(repository.add("blob", data)) for data in (b"1", b"2"))
    twice = repository.add("tree", b"100644 a\0" + one + b"100755 a\0" + two)
    report = checked(changed(BASE, beside({f"{NEW}/run2": Node(twice.encode(), "40000")})))
    assert codes(report) == {"unreadable"}


@pytest.mark.parametrize("data", [
    b"100644 a\0" + b"1" * 19,
    b"hello",
    b"100644 a",
])  # fmt: skip
def test_a_broken_tree_is_refused(data, repository, checked):
    broken = repository.add("tree", data)
    report = checked(changed(BASE, beside({f"{NEW}/run2": Node(broken.encode(), "40000")})))
    assert codes(report) == {"unreadable"}


def test_a_blob_in_place_of_a_tree_is_refused(repository, checked):
    blob = repository.add("blob", b"x" * 40)
    report = checked(changed(BASE, beside({f"{NEW}/run2": Node(blob.encode(), "40000")})))
    assert codes(report) == {"unreadable"}


def test_a_history_of_its_own_is_refused(repository, checked):
    assert codes(checked(repository.commit(changed(BASE, HONEST)))) == {"history"}


def test_a_long_history_is_refused(repository, base, checked, monkeypatch):
    monkeypatch.setattr(history, "COMMITS", 5)
    head = base
    for number in range(6):
        files = {f"{NEW}/run1/card.toml": CARD.encode() + b"#" * number}
        head = repository.commit(changed(BASE, beside(files)), head)
    assert codes(checked(head)) == {"too-many-commits"}


def test_what_was_added_and_removed_again_counts(repository, base, checked, monkeypatch):
    monkeypatch.setattr(history, "HISTORY_BYTES", 100_000)
    large = repository.commit(changed(BASE, {"large.bin": os.urandom(200_000)}), base)
    assert codes(checked(repository.commit(changed(BASE, HONEST), large))) == {"history"}


def test_no_time_is_a_reason(benchmark, repository, base):
    options = CheckOptions(repository.folder)
    report = check_change(base, base, benchmark, options, bounds.Deadline(0))
    require_sound(report)
    assert codes(report) == {"time"}


def test_a_benchmark_without_the_split_is_refused_before(repository, base, benchmark):
    with pytest.raises(Exception, match="has no split"):
        check_change(base, base, Benchmark(benchmark.folder), CheckOptions(split="x"))
