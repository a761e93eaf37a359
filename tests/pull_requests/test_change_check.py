"""Honest changes are accepted; whose folder it is stands in the base; nothing is run or fetched."""

import json
import subprocess
import sys

import pytest

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.pull_requests import git_objects
from harness.pull_requests.change_check import CheckOptions, check_change
from harness.pull_requests.comment import comment
from harness.pull_requests.git_objects import git_environment
from harness.teams.team_file import terms_version
from tests.pull_requests.conftest import codes
from tests.pull_requests.trees import (
    BASE,
    HONEST,
    NEW,
    PREDICTIONS,
    Node,
    Repository,
    S,
    changed,
    run_at,
    write_folder,
)
from tests.validation.samples import CARD

ALPHA = f"{S}/alpha"
NOTED = PREDICTIONS.replace(b"\n", b"\r\n")


def test_a_new_team_is_accepted(checked):
    report = checked(changed(BASE, HONEST))
    assert (report.verdict, report.findings) == ("accepted", ())
    assert (report.team.folder, report.team.new, report.team.owner) == ("gamma", True, None)
    assert [(run.folder, run.new, run.valid) for run in report.runs] == [("run1", True, True)]
    assert (report.files, report.commits) == (3, 1)


@pytest.mark.parametrize("changes", [
    run_at(f"{ALPHA}/run2"),
    {f"{ALPHA}/run1/card.toml": CARD.encode() + b"# a new version\n"},
    {f"{ALPHA}/run1/scores.json": b"{}", f"{ALPHA}/run1/run.json": b"{}"},
    {f"{ALPHA}/team.toml": b'name = "A team"\naccounts = ["Alice", "bob"]\n'},
])  # fmt: skip
def test_an_account_of_the_base_may_change_its_folder(changes, checked):
    for author in ("Alice", "aLICE"):
        report = checked(changed(BASE, changes), author=author)
        assert (report.verdict, report.team.owner) == ("accepted", True)


def test_predictions_may_change_their_packing(checked):
    import gzip

    packed = {f"{ALPHA}/run1/predictions.jsonl": None,
              f"{ALPHA}/run1/predictions.jsonl.gz": gzip.compress(PREDICTIONS)}  # fmt: skip
    before = checked(changed(BASE, run_at(f"{ALPHA}/run2")), author="alice").runs[0]
    report = checked(changed(BASE, packed), author="alice")
    assert report.verdict == "accepted"
    assert report.runs[0].sha256 == before.sha256


def test_warnings_are_shown_and_do_not_refuse(checked):
    report = checked(changed(BASE, {**HONEST, f"{NEW}/run1/predictions.jsonl": NOTED}))
    assert report.verdict == "accepted"
    assert report.runs[0].warnings > 0
    assert report.runs[0].problems[0].severity == "warning"


def test_in_a_challenge_a_card_names_its_folder_s_team(checked, repository, benchmark):
    for name, found in (("A new team", set()), ("gamma", set()), ("Gamma", {"card-team"})):
        card = CARD.replace('team = "A team"', f'team = "{name}"').encode()
        head = changed(BASE, {**HONEST, f"{NEW}/run1/card.toml": card})
        assert codes(checked(head)) == found
    free = {f"{S}/challenge.toml": None}
    base, tip = (repository.commit(changed(tree, free)) for tree in (BASE, head))
    report = check_change(base, tip, benchmark, CheckOptions(repository.folder))
    assert "card-team" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize(("name", "found"), [
    ("A  TEAM", {"confusable-team", "team-name"}), ("Beta", {"confusable-team"}),
    ("Anоther team", {"confusable-team"}), ("A\\u200bb", {"team-name"}), ("Lab 3", set()),
])  # fmt: skip
def test_a_new_name_is_compared_as_the_intake_compares_it(name, found, checked):
    named = {f"{NEW}/team.toml": f'name = "{name}"\naccounts = ["gina"]\n'.encode()}
    assert codes(checked(changed(BASE, {**HONEST, **named}))) == found


def test_a_name_that_the_base_has_already_is_not_compared_again(checked, repository, benchmark):
    twins = {f"{S}/beta/team.toml": b'name = "A team"\n'}
    base = repository.commit(changed(BASE, twins))
    head = repository.commit(changed(BASE, twins | run_at(f"{ALPHA}/run2")), base)
    options = CheckOptions(repository.folder, author="alice")
    assert check_change(base, head, benchmark, options).findings == ()


