"""safetensors files: their header within limits, their tensors as arrays that are mapped from disk.

The format is 8 bytes with the length of the header, the header in JSON, the tensors' data
(https://github.com/huggingface/safetensors). It is read here, not by its library, because rows are
to be mapped instead of loaded, and written here because the library fixes no order of metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from harness.files import canonical, shown
from harness.untrusted import UnfitFileError, json_document

LENGTH = 8  # bytes before the header, and what its end is padded to
MOST_HEADER = 1 << 26  # bytes
METADATA = "__metadata__"
_TYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
}
_TAGS = {kind: tag for tag, kind in _TYPES.items()}


class TensorPlace(NamedTuple):
    """Type and shape of a tensor, and the byte of the file at which its data begin.

    kind is None where the type has no counterpart here; `tag` is the file's own word for it.
    """

    tag: str
    kind: np.dtype[Any] | None
    shape: tuple[int, ...]
    start: int


class TensorHeader(NamedTuple):
    """What the header of a file declares: tensors by name, and texts by name."""

    tensors: dict[str, TensorPlace]
    metadata: dict[str, str]


class _Entry(msgspec.Struct, frozen=True):
    """A tensor in a header; offsets in bytes behind the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def read_header(path: Path) -> TensorHeader:
    """The header of a file.

    Raises UnfitFileError if it is no such header or declares what the file does not hold, OSError
    if the file cannot be read.
    """
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        length = int.from_bytes(stream.read(LENGTH), "little")
        if length > min(MOST_HEADER, size - LENGTH):
            raise UnfitFileError("syntax", "no safetensors: its header is longer than the file")
        entries = json_document(stream.read(length), dict[str, msgspec.Raw])
    metadata = entries.pop(METADATA, None)
    start = LENGTH + length
    tensors = {name: _place(name, entry, start, size) for name, entry in entries.items()}
    return TensorHeader(tensors, {} if metadata is None else _decoded(metadata, dict[str, str]))


def map_tensor(path: Path, place: TensorPlace) -> NDArray[Any]:
    """A tensor, mapped from disk and read-only; its shape is `place.shape`, (n, ...).

    Raises OSError if the file cannot be read, ValueError if it is shorter than `read_header` found.
    """
    kind = np.dtype(place.kind)
    if 0 in place.shape:
        return np.zeros(place.shape, kind)
    return np.memmap(path, kind, "r", place.start, place.shape)


def write_header(
    stream: IO[bytes],
    tensors: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]],
    metadata: Mapping[str, str],
) -> None:
    """Write the header of a file; the tensors' data follow in the same order.

    For each tensor its type and shape, the widest types first, so that all data are aligned.
    """
    entries: dict[str, Any] = {METADATA: dict(metadata)}
    at = 0
    for name, (kind, shape) in tensors.items():
        end = at + int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        entries[name] = {"dtype": _TAGS[kind], "shape": shape, "data_offsets": [at, end]}
        at = end
    header = canonical(entries)
    header += b" " * (-len(header) % LENGTH)
    stream.write(len(header).to_bytes(LENGTH, "little") + header)


def _place(name: str, raw: msgspec.Raw, start: int, size: int) -> TensorPlace:
    entry = _decoded(raw, _Entry)
    first, last = entry.data_offsets
    kind = _TYPES.get(entry.dtype)
    if not 0 <= first <= last <= size - start or min(entry.shape, default=0) < 0:
        raise UnfitFileError("truncated", f"tensor {shown(name)}: the file does not hold its data")
    length = kind.itemsize if kind else 0
    for number in entry.shape:
        length *= number
    if kind is not None and length != last - first:
        raise UnfitFileError("syntax", f"tensor {shown(name)}: is not as long as its shape says")
    return TensorPlace(entry.dtype, kind, entry.shape, start + first)


def _decoded(raw: msgspec.Raw, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnfitFileError("syntax", f"no header of safetensors: {shown(str(error))}") from error
