"""Contracts of the compose file itself, judged before anything is started."""
