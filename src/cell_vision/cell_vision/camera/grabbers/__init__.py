"""Frame sources: the transports to a camera."""
