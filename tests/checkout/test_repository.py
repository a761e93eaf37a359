"""The commit of the running code, and the files of commits, beside what git itself says."""

import subprocess

import pytest

from harness.checkout import HistoryError, code_state, files_at, require_in_history, worktree
from tests.conftest import REPOSITORY

CODE = {"baselines/a.py": "1\n", "baselines/in/ü.py": "2\n", "baselines/notes.md": "3\n"}


def test_a_clean_tree_names_its_commit_and_a_changed_one_says_so(repository):
    commit = repository.commit(CODE)
    assert code_state(("baselines",), repository.root) == (commit, False)
    repository.write({"results/row.json": "{}"})
    assert code_state(("baselines",), repository.root) == (commit, False), "no part of the code"
    repository.write({"baselines/new.py": ""})
    assert code_state(("baselines",), repository.root) == (commit, True)
    (repository.root / "baselines" / "new.py").unlink()
    (repository.root / "baselines" / "a.py").unlink()
    assert code_state(("baselines",), repository.root) == (commit, True)


def test_code_outside_a_checkout_of_its_own_names_no_commit(repository, tmp_path, monkeypatch):
    assert code_state(("baselines",), repository.root) == (None, None), "there is no commit yet"
    repository.commit(CODE)
    assert code_state(("in",), repository.root / "baselines") == (None, None)
    assert code_state(("baselines",), tmp_path) == (None, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_state(("baselines",), repository.root) == (None, None), "there is no git"


def test_variables_of_a_hook_lead_to_no_other_repository(repository, tmp_path, monkeypatch):
    commit = repository.commit(CODE)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    assert code_state(("baselines",), repository.root) == (commit, False)


def test_files_of_a_commit_come_from_the_history_and_not_from_the_tree(repository):
    first = repository.commit(CODE)
    (repository.root / "baselines" / "link.py").symlink_to("a.py")
    second = repository.commit({"baselines/a.py": "changed\n"})
    found = files_at(first, "baselines", ".py", repository.root)
    assert found == {"a.py": b"1\n", "in/ü.py": b"2\n"}
    assert files_at(second, "baselines", ".py", repository.root)["a.py"] == b"changed\n"
    assert "link.py" not in files_at(second, "baselines", ".py", repository.root)
    assert files_at(first, "absent", ".py", repository.root) == {}


def test_a_file_of_the_project_is_what_git_show_gives():
    commit = code_state().commit
    if commit is None:
        pytest.skip("no git checkout")
    found = files_at(commit, "baselines", ".py")
    shown = subprocess.run(
        ["git", "show", f"{commit}:baselines/base.py"], cwd=REPOSITORY, capture_output=True,
        check=True,
    )  # fmt: skip
    assert found["base.py"] == shown.stdout


def test_only_the_present_commit_and_those_before_it_are_in_the_history(repository):
    first = repository.commit(CODE)
    repository.git("checkout", "--quiet", "-b", "aside")
    aside = repository.commit({"baselines/a.py": "of somebody else\n"})
    repository.git("checkout", "--quiet", "main")
    second = repository.commit({"baselines/b.py": ""})
    for commit in (first, second):
        require_in_history(commit, repository.root)
    for other in (aside, "0" * 40, "main", "--help", first[:12], first.upper(), ""):
        with pytest.raises(HistoryError, match="is not in the history at hand") as caught:
            require_in_history(other, repository.root)
        assert caught.value.complete


def test_a_shallow_clone_is_no_complete_history(repository, tmp_path):
    first = repository.commit(CODE)
    second = repository.commit({"baselines/b.py": ""})
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", repository.root.as_uri(), str(clone))
    require_in_history(second, clone)
    with pytest.raises(HistoryError, match="git fetch --unshallow") as caught:
        require_in_history(first, clone)
    assert not caught.value.complete


def test_a_worktree_has_the_files_of_its_commit_and_is_gone_afterwards(repository):
    first = repository.commit(CODE)
    repository.commit({"baselines/a.py": "changed\n"})
    with worktree(first, repository.root) as place:
        assert (place / "baselines" / "a.py").read_text() == "1\n"
        assert (repository.root / "baselines" / "a.py").read_text() == "changed\n"
        assert code_state(("baselines",), place) == (first, False)
    assert not place.exists()
    assert len(repository.git("worktree", "list").splitlines()) == 1
    assert repository.git("status", "--porcelain") == ""
