"""The streaming suite."""
