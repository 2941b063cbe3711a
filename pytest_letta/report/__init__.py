"""Views of one run: what is printed, what is written."""
