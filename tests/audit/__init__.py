"""Audits of official result files."""
