"""Weighing: indicators, weigh jobs, bag records and their delivery. Process control only, not legal for trade.

Public API: the modules of `__all__`, and in each the names of its own `__all__`.
"""

__all__ = ['bag_api', 'configuration', 'reader', 'reports', 'testing']
