"""Probes: runs that agree in what nobody finds, and answers that follow an order. No verdicts."""

from harness.probes.copies import CopyReport, probe_copies
from harness.probes.leaks import LeakReport, probe_leaks
from harness.probes.submitted import read_field

__all__ = ["CopyReport", "LeakReport", "probe_copies", "probe_leaks", "read_field"]