def test_the_terms_that_intake_will_ask_for_are_named(repository, benchmark):
    challenge = {f"{S}/challenge.toml": b'title = "A challenge"\nterms = " Be honest. "\n'}
    base = repository.commit(changed(BASE, challenge))
    options = CheckOptions(repository.folder, author="gina")
    version = terms_version("Be honest.")
    for terms, found in ((version, []), ("0" * 16, ["terms"]), (None, ["terms"])):
        team = 'name = "A new team"\naccounts = ["gina"]\n'
        team += f'terms = "{terms}"\n' if terms else ""
        tree = changed(BASE, {**challenge, **HONEST, f"{NEW}/team.toml": team.encode()})
        report = check_change(base, repository.commit(tree, base), benchmark, options)
        assert (report.verdict, [each.code for each in report.findings]) == ("accepted", found)
        assert all(f"terms = '{version}'" in each.message for each in report.findings)
        assert (version in comment(report)) == bool(found)


def test_no_team_is_called_as_the_benchmarks_own_runs(checked):
    for name in ("floors", "Floors"):
        tree = {path.replace("gamma", name): content for path, content in HONEST.items()}
        tree |= run_at(f"{S}/{name}/run1")
        report = checked(changed(BASE, tree))
        assert codes(report) == {"name"}
        assert "the benchmark's own runs" in report.findings[0].message


def test_the_example_of_the_template_is_no_error_and_its_card_is_one(checked):
    example = {f"{NEW}/run1/predictions.example.jsonl": PREDICTIONS}
    report = checked(changed(BASE, HONEST | example))
    assert report.verdict == "accepted"
    assert [finding.code for finding in report.findings] == ["stray-file"]
    assert "you may remove it" in report.findings[0].message
    card = HONEST[f"{NEW}/run1/card.toml"].replace(b'"A system"', b'"Your system"')
    report = checked(changed(BASE, {**HONEST, f"{NEW}/run1/card.toml": card}))
    assert codes(report) == {"template"}
    assert report.runs[0].problems[0].code == "C109"
    assert codes(checked(changed(BASE, HONEST | {f"{NEW}/run1/a.jsonl": b""}))) == {"stray-file"}


def test_whose_folder_it_is_stands_in_the_base_alone(checked):
    stolen = {f"{ALPHA}/team.toml": b'name = "A team"\naccounts = ["gina"]\n'}
    report = checked(changed(BASE, stolen))
    assert codes(report) == {"another-team"}
    assert report.team.owner is False


def test_without_an_author_nobody_is_asked_and_the_report_says_so(checked):
    report = checked(changed(BASE, run_at(f"{ALPHA}/run2")), author=None)
    assert (report.verdict, report.team.owner) == ("accepted", None)
    assert [finding.code for finding in report.findings] == ["owner"]


def test_an_organizer_vouches_for_one_folder(checked):
    head = changed(BASE, run_at(f"{S}/beta/run2"))
    assert checked(head, team="beta").verdict == "accepted"
    assert codes(checked(head, team="alpha")) == {"another-team"}
    assert codes(checked(changed(BASE, HONEST), team="alpha")) == {"several-teams"}


def test_an_author_who_is_left_out_of_a_new_team_is_warned(checked):
    report = checked(changed(BASE, HONEST), author="someone")
    assert report.verdict == "accepted"
    assert [finding.code for finding in report.findings] == ["accounts"]


def test_without_a_challenge_a_team_file_is_asked_for_and_not_required(repository, benchmark):
    base = repository.commit(changed(BASE, {f"{S}/challenge.toml": None}))
    head = repository.commit(
        changed(BASE, {f"{S}/challenge.toml": None, **run_at(NEW + "/r")}), base
    )
    report = check_change(base, head, benchmark, CheckOptions(repository.folder))
    assert report.verdict == "accepted"
    assert [finding.code for finding in report.findings] == ["team-file"]


def test_what_others_merged_meanwhile_is_not_the_changes(repository, base, benchmark):
    """The base moved on: a team came, and a run of alpha went to a new version."""
    others = {**run_at(f"{S}/delta/run"), f"{ALPHA}/run1/run.json": b"{}", "README.md": b"new\n"}
    tip = repository.commit(changed(BASE, others), base)
    head = repository.commit(changed(BASE, HONEST), base)
    options = CheckOptions(repository.folder, author="gina")
    report = check_change(tip, head, benchmark, options)
    assert (report.verdict, report.files, report.merge_base) == ("accepted", 3, base)
    clash = repository.commit(changed(BASE, run_at(f"{S}/DELTA/run")), base)
    assert "case-clash" in codes(check_change(tip, clash, benchmark, options))
    taken = repository.commit(changed(BASE, run_at(f"{S}/delta/run2")), base)
    assert codes(check_change(tip, taken, benchmark, options)) == {"another-team"}


