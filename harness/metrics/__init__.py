"""Metrics of protocol ivcr: what they are, and the one table of them."""

from harness.metrics.metric import Column, Metric
from harness.metrics.table import METRICS

__all__ = ["METRICS", "Column", "Metric"]
