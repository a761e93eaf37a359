"""Benchmark harness for interactive video search: validation, metrics, statistics, protocols."""

__version__ = "0.3.0"
