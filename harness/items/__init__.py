"""Item analysis: turns to look at, because of how systems answer them and what their labels say."""

from harness.items.analysis import Analysis, Item, analyse

__all__ = ["Analysis", "Item", "analyse"]
