"""Runs the pick job, reports whether the cell is ready, and keeps the alarms.

Start with `node` (the wiring) and `job/machine` (the rules). Nothing else is public.
"""

__all__ = ['node']
