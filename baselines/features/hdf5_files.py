"""HDF5 files that others wrote, by h5py: plain datasets of numbers in groups, and nothing else.

Refused: links (soft, external, in a circle), data in other files (external storage, virtual
datasets), filters that a plugin would bring, datasets that were not written in full. The format is
read by the HDF Group's library, which is C; a file that was made to break it may end the process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from baselines.features.array_files import MOST_ARRAY, MOST_ARRAYS, DeclaredArray
from harness.files import shown
from harness.untrusted import UnfitFileError

DEEPEST = 16  # groups within groups
# What HDF5 or h5py itself brings: deflate, shuffle, fletcher32, lzf.
FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}


class Hdf5File:
    """The datasets of an open file."""

    def __init__(self, file: Any) -> None:
        """List them. Raises UnfitFileError at what is not taken."""
        self._file = file
        self._groups: set[Any] = set()
        self.arrays: dict[str, DeclaredArray] = {}
        self._list(file, "", 0)

    def read(self, name: str) -> NDArray[Any]:
        """A dataset of its declared shape, (n, ...). Raises UnfitFileError if it is damaged."""
        try:
            return np.asarray(self._file[name][()])
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise UnfitFileError(
                "syntax", f"dataset {shown(name)}: cannot be read: {shown(str(error), 120)}"
            ) from error

    def _list(self, group: Any, place: str, depth: int) -> None:
        address = h5py.h5o.get_info(group.id).addr
        if depth > DEEPEST or address in self._groups:
            raise UnfitFileError(
                "nested", f"group {shown(place)}: expected no circle and at most {DEEPEST} levels"
            )
        self._groups.add(address)
        if len(group) + len(self.arrays) + len(self._groups) > MOST_ARRAYS:
            raise UnfitFileError("members", f"expected at most {MOST_ARRAYS:,} datasets")
        for name in group:
            where = f"{place}/{name}" if place else name
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UnfitFileError(
                    "link out", f"{shown(where)}: is a link; put the dataset itself there"
                )
            item = group[name]
            if isinstance(item, h5py.Group):
                self._list(item, where, depth + 1)
            elif isinstance(item, h5py.Dataset):
                _check_dataset(item, where)
                self.arrays[where] = DeclaredArray(tuple(item.shape), np.dtype(item.dtype))


@contextmanager
def open_hdf5(path: Path) -> Iterator[Hdf5File]:
    """Open a file for reading. Raises UnfitFileError if it is no HDF5 that is taken."""
    try:
        # No cache of pieces: each dataset is read once.
        file = h5py.File(path, "r", locking="best-effort", rdcc_nbytes=0)
    except (OSError, RuntimeError, ValueError) as error:
        raise UnfitFileError("syntax", f"no HDF5 as expected: {shown(str(error), 120)}") from error
    with file:
        try:
            found = Hdf5File(file)
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            raise UnfitFileError("syntax", f"no sound HDF5: {shown(str(error), 120)}") from error
        yield found


def _check_dataset(dataset: Any, place: str) -> None:
    """Raises UnfitFileError if the data lie elsewhere, need a plugin or are not there."""
    plan = dataset.id.get_create_plist()
    fault = _fault(dataset, plan)
    if fault:
        raise UnfitFileError("syntax", f"dataset {shown(place)}: {fault}")


def _fault(dataset: Any, plan: Any) -> str:
    if dataset.shape is None or not isinstance(dataset.id.get_type(), _NUMBERS):
        return "holds no numbers; expected an array of float16, float32 or float64"
    if plan.get_external_count() or plan.get_layout() == h5py.h5d.VIRTUAL:
        return "has its data in another file; put them into this one"
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    if foreign := [number for number in filters if number not in FILTERS]:
        return (
            f"is packed by the filter {foreign[0]}, which a plugin would bring; write it again "
            f"with {', '.join(FILTERS.values())} or unpacked"
        )
    size, written = math.prod(dataset.shape) * dataset.dtype.itemsize, True
    if size > MOST_ARRAY:
        return f"declares the shape {dataset.shape}; expected at most {MOST_ARRAY:,} bytes a video"
    if dataset.chunks is not None:
        if math.prod(dataset.chunks) * dataset.dtype.itemsize > MOST_ARRAY:
            return f"declares pieces of {dataset.chunks}; expected at most {MOST_ARRAY:,} bytes"
        parts = (-(-n // part) for n, part in zip(dataset.shape, dataset.chunks, strict=True))
        written = dataset.id.get_num_chunks() == math.prod(parts)
    elif size:
        written = dataset.id.get_storage_size() == size
    return "" if written else "was not written in full"


_NUMBERS = (h5py.h5t.TypeFloatID, h5py.h5t.TypeIntegerID)
