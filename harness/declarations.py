"""What a file declares at its top level, read from its source: the file is not imported."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple


class Declaration(NamedTuple):
    """A file's assignment to one name: the value as written, and the file's first line."""

    summary: str
    value: ast.expr


def declaration(source: str | bytes, name: str) -> Declaration | None:
    """The assignment to `name` in a file's source; None if there is none.

    Raises SyntaxError or ValueError if `source` is no Python.
    """
    tree = ast.parse(source)
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if name in map(ast.unparse, targets):
            return Declaration((ast.get_docstring(tree) or "").partition("\n")[0], node.value)
    return None


def declaring_files(folder: Path, name: str) -> dict[str, str]:
    """The files of `folder` that assign to `name`, in order: their names without .py, summaries."""
    declarations = {
        path.stem: declaration(path.read_text("utf-8"), name)
        for path in sorted(folder.glob("*.py"))
    }
    return {stem: each.summary for stem, each in declarations.items() if each is not None}
