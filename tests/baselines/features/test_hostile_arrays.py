"""Files of arrays that were made to hurt: no pickle is read, no declared size believed."""

import io
import json
import pickle
import zipfile

import h5py
import numpy as np
import pytest

from baselines.features import array_formats
from harness.errors import EnvironmentFailure
from tests.baselines.conftest import CAT, DOG
from tests.baselines.features.folders import random_rows
from tests.baselines.features.foreign import FRAMES, as_hdf5


class Bomb:
    """A pickle that leaves a trace where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def objects(path, trace):
    np.savez(path, **{CAT: np.array([[Bomb(trace)]], object)})


def a_pickle(path, trace):
    path.write_bytes(pickle.dumps(Bomb(trace)))


def one_array(path, trace):
    with path.open("wb") as stream:
        np.save(stream, np.ones((3, 2)))


def huge_npz(path, trace):
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**4)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{CAT}.npy", head.getvalue())


def expanding_npz(path, trace):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = io.BytesIO()
        shape = (1 << 10, 1 << 12)
        np.lib.format.write_array_header_1_0(
            head, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
        archive.writestr(f"{CAT}.npy", head.getvalue() + bytes(4 * shape[0] * shape[1]))


def huge_tensors(path, trace):
    header = json.dumps(
        {CAT: {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 8]}}
    ).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def brain_floats(path, trace):
    header = json.dumps({CAT: {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def truncated(path, trace):
    made = as_hdf5(path.with_name("whole"), random_rows(FRAMES, 50))
    path.write_bytes(made.read_bytes()[:-4000])


HOSTILE = [
    (objects, "no objects"), (a_pickle, "safetensors"), (one_array, "an npz"),
    (huge_npz, "as long as it says"), (expanding_npz, "more than 1000 times"),
    (huge_tensors, "as its shape says"), (brain_floats, "BF16"), (truncated, "HDF5"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "expected"), HOSTILE, ids=lambda of: getattr(of, "__name__", ""))
def test_files_that_are_made_to_hurt_are_refused_unread(
    take, tmp_path, monkeypatch, write, expected
):
    monkeypatch.setattr(array_formats, "FREE", 0)
    path = tmp_path / "f.npz"
    write(path, tmp_path / "trace")
    with pytest.raises(EnvironmentFailure, match=expected) as caught:
        take(path)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "trace").exists()


def soft_link(file):
    file["there"] = np.ones((3, 2))
    file[CAT] = h5py.SoftLink("/there")


def external_link(file):
    file[CAT] = h5py.ExternalLink("/etc/passwd", "/x")


def circle(file):
    file.create_group("A")["again"] = file["/"]


def external_data(file):
    file.create_dataset(CAT, (3, 2), "f4", external=[("/etc/passwd", 0, 24)])


def virtual_data(file):
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 2))
    file.create_virtual_dataset(CAT, layout)


def huge_shape(file):
    file.create_dataset(CAT, (10**9, 10**4), "f4", chunks=(1, 10**4))


def huge_pieces(file):
    file.create_dataset(CAT, (3, 2), "f4", maxshape=(None, None), chunks=(1 << 16, 1 << 15))


def not_written(file):
    file.create_dataset(CAT, (300, 20), "f4", chunks=(10, 20))[:10] = 1


def never_written(file):
    file.create_dataset(CAT, (300, 20), "f4")


def texts(file):
    file.create_dataset(CAT, (3, 2), h5py.string_dtype())


def compound(file):
    file.create_dataset(CAT, (3, 2), np.dtype([("a", "f4")]))


def scale_offset(file):
    file.create_dataset(CAT, data=np.ones((30, 2)), scaleoffset=2)


ODD = [
    (soft_link, "is a link"), (external_link, "is a link"), (circle, "no circle"),
    (external_data, "another file"), (virtual_data, "another file"),
    (huge_shape, "declares the shape"), (huge_pieces, "declares pieces"),
    (not_written, "not written in full"), (never_written, "not written in full"),
    (texts, "no numbers"), (compound, "no numbers"), (scale_offset, "the filter 6"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "expected"), ODD, ids=lambda of: getattr(of, "__name__", ""))
def test_hdf5_that_leads_elsewhere_or_lacks_its_data_is_refused(take, tmp_path, write, expected):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        write(file)
        file[DOG] = np.ones((20, 2))
    with pytest.raises(EnvironmentFailure, match=expected):
        take(tmp_path / "f.h5")
