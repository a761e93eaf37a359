"""Reading replies."""
