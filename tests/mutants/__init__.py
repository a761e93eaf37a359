"""Planted bugs: what is planted, a module for each area, and what plants them."""
