"""Systems side by side: paired differences, propagation, the dialogues on which they part."""

from harness.comparison.compare import Comparison, compare

__all__ = ["Comparison", "compare"]
