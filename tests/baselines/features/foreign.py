"""Arrays by video id in the files that others write."""

import h5py
import numpy as np
from safetensors.numpy import save_file

from tests.baselines.conftest import CAT, COOK, DOG, FOX

FRAMES = {CAT: 10, DOG: 20, FOX: 12, COOK: 40}


def as_npz(path, arrays):
    np.savez(path.with_suffix(".npz"), **arrays)
    return path.with_suffix(".npz")


def as_tensors(path, arrays):
    plain = {name: np.ascontiguousarray(of) for name, of in arrays.items()}
    save_file(plain, path.with_suffix(".safetensors"))
    return path.with_suffix(".safetensors")


def as_hdf5(path, arrays):
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for name, of in arrays.items():
            file[name] = of
    return path.with_suffix(".h5")


def as_packed_hdf5(path, arrays):
    with h5py.File(path.with_suffix(".hdf5"), "w") as file:
        for name, of in arrays.items():
            file.create_dataset(name, data=of, chunks=True, compression="gzip", shuffle=True)
    return path.with_suffix(".hdf5")


FORMATS = (as_npz, as_tensors, as_hdf5, as_packed_hdf5)
