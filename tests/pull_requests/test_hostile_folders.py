"""Hostile changes as folders, and what only a disk has: pipes, sockets, holes, circles of links."""

import os
import socket

import pytest

from harness.pull_requests.change_check import CheckOptions, check_change
from tests.pull_requests.conftest import codes, require_sound
from tests.pull_requests.test_hostile_trees import ALPHA, LINK, beside
from tests.pull_requests.trees import BASE, HONEST, NEW, Node, S, changed, run_at, write_folder


@pytest.fixture
def check(tmp_path, benchmark):
    def run(change=None, files=HONEST, **settings):
        before = write_folder(tmp_path / "base", BASE)
        after = write_folder(tmp_path / "head", changed(BASE, files))
        if change is not None:
            change(after / NEW / "run1")
        options = CheckOptions(**{"author": "gina", **settings})
        report = check_change(str(before), str(after), benchmark, options)
        require_sound(report)
        return report

    return run


def test_an_honest_change_is_accepted(check):
    assert check().findings == ()


@pytest.mark.parametrize(("code", "files"), [
    ("another-team", run_at(f"{ALPHA}/run2")),
    ("ledger", beside({f"{S}/ledger.jsonl": b""})),
    ("link", beside({f"{NEW}/run2": Node(b"/etc", LINK)})),
    ("executable", beside({f"{NEW}/run1/run.json": Node(b"{}", "100755")})),
    ("outside", beside({"README.md": b"mine"})),
    ("name", beside({f"{NEW}/run1/a\nb": b"x"})),
])  # fmt: skip
def test_a_hostile_change_is_refused(code, files, check):
    assert code in codes(check(files=files))


def test_a_pipe_is_not_waited_for(check):
    assert codes(check(lambda run: os.mkfifo(run / "run.json"))) == {"link"}


def test_a_pipe_in_place_of_predictions(check):
    def change(run):
        (run / "predictions.jsonl").unlink()
        os.mkfifo(run / "predictions.jsonl")

    assert codes(check(change)) == {"link", "invalid-run"}


def test_a_socket(check, tmp_path, monkeypatch):
    def change(run):
        monkeypatch.chdir(run)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("run.json")

    assert codes(check(change)) == {"link"}


def test_a_huge_file_without_contents_is_not_read(check):
    def change(run):
        os.truncate(run / "predictions.jsonl", 1 << 40)

    assert codes(check(change)) == {"too-large", "invalid-run"}


def test_a_circle_of_links(check):
    assert codes(check(lambda run: (run / "run.json").symlink_to(run))) == {"link"}
