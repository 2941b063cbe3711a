"""Stacks: the services of a Letta deployment that we start, or are allowed to restart."""