def test_a_folder_and_trees_of_git_give_the_same_report(tmp_path, repository, base, benchmark):
    head = changed(BASE, {**HONEST, f"{NEW}/run1/x.py": b"1", "README.md": b"2"})
    folders = (str(write_folder(tmp_path / str(n), each)) for n, each in enumerate((BASE, head)))
    of_folders = check_change(*folders, benchmark, CheckOptions(author="gina"))
    trees = (repository.tree(each) for each in (BASE, head))
    of_trees = check_change(*trees, benchmark, CheckOptions(repository.folder, author="gina"))
    assert of_folders.findings == of_trees.findings
    assert of_folders.runs == of_trees.runs
    assert (of_folders.files, of_folders.bytes) == (of_trees.files, of_trees.bytes)
    commits = check_change(base, repository.commit(head, base), benchmark,
                           CheckOptions(repository.folder, author="gina"))  # fmt: skip
    assert commits.findings == of_trees.findings


def test_runs_of_an_accepted_change_are_written_for_scoring(tmp_path, checked):
    out = tmp_path / "runs"
    checked(changed(BASE, {**HONEST, f"{NEW}/run1/run.json": b"{}"}), runs=out)
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.*")}
    assert files == {"gamma/run1/card.toml": HONEST[f"{NEW}/run1/card.toml"],
                     "gamma/run1/predictions.jsonl": PREDICTIONS}  # fmt: skip
    checked(changed(BASE, {**HONEST, "README.md": b"mine"}), runs=out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(("base", "head", "failure"), [
    ("nosuch", "HEAD", EnvironmentFailure),
    ("0" * 40, "0" * 40, EnvironmentFailure),
    ("--all", "--all", WrongUsageError),
    ("HEAD\nx", "HEAD", WrongUsageError),
    ("", "", WrongUsageError),
])  # fmt: skip
def test_a_revision_that_is_not_here_is_no_fault_of_the_change(
    base, head, failure, repository, benchmark
):
    with pytest.raises(failure):
        check_change(base, head, benchmark, CheckOptions(repository.folder))


@pytest.mark.parametrize("path", ["", "/", "..", "submissions/../..", "/etc"])
def test_submissions_lie_inside_the_trees(path, repository, base, benchmark):
    with pytest.raises(WrongUsageError, match="--submissions-path"):
        check_change(base, base, benchmark, CheckOptions(repository.folder, path))


def test_a_shallow_base_is_no_fault_of_the_change(tmp_path, repository, base, benchmark):
    one = repository.commit(changed(BASE, {"README.md": b"1"}), base)
    tip = repository.commit(changed(BASE, {"README.md": b"2"}), one)
    head = repository.commit(changed(BASE, HONEST), base)
    shallow = Repository(tmp_path / "shallow.git")
    for oid in (tip, head):
        source = f"file://{repository.folder}"
        repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
        shallow.git("fetch", "-q", "--depth=1", source, oid)
    with pytest.raises(EnvironmentFailure, match="shallow"):
        check_change(tip, head, benchmark, CheckOptions(shallow.folder))


@pytest.mark.parametrize("older", [False, True])
def test_objects_that_were_not_fetched_are_not_fetched(
    older, tmp_path, repository, base, benchmark, monkeypatch
):
    """A partial clone whose remote would run a program; an older Git knows no GIT_NO_LAZY_FETCH."""
    if older:
        monkeypatch.setattr(git_objects, "git_environment", without_lazy_fetch)
    head = repository.commit(changed(BASE, HONEST), base)
    mark = tmp_path / "ran"
    partial = Repository(tmp_path / "partial.git")
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    partial.git("remote", "add", "origin", f"file://{repository.folder}")
    partial.git("fetch", "-q", "--filter=blob:none", "origin", base, head)
    partial.git("config", "remote.origin.url", f"ext::touch {mark}")
    partial.git("config", "protocol.ext.allow", "always")
    partial.git("config", "remote.origin.promisor", "true")
    with pytest.raises(EnvironmentFailure, match="not here"):
        check_change(base, head, benchmark, CheckOptions(partial.folder))
    assert not mark.exists()


def without_lazy_fetch(folder):
    return {k: v for k, v in git_environment(folder).items() if k != "GIT_NO_LAZY_FETCH"}


RUN_BY_CONFIGURATION = [
    ('filter "evil"', "smudge"), ('filter "evil"', "clean"), ('filter "evil"', "process"),
    ('diff "evil"', "textconv"), ("diff", "external"), ("core", "fsmonitor"), ("core", "pager"),
    ("core", "sshCommand"), ("core", "alternateRefsCommand"), ("alias", "cat-file"),
]  # fmt: skip


def test_nothing_of_a_repository_is_run(tmp_path, benchmark):
    """Hooks, filters, textconv, a file system monitor and an alias, all of which leave a mark."""
    mark = tmp_path / "ran"
    work = write_folder(tmp_path / "work", BASE)

    def git(*command):
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", "-C", str(work), *who, *command], check=True, capture_output=True)

    git("init", "-q")
    git("add", "-f", ".")
    git("commit", "-q", "-m", "base")
    write_folder(tmp_path / "new", HONEST)
    (tmp_path / "new" / NEW).rename(work / NEW)
    git("add", "-f", ".")
    git("commit", "-q", "-m", "head")
    (work / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (work / ".git/info/attributes").write_text("* filter=evil diff=evil\n")
    with (work / ".git/config").open("a") as config:
        for section, key in RUN_BY_CONFIGURATION:
            config.write(f'[{section}]\n\t{key} = "touch {mark}"\n')
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        path = work / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {mark}\n")
        path.chmod(0o755)
    before = sorted(path for path in work.rglob("*"))
    report = check_change("HEAD~1", "HEAD", benchmark, CheckOptions(work, author="gina"))
    assert report.verdict == "accepted"
    assert not mark.exists()
    assert sorted(path for path in work.rglob("*")) == before


WATCHED = """
import sys
opened = []
sys.addaudithook(lambda event, what: event == "open" and opened.append(str(what[0])))
ran = []
sys.addaudithook(lambda event, what: event in ("subprocess.Popen", "os.exec", "os.system")
                 and ran.append([str(each) for each in what[1]][:1]))
from harness.cli import main
sys.argv[0] = "ivcr"
try:
    main()
finally:
    import json
    print(json.dumps({"opened": opened, "ran": ran}), file=sys.stderr)
"""


def test_labels_are_never_opened_and_git_alone_is_run(tmp_path, repository, base, benchmark):
    import shutil

    folder = shutil.copytree(benchmark.folder, tmp_path / "benchmark")
    private = [folder / "test" / "gold.jsonl", folder / "test" / "reference.jsonl",
               folder / "source" / "x"]  # fmt: skip
    for path in private:
        path.parent.mkdir(exist_ok=True)
        path.write_text("not to be read\n")
    head = repository.commit(changed(BASE, HONEST), base)
    command = [sys.executable, "-c", WATCHED, "pr", "check", base, head, "--benchmark", folder]
    places = ["--repository", repository.folder, "--out", tmp_path / "o", "--runs", tmp_path / "r"]
    run = subprocess.run([*command, *places], capture_output=True, text=True, check=True)
    found = json.loads(run.stderr.splitlines()[-1])
    assert found["opened"]
    assert not set(map(str, private)) & set(found["opened"])
    assert {command for (command,) in found["ran"]} == {"git"}


def test_the_command_writes_the_same_bytes_again(tmp_path, ivcr, repository, base, benchmark):
    head = repository.commit(changed(BASE, {**HONEST, f"{NEW}/run1/x": Node(b"x")}), base)
    command = ("pr", "check", base, head, "--repository", repository.folder, "--benchmark",
               benchmark.folder, "--author", "gina", "--number", 7)  # fmt: skip
    code, out, err = ivcr(*command, "--out", tmp_path / "one")
    assert (code, out) == (1, "refused: 4 files, 1 runs\n")
    assert "[stray-file] submissions/gamma/run1/x: " in err
    files = {"--json": tmp_path / "pr_check.json", "--comment": tmp_path / "comment.md"}
    code, _, _ = ivcr(*command, *(each for pair in files.items() for each in pair))
    assert code == 1
    for path in files.values():
        assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes()


def test_callers_variables_of_git_lead_nowhere_else(
    monkeypatch, tmp_path, checked, repository, base
):
    commit = repository.commit(changed(BASE, HONEST), base)
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_CEILING_DIRECTORIES"):
        monkeypatch.setenv(name, str(tmp_path))
    assert checked(commit).verdict == "accepted"
