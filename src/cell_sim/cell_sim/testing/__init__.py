"""Checks that only tests use."""
