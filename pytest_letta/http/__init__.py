"""What lies between the client and the wire: password, bounds, recording, redaction, curl lines."""
