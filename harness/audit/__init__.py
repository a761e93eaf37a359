"""Audit of an official result file: the official figures, sound ones, and the defects between."""

from harness.audit.result import Audit, audit, document

__all__ = ["Audit", "audit", "document"]
