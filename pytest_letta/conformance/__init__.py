"""Contracts, verdicts and known issues: what is promised, what was seen, what it means for the run."""
