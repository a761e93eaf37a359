"""The one reader of what strangers wrote: nothing is believed, everything is bounded beforehand."""

from harness.untrusted.bounded_text import json_document, require_json_bounds, toml_table
from harness.untrusted.plain_file import (
    Reason,
    UnfitFileError,
    is_absent,
    open_untrusted,
    read_small,
)
from harness.untrusted.unpacking import (
    bounded_lines,
    open_input,
    read_unpacked,
    unpacked,
)

__all__ = [
    "Reason",
    "UnfitFileError",
    "bounded_lines",
    "is_absent",
    "json_document",
    "open_input",
    "open_untrusted",
    "read_small",
    "read_unpacked",
    "require_json_bounds",
    "toml_table",
    "unpacked",
]
