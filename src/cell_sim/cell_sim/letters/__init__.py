"""Simulated UR program of the letters backend."""
