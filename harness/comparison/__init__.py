"""Comparison of systems: paired differences, propagation, the dialogues that differ most."""

from harness.comparison.compare import Comparison, compare

__all__ = ["Comparison", "compare"]
