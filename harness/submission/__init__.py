"""Submissions: a folder with a card and one predictions file; how to start and to write one."""

from harness.submission.card_toml import toml_card
from harness.submission.lines import PredictionLine, line
from harness.submission.starter import EXAMPLE, STARTER, start
from harness.submission.writing import CARD, PREDICTIONS, write

__all__ = [
    "CARD",
    "EXAMPLE",
    "PREDICTIONS",
    "STARTER",
    "PredictionLine",
    "line",
    "start",
    "toml_card",
    "write",
]
