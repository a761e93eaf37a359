"""The version of the harness; pyproject.toml has the same."""

__version__ = "0.3.0"
