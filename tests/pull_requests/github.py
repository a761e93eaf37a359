"""Stand-ins for what only GitHub has: contexts, files of a step, `gh api`, pip, checkouts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = REPOSITORY / ".github" / "workflows"
UNTRUSTED, TRUSTED = WORKFLOWS / "pull_request_check.yml", WORKFLOWS / "submissions.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_CONDITION = re.compile(r"(steps\.[\w.]+) == '(\w+)'")

# What `gh api` does, as far as the steps use it: GET with --jq, POST and PATCH of comments. State
# and answers are JSON files in a folder.
GH = """#!{python}
import json, pathlib, sys
import jq
arguments = sys.argv[1:]
assert arguments.pop(0) == "api", arguments
options = {{"--method": "GET", "--jq": None, "-F": None}}
flags, place = set(), None
while arguments:
    word = arguments.pop(0)
    if word in options:
        options[word] = arguments.pop(0)
    elif word in ("--paginate", "--silent"):
        flags.add(word)
    else:
        assert place is None and not word.startswith("-"), word
        place = word
state = pathlib.Path({state!r})
data = json.loads((state / "answers.json").read_text())
if options["--method"] != "GET":
    name, _, file = options["-F"].partition("=@")
    sent = {{name: pathlib.Path(file).read_text()}}
    calls = state / "calls.jsonl"
    with calls.open("a") as stream:
        stream.write(json.dumps([options["--method"], place, sent]) + "\\n")
    comments = next(each for key, each in data.items() if "/comments?" in key)
    number = place.rpartition("/")[2]
    if options["--method"] == "PATCH":
        [each] = [each for each in comments if str(each["id"]) == number]
        each.update(sent)
    else:
        user = {{"login": "github-actions[bot]"}}
        comments.append({{"id": 900 + len(comments), "user": user, **sent}})
    (state / "answers.json").write_text(json.dumps(data))
elif place.endswith("/zip"):
    sys.stdout.buffer.write((state / "artifact.zip").read_bytes())
else:
    for value in jq.compile(options["--jq"]).input_value(data[place]).all():
        print(value if isinstance(value, str) else json.dumps(value))
"""
PYTHON3 = """#!/bin/sh
if [ "$1 $2" != "-m venv" ]; then exec {python} "$@"; fi
mkdir -p "$3/bin" && cp {shims}/pip {shims}/ivcr "$3/bin/"
"""
# An installation is the clone that it was made from, on what is installed here.
PIP = """#!/bin/sh
case " $* " in *" --constraint constraints.txt . "*) ;; *) exit 9 ;; esac
test -e constraints.txt && test -e pyproject.toml && pwd > "$(dirname "$0")/source"
"""
IVCR = """#!/bin/sh
if [ "$1" = intake ] && [ -n "{intake}" ]; then exec {intake} "$@"; fi
export PYTHONPATH="$(cat "$(dirname "$0")/source")"
exec {python} -c 'from harness.cli import main; main()' "$@"
"""


def workflow(path):
    """A workflow as a table; YAML takes its key `on` for a truth."""
    table = yaml.safe_load(path.read_text("utf-8"))
    table["on"] = table.pop(True)
    return table


class Runner:
    """Runs the shell steps of one job in a clean clone."""

    def __init__(self, folder, origin, contexts, intake=""):
        self.temp, self.work = folder / "temp", folder / "work"
        self.state = folder / "state"
        for made in (self.temp, self.state, folder / "shims"):
            made.mkdir(parents=True)
        self.origin, self.contexts, self._folder = origin, contexts, folder
        words = {"python": sys.executable, "shims": folder / "shims", "state": str(self.state),
                 "intake": intake}  # fmt: skip
        for name, text in (("gh", GH), ("python3", PYTHON3), ("pip", PIP), ("ivcr", IVCR)):
            path = folder / "shims" / name
            path.write_text(text.format(**words))
            path.chmod(0o755)
        self.contexts["runner.temp"] = str(self.temp)
        self.summary, self.log = "", []

    def run(self, job):
        """Run a job's steps in order; a step that fails ends it with its code."""
        for step in job["steps"]:
            condition = step.get("if")
            if condition is not None:
                name, wanted = _CONDITION.fullmatch(condition).groups()
                if self.contexts.get(name, "") != wanted:
                    continue
            if step.get("uses", "").startswith("actions/checkout@"):
                self._check_out(self.value(step["with"]["ref"]))
            elif "run" in step and (code := self._shell(step)):
                return code
        return 0

    def value(self, text):
        """A text with its expressions replaced; an expression that no context knows is an error."""
        return _EXPRESSION.sub(lambda found: str(self.contexts[found[1]]), str(text))

    def _check_out(self, ref):
        git("clone", "--quiet", f"file://{self.origin}", str(self.work))
        git("-C", str(self.work), "checkout", "--quiet", ref)

    def _shell(self, step):
        output, summary = self._folder / "output", self._folder / "summary"
        output.write_text("")
        summary.write_text("")
        script = self._folder / "step.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.work,
            env={
                "PATH": f"{self._folder / 'shims'}:{os.environ['PATH']}",
                "HOME": str(self._folder),
                "OMP_NUM_THREADS": "1",
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                **{name: self.value(text) for name, text in step.get("env", {}).items()},
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self.log.append((step["name"], done.returncode, done.stdout + done.stderr))
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            self.contexts[f"steps.{step['id']}.outputs.{name}"] = value
        self.summary += summary.read_text()
        return done.returncode

    def answers(self, report, pull, comments=()):
        """Fill what `gh api` answers: the artifact of a report's folder, the pull request."""
        with zipfile.ZipFile(self.state / "artifact.zip", "w") as archive:
            for path in report.iterdir():
                archive.write(path, path.name)
        artifact = {"name": "ivcr-pr-check", "size_in_bytes": 5000, "id": 5, "expired": False}
        other = {**artifact, "name": "another", "id": 4}
        table = {
            "repos/o/r/actions/runs/77/artifacts?name=ivcr-pr-check":
                {"artifacts": [other, artifact]},
            "repos/o/r/pulls/7": pull,
            "repos/o/r/issues/7/comments?per_page=100": list(comments),
        }  # fmt: skip
        (self.state / "answers.json").write_text(json.dumps(table))

    @property
    def comments(self):
        """The comments on the pull request."""
        table = json.loads((self.state / "answers.json").read_text())
        return table["repos/o/r/issues/7/comments?per_page=100"]

    @property
    def calls(self):
        """What was sent, by method."""
        path = self.state / "calls.jsonl"
        return [json.loads(line)[0] for line in path.read_text().splitlines()]


def git(*command, **settings):
    """Run Git; its output."""
    identity = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(["git", *command], check=True, capture_output=True, text=True,
                          env={**os.environ, **identity}, **settings)  # fmt: skip
    return done.stdout.strip()
