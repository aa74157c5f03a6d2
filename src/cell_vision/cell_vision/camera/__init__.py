"""Frames from USB, network, file and folder sources."""
