"""The check of one change, from two trees to a report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.files import shown
from harness.pull_requests.bounds import ChangeRefusedError, Deadline
from harness.pull_requests.change_report import ChangeReport, FindingLog, RunReport, TouchedTeam
from harness.pull_requests.changed_files import ChangedFile, changed_files
from harness.pull_requests.git_objects import GitObjects
from harness.pull_requests.history import (
    change_history,
    require_small_history,
    revision,
)
from harness.pull_requests.intake_rules import check_intake_rules
from harness.pull_requests.layout import TEAM_FILE, check_files, check_folder_names, placed
from harness.pull_requests.run_folders import ChangedRun, changed_runs, run_reports, write_run
from harness.pull_requests.team_folder import (
    Submissions,
    check_clashes,
    check_deletions,
    check_team_file,
    check_teams,
    own_team,
    touched_team,
)
from harness.pull_requests.trees import FolderTree, GitTree, Tree
from harness.replacement.folders import replaced_folder


class CheckOptions(NamedTuple):
    """What a check is told beside the two trees.

    `repository`: where both are revisions; None for folders. `submissions`: the path of the
    submissions in both. `team`: the one folder that may change, for which an organizer vouches.
    `author`: the account that sends the change. `number`: of the pull request. `runs`: where card
    and predictions of an accepted change go, as <team>/<run>/.
    """

    repository: Path | None = None
    submissions: str = "submissions"
    split: str = "test"
    team: str | None = None
    author: str | None = None
    number: int | None = None
    runs: Path | None = None


class _Trees(NamedTuple):
    """The base, the tree at which the change begins, and the tree that it leads to.

    `history`: a last check of the commits between them, where there are some.
    """

    base: Tree
    start: Tree
    head: Tree
    history: Callable[[], None] | None = None


class _Check:
    """One check: what it found so far."""

    def __init__(self, benchmark: Benchmark, options: CheckOptions, deadline: Deadline) -> None:
        self.benchmark, self.options, self.deadline = benchmark, options, deadline
        self.log = FindingLog()
        self.ids: tuple[str | None, str | None, str | None] = (None, None, None)
        self.commits: int | None = None
        self.files, self.bytes = 0, 0
        self.team: TouchedTeam | None = None
        self.runs: list[RunReport] = []
        self.folders: list[ChangedRun] = []

    def trees(self, base: str, head: str, closing: ExitStack) -> _Trees:
        """The trees that the two names mean."""
        if self.options.repository is None:
            before = FolderTree(Path(base), self.deadline)
            return _Trees(before, before, FolderTree(Path(head), self.deadline))
        objects = closing.enter_context(GitObjects(self.options.repository, self.deadline))
        old, new = revision(objects, base), revision(objects, head)
        self.ids = (old.commit or old.tree, new.commit or new.tree, None)
        start = change_history(objects, old, new)
        self.ids = (*self.ids[:2], start.merge_base)
        self.commits = start.commits
        found = (GitTree(objects, each) for each in (old.tree, start.start, new.tree))
        trees = _Trees(next(found), next(found), next(found))
        if old.commit is None or new.commit is None:
            return trees
        return trees._replace(
            history=partial(require_small_history, objects, old.commit, new.commit)
        )

    def run(self, trees: _Trees) -> None:
        """Check every changed file, the team and its runs."""
        changes = self._changes(trees)
        above = _above(self.options.submissions)
        place = Submissions(trees.base, trees.head, above)
        files = list(placed(changes, above, self.log))
        if not changes:
            self.log.add("no-change", None, "expected a change of a team's folder, found none")
        check_folder_names(files, above, self.log)
        self.bytes = check_files(files, trees.head, self.log)
        check_clashes(files, place, self.log)
        options = self.options
        own = own_team(files, place, options.author, options.team)
        check_teams(files, own, place, self.log)
        if own is None or all(file.team != own for file in files):
            return
        self.team = touched_team(
            own, place, options.author, vouched=options.team is not None, log=self.log
        )
        check_deletions(files, own, place, self.log)
        changed = any(file.inner == (own, TEAM_FILE.encode()) for file in files)
        check_team_file(own, place, options.author, changed=changed, log=self.log)
        check_intake_rules(own, place, self.log)
        self.folders = changed_runs(files, own, place, self.log)
        self.runs.extend(
            run_reports(self.folders, place, self.benchmark, options.split, self.deadline, self.log)
        )

    def _changes(self, trees: _Trees) -> list[ChangedFile]:
        found = []
        for change in changed_files(trees.start, trees.head, self.deadline):
            found.append(change)
            self.files = len(found)
        return found

    def report(self) -> ChangeReport:
        """What was found."""
        base, head, merge_base = self.ids
        return ChangeReport(
            schema=1,
            verdict="refused" if self.log.errors else "accepted",
            number=self.options.number,
            base=base,
            head=head,
            merge_base=merge_base,
            fingerprint=self.benchmark.header.fingerprint,
            split=self.options.split,
            team=self.team,
            files=self.files,
            bytes=self.bytes,
            commits=self.commits,
            runs=tuple(self.runs),
            findings=self.log.findings,
            totals=dict(sorted(self.log.totals.items())),
        )


def check_change(
    base: str,
    head: str,
    benchmark: Benchmark,
    options: CheckOptions = CheckOptions(),  # noqa: B008 - immutable
    deadline: Deadline | None = None,
) -> ChangeReport:
    """Check what leads from `base` to `head`: folders, or revisions of `options.repository`.

    Labels are not read, and nothing of either tree is run or checked out. Raises WrongUsageError at
    a name that means no tree, EnvironmentFailure if a tree, the benchmark or the disk fails.
    """
    benchmark.split_folder(options.split)
    found = _Check(benchmark, options, deadline or Deadline())
    with ExitStack() as closing:
        try:
            trees = found.trees(base, head, closing)
            found.run(trees)
            if trees.history is not None:
                trees.history()
        except ChangeRefusedError as error:
            found.log.add(error.code, error.path, error.text)
        report = found.report()
        if options.runs is not None:
            with replaced_folder(options.runs) as folder:
                for run in found.folders if report.verdict == "accepted" else ():
                    names = run.team.decode("ascii"), run.run.decode("ascii")
                    write_run(run, trees.head, folder.joinpath(*names))
    return report


def _above(path: str) -> tuple[bytes, ...]:
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if not parts or ".." in parts or path.startswith("/"):
        raise WrongUsageError(
            f"--submissions-path: expected a path inside the trees, found {shown(path)}"
        )
    return tuple(part.encode("utf-8", "surrogateescape") for part in parts)
