"""The workflows: what they may do, and what linters say."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pull_requests.github import TRUSTED, UNTRUSTED, workflow

FILES = (UNTRUSTED, TRUSTED)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def steps(path):
    return [step for job in workflow(path)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestWhatAWorkflowMayDo:
    def test_it_says_that_it_cannot_run_here(self, path):
        assert path.read_text("utf-8").startswith("# This cannot run outside GitHub.")

    def test_permissions_are_given_by_job_and_each_says_why(self, path):
        table, text = workflow(path), path.read_text("utf-8")
        assert table["permissions"] == {}
        for job in table["jobs"].values():
            assert isinstance(job["permissions"], dict)
            assert 0 < job["timeout-minutes"] <= 120
            for name, level in job["permissions"].items():
                assert re.search(rf"^      {name}: {level} # to \w+", text, re.MULTILINE)
        assert table["concurrency"]["group"]

    def test_actions_are_pinned_by_hashes_whose_source_is_named(self, path):
        text = path.read_text("utf-8")
        uses = [step["uses"] for step in steps(path) if "uses" in step]
        assert uses
        for each in uses:
            assert PINNED.fullmatch(each)
            assert re.search(rf"uses: {each} # v\d+\.\d+\.\d+$", text, re.MULTILINE)
            version = re.search(rf"uses: {each} # (v[\d.]+)$", text, re.MULTILINE)[1]
            assert f"{each.partition('@')[0]} {version}" in text.partition("\nname:")[0]

    def test_no_foreign_value_is_written_into_a_script(self, path):
        for step in steps(path):
            assert "${{" not in step.get("run", "")

    def test_no_checkout_keeps_a_token_or_takes_the_change(self, path):
        for step in steps(path):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
                assert "head" not in step["with"]["ref"]


def test_the_untrusted_job_holds_no_secret_and_writes_nothing():
    table = workflow(UNTRUSTED)
    assert set(table["on"]) == {"pull_request"}
    assert "secrets." not in UNTRUSTED.read_text("utf-8")
    assert "github.token" not in UNTRUSTED.read_text("utf-8")
    assert [job["permissions"] for job in table["jobs"].values()] == [{"contents": "read"}]


def test_the_trusted_jobs_have_no_more_than_they_need():
    table = workflow(TRUSTED)
    assert table["on"]["workflow_run"]["workflows"] == [workflow(UNTRUSTED)["name"]]
    assert {name: job["permissions"] for name, job in table["jobs"].items()} == {
        "comment": {"actions": "read", "contents": "read", "pull-requests": "write"},
        "intake": {"contents": "write"},
        "build": {"contents": "read"},
        "publish": {"pages": "write", "id-token": "write"},
    }


def tool(name):
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    if found is None:
        pytest.skip(f"{name} is not installed here; the extra `dev` has it")
    return found


@pytest.mark.parametrize("command", [
    ["zizmor", "--offline", "--no-progress", "--persona", "auditor", "--strict-collection"],
    ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
], ids=lambda command: command[0])  # fmt: skip
def test_linters_find_nothing(command):
    run = subprocess.run([tool(command[0]), *command[1:], *map(str, FILES)],
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_one_finding_is_waived_and_no_other():
    """`workflow_run` as such: the trusted half needs a trigger that has secrets."""
    command = (tool("zizmor"), "--offline", "--no-progress", "--no-ignores", "--format", "json")
    run = subprocess.run([*command, *FILES], capture_output=True, text=True, check=False)
    assert [finding["ident"] for finding in json.loads(run.stdout)] == ["dangerous-triggers"]
