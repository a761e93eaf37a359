"""A benchmark described in Croissant 1.1, the format for data sets of machine learning."""

from harness.croissant.document import CroissantDocument, describe

__all__ = ["CroissantDocument", "describe"]
