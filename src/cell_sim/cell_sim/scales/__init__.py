"""Simulated indicators and filling stations."""
