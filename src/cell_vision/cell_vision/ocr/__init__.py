"""Reads text and codes from frames."""
