"""Item analysis: turns whose labels may be wrong, by the answers of systems and the labels."""

from harness.items.analysis import Analysis, FlaggedTurn, analyse

__all__ = ["Analysis", "FlaggedTurn", "analyse"]
