"""Simulated UR program of the letters backend: its rules and its TCP client."""

__all__ = ['client', 'program']
