"""The hash of the code, of files and of commits."""

import pytest

from baselines.provenance.code_hash import code_sha256, code_sha256_at
from harness.checkout import code_state, worktree


def test_the_hash_at_a_commit_is_that_of_the_files_which_it_holds():
    commit = code_state().commit
    if commit is None:
        pytest.skip("no git checkout")
    with worktree(commit) as place:
        assert code_sha256_at(commit) == code_sha256(place / "baselines")
