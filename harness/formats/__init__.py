"""Converters: from files of other tools to predictions, with a report of what was dropped."""

from harness.formats.converters import FORMATS, convert, converter_named, format_named

__all__ = ["FORMATS", "convert", "converter_named", "format_named"]
