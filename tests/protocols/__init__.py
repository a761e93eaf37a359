"""The published scorer and what is built on it."""
