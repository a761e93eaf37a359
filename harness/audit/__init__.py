"""Probes: looks behind a figure. `audit` explains the official figures of a result file."""
