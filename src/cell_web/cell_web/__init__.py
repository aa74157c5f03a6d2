"""Web gateway: the operator page, camera streams, reports and the bag API, and the only way from a browser to the cell.

Public API: the modules of `__all__`, and in each the names of its own `__all__`.
"""

__all__ = ['parameters', 'tokens']
