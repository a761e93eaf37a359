"""IVCR-Mini: the embedded benchmark, rendered from a seed."""

from harness.sources.mini.build import MiniAnnotations, MiniFiles, annotate, build
from harness.sources.mini.official_entries import FirstStage

__all__ = ["FirstStage", "MiniAnnotations", "MiniFiles", "annotate", "build"]
