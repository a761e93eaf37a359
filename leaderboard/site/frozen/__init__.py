"""Boards as they once were, below the site that goes on: frozen, carried over, listed, checked."""
