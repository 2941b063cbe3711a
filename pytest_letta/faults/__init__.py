"""Defects on purpose: a fault-injecting reverse proxy, and the faults that prove a contract can fail."""
