"""The small benchmark, once for all tests of validation."""

import pytest

from harness.benchmark import Benchmark
from tests.validation.samples import write_benchmark


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return Benchmark(write_benchmark(tmp_path_factory.mktemp("small") / "benchmark"))
