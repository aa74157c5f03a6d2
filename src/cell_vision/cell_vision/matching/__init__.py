"""Decides whether a reading shows the ordered part."""
