"""Converters: from files of other tools to predictions, with a report of what was dropped."""

from harness.formats.converters import FORMATS, convert, format_named

__all__ = ["FORMATS", "convert", "format_named"]
