"""The shell steps of the workflows in a clean clone: from a pull request to the pages.

Each step runs with bash as GitHub runs it; checkouts, the API and installations are stand-ins.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.benchmark import Benchmark
from harness.cli import COMMANDS
from harness.formats.conversion import abstention
from harness.pull_requests.comment import MARK
from harness.submission import STARTER, write
from tests.baselines.conftest import imported
from tests.pull_requests.github import REPOSITORY, TRUSTED, UNTRUSTED, Runner, git, workflow

pytestmark = pytest.mark.slow


def put(folder, team, benchmark, extra=()):
    """A team with a run that abstains throughout."""
    run = folder / "submissions" / team / "run"
    run.parent.mkdir(parents=True)
    (run.parent / "team.toml").write_text(f'name = "{team}"\naccounts = ["{team}"]\n')
    card = replace(STARTER, team=team, system="silence")
    write(run, card, map(abstention, benchmark.split().turns))
    for name, data in extra:
        (run / name).write_bytes(data)


class World:
    """A repository as GitHub has it: main with a benchmark's public half, and pull request 7."""

    def __init__(self, root):
        self.root, self.origin, self.edit = root, root / "origin.git", root / "edit"
        self.private = imported(root).folder
        git("clone", "--quiet", "--bare", f"file://{REPOSITORY}", str(self.origin))
        git("clone", "--quiet", str(self.origin), str(self.edit))
        shutil.rmtree(self.edit / "submissions")
        hidden = shutil.ignore_patterns("gold.jsonl", "source")
        public = shutil.copytree(self.private, self.edit / "benchmark", ignore=hidden)
        self.benchmark = Benchmark(public)
        put(self.edit, "first", self.benchmark)
        self.base = self.push("HEAD:refs/heads/main")
        git("-C", str(self.origin), "symbolic-ref", "HEAD", "refs/heads/main")

    def push(self, target):
        """Commit what is in the working tree, and push it; the commit."""
        git("-C", str(self.edit), "add", "--force", "--all")
        git("-C", str(self.edit), "commit", "--quiet", "--message", "a commit")
        git("-C", str(self.edit), "push", "--quiet", "--force", "origin", target)
        return git("-C", str(self.edit), "rev-parse", "HEAD")

    def pull_request(self, change):
        """Pull request 7 with a change to the working tree; its head."""
        git("-C", str(self.edit), "checkout", "--quiet", "--detach", self.base)
        change(self.edit)
        return self.push("HEAD:refs/pull/7/head")

    def untrusted(self, name, head, author="second"):
        """The untrusted job ran: its runner and its exit code."""
        runner = Runner(self.root / name, self.origin, {
            "github.event.pull_request.base.sha": self.base,
            "github.event.pull_request.head.sha": head,
            "github.event.pull_request.number": 7,
            "github.event.pull_request.user.login": author,
        })  # fmt: skip
        return runner, runner.run(workflow(UNTRUSTED)["jobs"]["check"])

    def trusted(self, name, head="", benchmark="", **settings):
        """A runner for the jobs of the trusted workflow, pull request 7 being at `head`."""
        if head:
            git("-C", str(self.origin), "update-ref", "refs/pull/7/head", head)
        return Runner(self.root / name, self.origin, {
            "github.event.repository.default_branch": "main",
            "github.event.workflow_run.head_sha": head,
            "github.event.workflow_run.id": 77,
            "github.repository": "o/r",
            "github.token": "secret-token",
            "secrets.IVCR_BENCHMARK": benchmark,
            "secrets.IVCR_RESULTS": "",
        }, **settings)  # fmt: skip


def pull(commit, author="second", **changes):
    return {"state": "open", "base": {"ref": "main"}, "head": {"sha": commit},
            "user": {"login": author}} | changes  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    pytest.importorskip("jq", reason="`gh api --jq` needs jq, which the extra `dev` has")
    if not (REPOSITORY / ".git").exists():
        pytest.skip("needs the project's repository, from which a clean clone is made")
    committed = git("-C", str(REPOSITORY), "ls-tree", "-r", "--name-only", "HEAD", "harness")
    if "harness/pull_requests/change_check.py" not in committed:
        pytest.skip("the project's commit has no pull requests yet")
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def honest(world):
    """Pull request 7 by `second`: its head, and the folder of the untrusted job's report."""
    head = world.pull_request(lambda tree: put(tree, "second", world.benchmark))
    runner, code = world.untrusted("honest", head)
    assert code == 0, runner.log
    return head, runner


COMMENT, INTAKE, BUILD = (
    workflow(TRUSTED)["jobs"][name] for name in ("comment", "intake", "build")
)


