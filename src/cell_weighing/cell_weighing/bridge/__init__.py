"""The scale bridge: TCP server, framing, codecs, journal."""
