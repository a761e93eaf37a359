"""The git checkout that the running code lies in, where it lies in one."""

from harness.checkout.repository import (
    CODE,
    CodeState,
    HistoryError,
    code_state,
    files_at,
    require_in_history,
    worktree,
)

__all__ = [
    "CODE",
    "CodeState",
    "HistoryError",
    "code_state",
    "files_at",
    "require_in_history",
    "worktree",
]
