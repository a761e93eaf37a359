"""Arrays in files that others wrote: what one declares of them, and npz and safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.features.tensor_files import TensorHeader, map_tensor
from harness.files import shown
from harness.untrusted import UnfitFileError
from harness.untrusted.array_archive import BROKEN, ArchiveLimits, ArrayArchive

MOST_ARRAY = 1 << 30  # bytes of one video
MOST_ARRAYS = 200_000
LIMITS = ArchiveLimits(1 << 42, MOST_ARRAY, MOST_ARRAYS, 1 << 26, any_writer=True)


class DeclaredArray(NamedTuple):
    """What a file says of an array before it is read: its shape and type."""

    shape: tuple[int, ...]
    kind: np.dtype[Any]

    @property
    def size(self) -> int:
        """Its bytes."""
        size = self.kind.itemsize
        for number in self.shape:
            size *= number
        return size


class ArrayFile(Protocol):
    """An open file of arrays."""

    @property
    def arrays(self) -> Mapping[str, DeclaredArray]:
        """What it declares, by name; groups within groups have a slash between their names."""

    def read(self, name: str) -> NDArray[Any]:
        """An array of its declared shape, (n, ...). Raises UnfitFileError if it is damaged."""


class NpzFile:
    """The arrays of an npz file."""

    def __init__(self, archive: ArrayArchive) -> None:
        """List them. Raises UnfitFileError if two have one name, ValueError at a damaged one."""
        names = archive.names
        if len(set(names)) < len(names):
            raise UnfitFileError("syntax", "two of its arrays have one name")
        self._archive = archive
        heads = {name: archive.head(name) for name in names}
        self.arrays = {name: DeclaredArray(head.shape, head.kind) for name, head in heads.items()}

    def read(self, name: str) -> NDArray[Any]:
        """An array, (n, ...). Raises UnfitFileError if it is damaged."""
        try:
            return self._archive.array(name, MOST_ARRAY)
        except BROKEN as error:
            raise UnfitFileError("syntax", str(error)) from error


class TensorFile:
    """The arrays of a safetensors file."""

    def __init__(self, path: Path, header: TensorHeader) -> None:
        """Take those of a header. Raises UnfitFileError at a type that is not taken."""
        self._path, self._tensors = path, header.tensors
        self.arrays = {}
        for name, place in header.tensors.items():
            if place.kind is None:
                raise UnfitFileError(
                    "syntax",
                    f"array {shown(name)}: is of type {shown(place.tag)}; expected F16, F32 or F64",
                )
            self.arrays[name] = DeclaredArray(place.shape, place.kind)

    def read(self, name: str) -> NDArray[Any]:
        """An array, (n, ...)."""
        return np.array(map_tensor(self._path, self._tensors[name]))