def test_an_honest_pull_request_gets_one_comment_that_is_edited_in_place(world, honest):
    head, untrusted = honest
    report = untrusted.temp / "report"
    assert sorted(path.name for path in report.iterdir()) == ["comment.md", "pr_check.json"]
    assert untrusted.summary.startswith(f"{MARK}\n### Accepted")
    planted = {"id": 1, "user": {"login": "mallory"}, "body": f"{MARK} mine"}
    runner = world.trusted("first", head, world.private)
    runner.answers(report, pull(head), [planted])
    assert runner.run(COMMENT) == 0, runner.log
    assert [each["user"]["login"] for each in runner.comments] == ["mallory", "github-actions[bot]"]
    body = runner.comments[1]["body"]
    assert body.startswith(f"{MARK}\n### Accepted")
    assert "reported something else" not in body
    assert "figures in per cent: " in body or "no figure has turns enough" in body
    text = "".join(output for _, _, output in runner.log)
    assert not [word for word in ("secret-token", "R@1", str(world.private)) if word in text]
    unlabelled = world.trusted("again", head)
    unlabelled.answers(report, pull(head), runner.comments)
    assert unlabelled.run(COMMENT) == 0, unlabelled.log
    assert [each["id"] for each in unlabelled.comments] == [each["id"] for each in runner.comments]
    assert "figure" not in unlabelled.comments[1]["body"]
    assert (runner.calls, unlabelled.calls) == (["POST"], ["PATCH"])


def test_a_refused_change_fails_its_job_and_is_told_why(world):
    def change(tree):
        put(tree, "third", world.benchmark, [("model.py", b"import os\n")])
        (tree / "submissions" / "first" / "team.toml").write_text('name = "x"\n')

    head = world.pull_request(change)
    untrusted, code = world.untrusted("refused", head, "third")
    assert code == 1, untrusted.log
    assert untrusted.log[-1][0] == "Fail where the change is refused"
    report = untrusted.temp / "report"
    forged = json.loads((report / "pr_check.json").read_text())
    (report / "pr_check.json").write_text(
        json.dumps(forged | {"verdict": "accepted", "findings": [], "totals": {}})
    )
    runner = world.trusted("forged", head, world.private)
    runner.answers(report, pull(head, "third"))
    assert runner.run(COMMENT) == 0, runner.log
    (comment,) = runner.comments
    assert comment["body"].startswith(f"{MARK}\n### Refused")
    assert "reported something else" in comment["body"]
    assert not (runner.temp / "work" / "scores" / "third").exists()


@pytest.mark.parametrize("other", [
    {"state": "closed"}, {"base": {"ref": "release"}}, {"head": {"sha": "0" * 40}},
])  # fmt: skip
def test_a_pull_request_that_moved_on_gets_no_comment(world, honest, other, tmp_path):
    head, untrusted = honest
    runner = world.trusted(tmp_path.name, head, world.private)
    runner.answers(untrusted.temp / "report", pull(head, **other))
    assert runner.run(COMMENT) == 0, runner.log
    assert runner.comments == []


@pytest.mark.parametrize("text", ["", '{"number": "7; id"}'])
def test_a_report_that_is_none_ends_the_job(world, honest, text, tmp_path):
    head, _ = honest
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "pr_check.json").write_text(text)
    runner = world.trusted(f"{tmp_path.name}-x", head, world.private)
    runner.answers(tmp_path / "report", pull(head))
    assert runner.run(COMMENT) == 1
    assert runner.comments == []


def test_what_is_merged_is_built(world):
    runner = world.trusted("build", benchmark=world.private)
    runner.contexts["secrets.IVCR_RESULTS"] = results = str(world.root / "kept results")
    assert runner.run(BUILD) == 0, runner.log
    assert (runner.temp / "site" / "index.html").is_file()
    assert Path(results).is_dir()
    board = json.loads((runner.temp / "site" / "leaderboard.json").read_text())
    assert [row["team"] for row in board["rows"]] == ["first"]


def test_without_a_challenge_no_ledger_is_kept(world):
    runner = world.trusted("no-ledger", benchmark=world.private)
    before = git("-C", str(world.origin), "rev-parse", "main")
    assert runner.run(INTAKE) == 0, runner.log
    assert git("-C", str(world.origin), "rev-parse", "main") == before


def test_the_ledger_is_pushed_where_there_is_a_challenge(world, tmp_path):
    """Intake itself has its own tests: here a stand-in writes the line."""
    intake = tmp_path / "intake"
    intake.write_text(
        f'#!/bin/sh\nr="{tmp_path}/re sults"\n'
        'test "$#|$5|$6|$8" = "8|--results|$r|$r.receipts"'
        ' && test "$2 $3" = "submissions --benchmark" && echo "{}" >> "$2/ledger.jsonl"\n'
    )
    intake.chmod(0o755)
    git("-C", str(world.edit), "checkout", "--quiet", "--detach", world.base)
    (world.edit / "submissions" / "challenge.toml").write_text('title = "C"\n')
    merged = world.push("HEAD:refs/heads/main")
    runner = world.trusted("ledger", benchmark=world.private, intake=str(intake))
    runner.contexts["secrets.IVCR_RESULTS"] = f"{tmp_path}/re sults"
    assert runner.run(INTAKE) == 0, runner.log
    assert git("-C", str(world.origin), "rev-parse", "main~1") == merged
    changed = git("-C", str(world.origin), "diff", "--name-only", merged, "main")
    assert changed == "submissions/ledger.jsonl"
    again = world.trusted("ledger-again", benchmark=world.private, intake="/bin/true")
    assert again.run(INTAKE) == 0, again.log
    assert git("-C", str(world.origin), "rev-parse", "main~1") == merged
    assert "secret-token" not in "".join(output for _, _, output in runner.log)


def test_the_commands_of_the_steps_exist():
    words = re.findall(
        r"/ivcr\" (\w+)", "".join(path.read_text("utf-8") for path in (UNTRUSTED, TRUSTED))
    )
    assert set(words) - {"intake"} <= set(COMMANDS)
