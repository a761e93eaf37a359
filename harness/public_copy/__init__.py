"""The copy of a benchmark that participants get: made, searched for gold, and committed to."""

from harness.public_copy.copying import PublicCopy, hidden_splits, publish
from harness.public_copy.findings import GoldFinding, against, report
from harness.public_copy.scanning import find_gold

__all__ = [
    "GoldFinding",
    "PublicCopy",
    "against",
    "find_gold",
    "hidden_splits",
    "publish",
    "report",
]
