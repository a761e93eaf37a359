"""IVCR-Mini: the embedded benchmark, rendered from a seed."""

from harness.sources.mini.build import Annotations, MiniFiles, annotate, build
from harness.sources.mini.official_entries import FirstStage

__all__ = ["Annotations", "FirstStage", "MiniFiles", "annotate", "build"]
