"""A new rule is found in any module and applied to every line, card and folder, on every path."""

import gzip
import json
import os
import shutil
import subprocess
import sys

import pytest

from harness.files import zstd
from harness.untrusted.unpacking import CHUNK
from harness.validation import RULES, check
from harness.validation.reading import slow_path
from harness.validation.reading.fast_path import COVERED
from harness.validation.rules.answer import line_rule
from harness.validation.rules.card import card_rule
from harness.validation.rules.folder import FileFinding, folder_rule
from harness.validation.rules.rule import Finding, declare
from harness.validation.rules.rule_table import rules_about
from tests.conftest import REPOSITORY
from tests.validation.samples import CARD, LINES, encoded, write_submission


def slowed(line):
    """The line with its turn as 1.0, which the fast path leaves to the slow one."""
    return {**line, "turn": float(line["turn"])}


def padded(line):
    """The line's bytes, made long by spaces: a few of them fill more than one chunk."""
    return encoded(line).replace(b", ", b"," + b" " * (CHUNK // 4), 1)


PATHS = {
    "fast": (".jsonl", [encoded(line) for line in LINES]),
    "slow": (".jsonl", [encoded(slowed(line)) for line in LINES]),
    "large": (".jsonl", [padded(line) for line in LINES]),
    "large and slow": (".jsonl", [padded(slowed(line)) for line in LINES]),
    "gzip": (".jsonl.gz", [encoded(line) for line in LINES]),
    "Zstandard": (".jsonl.zst", [padded(line) for line in LINES]),
}
PACK = {".jsonl": bytes, ".jsonl.gz": gzip.compress, ".jsonl.zst": zstd.compress}


def shape(severity):
    @line_rule("X900", "no key `choice`", '"choice": []', severity)
    def no_choice(answer, public):
        if "choice" in answer.value:
            yield "has a choice; leave it out"


def content(severity):
    @line_rule("X900", "v/a.mp4 is not ranked", '"videos": ["v/a.mp4"]', severity)
    def no_a(answer, public):
        if "v/a.mp4" in (answer.videos or ()):
            yield "ranks v/a.mp4; take it out"


def moments(severity):
    @line_rule("X900", "moments start later", '"start": 1', severity)
    def late(answer, public):
        yield from (f"{m.name} starts early" for m in answer.moments or () if m.start < 2000)


def card(severity):
    @card_rule("X900", "the team is ours", 'team = "A team"', severity)
    def ours(card):
        if card.values.get("team") == "A team":
            yield "team: expected ours, found another"


def folder(severity):
    @folder_rule("X900", "there is a licence", "a folder without LICENCE", severity)
    def licence(folder, card):
        if not (folder / "LICENCE").exists():
            yield FileFinding("LICENCE", "missing; add it")


PLANTED = {shape: 2, content: 2, moments: 1, card: 1, folder: 1}


@pytest.fixture
def plant():
    """Enters a rule for one test."""
    yield lambda enter, severity: enter(severity)
    RULES.pop("X900", None)


def submission(folder, path):
    suffix, lines = PATHS[path]
    write_submission(folder, CARD)
    (folder / "predictions.jsonl").unlink()
    data = b"".join(line + b"\n" for line in lines)
    (folder / f"predictions{suffix}").write_bytes(PACK[suffix](data))
    return folder


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("path", PATHS)
def test_the_paths_accept_the_submission_without_a_planted_rule(path, keep, tmp_path, small):
    assert check(submission(tmp_path / "s", path), small, keep=keep).report.totals == {}


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("severity", ["error", "warning"])
@pytest.mark.parametrize("enter", PLANTED, ids=lambda enter: enter.__name__)
def test_a_planted_rule_fires_on_every_path(enter, severity, path, keep, plant, tmp_path, small):
    plant(enter, severity)
    checked = check(submission(tmp_path / "s", path), small, keep=keep)
    report = checked.report
    assert report.totals == {"X900": PLANTED[enter]}
    assert (report.valid, report.answered) == (severity == "warning", 5)
    assert (checked.card is None) == (enter is card and severity == "error")


@pytest.mark.parametrize("path", PATHS)
def test_a_line_with_an_error_of_a_planted_rule_gives_no_prediction(path, plant, tmp_path, small):
    folder = submission(tmp_path / "s", path)
    plant(moments, "error")
    refused = check(folder, small).predictions
    assert [answer is None for answer in refused] == [False, True, False, False, False]
    RULES.pop("X900")
    plant(moments, "warning")
    assert None not in check(folder, small).predictions


@pytest.mark.parametrize("path", PATHS)
def test_a_rule_without_a_check_of_its_own_sends_every_line_to_the_slow_path(
    path, plant, tmp_path, small, monkeypatch
):
    plain = slow_path.read_line

    def read_line(line):
        value, findings = plain(line)
        return value, [*findings, Finding("X900", "is a line")]

    monkeypatch.setattr(slow_path, "read_line", read_line)
    plant(lambda severity: declare("line", "X900", severity, "no line", "{}"), "warning")
    assert check(submission(tmp_path / "s", path), small).report.totals == {"X900": 5}


def test_the_fast_path_covers_rules_about_lines_and_no_others():
    assert {rule.code for rule in rules_about("line")} >= COVERED


MODULE = '''
"""A rule of tomorrow."""
from harness.validation.rules.answer import line_rule


@line_rule("X900", "lines are short", "a line with a choice")
def no_choice(answer, public):
    """No choice."""
    if "choice" in answer.value:
        yield "has a choice; leave it out"
'''


def test_a_rule_in_a_new_module_is_found(tmp_path, small):
    shutil.copytree(REPOSITORY / "harness", tmp_path / "tree" / "harness")
    rules = tmp_path / "tree" / "harness" / "validation" / "rules"
    (rules / "of_tomorrow.py").write_text(MODULE)
    sub = write_submission(tmp_path / "sub")
    script = "from harness.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", script, "validate", sub, "--benchmark", small.folder,
         "--format", "json"],
        cwd=tmp_path / "tree",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "tree")},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert (run.returncode, json.loads(run.stdout)["totals"]) == (1, {"X900": 2}), run.stderr
