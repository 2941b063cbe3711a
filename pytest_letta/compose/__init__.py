"""The user's own compose file: reading it, checking it, and making a private copy of what it describes."""
