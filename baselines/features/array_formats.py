"""Opens a file of arrays, whatever its format: npz, safetensors or HDF5, told by its first bytes.

What a file declares is bounded before an array is read: bytes of an array, number of arrays, and
how much all of it may be larger than the file. No pickle is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from baselines.features.array_files import (
    LIMITS,
    MOST_ARRAY,
    MOST_ARRAYS,
    ArrayFile,
    DeclaredArray,
    NpzFile,
    TensorFile,
)
from baselines.features.tensor_files import read_header
from harness.errors import EnvironmentFailure
from harness.files import shown
from harness.untrusted import UnfitFileError, open_untrusted
from harness.untrusted.array_archive import open_arrays
from harness.untrusted.unpacking import FREE, RATIO

MOST_OPEN = 64
_HDF5, _ZIP, _NPY = b"\x89HDF\r\n\x1a\n", b"PK", b"\x93NUMPY"


@contextmanager
def open_array_file(path: Path) -> Iterator[ArrayFile]:
    """Open a file that the user names.

    Raises EnvironmentFailure, with its name, if it cannot be read, is of none of the three formats,
    or holds what is not taken.
    """
    try:
        place = path.resolve()
        with open_untrusted(place) as raw:
            start, size = raw.read(9), os.fstat(raw.fileno()).st_size
            with _reader(place, start) as file:
                _check_declared(file.arrays, size)
                yield file
    except UnfitFileError as error:
        raise EnvironmentFailure(f"{path}: {error}") from error
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot be read: {error.strerror or error}") from error


class ArrayFiles:
    """Files that are read again and again, of which few are open at a time."""

    def __init__(self) -> None:
        self._open: dict[Path, tuple[ArrayFile, ExitStack]] = {}

    def arrays(self, path: Path) -> Mapping[str, DeclaredArray]:
        """What a file declares. Raises as `open_array_file` does."""
        return self._file(path).arrays

    def read(self, path: Path, name: str) -> NDArray[Any]:
        """An array of its declared shape, (n, ...). Raises EnvironmentFailure if it is damaged."""
        try:
            return self._file(path).read(name)
        except UnfitFileError as error:
            raise EnvironmentFailure(f"{path}: array {shown(name)}: {error}") from error

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._close_oldest()

    def _file(self, path: Path) -> ArrayFile:
        if path in self._open:
            self._open[path] = self._open.pop(path)  # the latest is the last
            return self._open[path][0]
        if len(self._open) >= MOST_OPEN:
            self._close_oldest()
        stack = ExitStack()
        self._open[path] = (stack.enter_context(open_array_file(path)), stack)
        return self._open[path][0]

    def _close_oldest(self) -> None:
        self._open.pop(next(iter(self._open)))[1].close()


@contextmanager
def _reader(path: Path, start: bytes) -> Iterator[ArrayFile]:
    if start[:8] == _HDF5:
        # Here, not above: h5py is an extra of its own.
        from baselines.features.hdf5_files import open_hdf5

        with open_hdf5(path) as file:
            yield file
    elif start[:2] == _ZIP:
        with open_arrays(path, LIMITS) as archive:
            yield NpzFile(archive)
    elif start[:6] == _NPY:
        raise UnfitFileError(
            "syntax", "is one array without a name (.npy); put arrays by video id into an npz"
        )
    elif start[8:9] != b"{":  # after its length, a safetensors header is a JSON object
        raise UnfitFileError("syntax", "expected npz, safetensors or HDF5, found none of them")
    else:
        yield TensorFile(path, read_header(path))


def _check_declared(arrays: Mapping[str, DeclaredArray], size: int) -> None:
    """Check what a file of `size` bytes declares."""
    if len(arrays) > MOST_ARRAYS:
        raise UnfitFileError("members", f"expected at most {MOST_ARRAYS:,} arrays, found more")
    for name, array in arrays.items():
        if array.size > MOST_ARRAY:
            raise UnfitFileError(
                "too large",
                f"array {shown(name)}: declares the shape {array.shape}; expected at most "
                f"{MOST_ARRAY:,} bytes a video",
            )
    if sum(array.size for array in arrays.values()) > FREE + RATIO * size:
        raise UnfitFileError("expands", f"declares more than {RATIO} times the bytes that it has")
