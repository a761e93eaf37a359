"""The whole table of rules: every module of this package is loaded, none has to be listed."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from harness.validation.rules.rule import ENTERED, Rule, Subject

for _module in pkgutil.iter_modules([str(Path(__file__).parent)]):
    importlib.import_module(f"{__package__}.{_module.name}")
RULES: dict[str, Rule] = ENTERED


def rules_about(subject: Subject) -> list[Rule]:
    """The rules about one subject, in the order of the table."""
    return [rule for rule in RULES.values() if rule.subject == subject]
