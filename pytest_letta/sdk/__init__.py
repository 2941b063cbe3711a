"""The official client, letta-client, at any version: each runs in a process and an environment of its own."""
