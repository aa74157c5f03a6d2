"""Checks that only tests use."""

__all__ = ['motion_monitor', 'waiting']
