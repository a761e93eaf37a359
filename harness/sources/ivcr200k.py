"""The official data format of IVCR-200K: a JSON list of dialogues, each naming its own split.

https://github.com/ivcr200k/ivcr200k.github.io (`IVCR-200K.json`). It is what the import reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.sources.json_stream import elements
from harness.sources.readers import InputFile, Source


def samples(file: InputFile) -> Iterator[Any]:
    """The elements of the list, as they are."""
    return elements(file.path, file.progress, name=file.name)


SOURCE = Source(samples)
