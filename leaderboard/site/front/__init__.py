"""The front page: example, overview, and what stands beside the tables."""
