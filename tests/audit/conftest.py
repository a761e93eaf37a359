"""The benchmarks and result files of the protocol's tests."""

from tests.protocols.conftest import benchmark_of, result_of

__all__ = ["benchmark_of", "result_of"]
