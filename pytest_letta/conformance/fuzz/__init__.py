"""Bad input for every documented operation: what is sent, what is judged, and how what was found is told."""
