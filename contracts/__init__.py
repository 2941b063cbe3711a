"""The shipped contract suites."""
