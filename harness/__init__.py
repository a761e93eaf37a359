"""Benchmark harness for interactive video search: validation, metrics, statistics, protocols."""

__version__ = "0.1.0"
