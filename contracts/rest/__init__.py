"""The rest suite."""
