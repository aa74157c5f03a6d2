"""Launch files, configuration and the `cell` command.

Public API: the modules of `__all__`, and in each the names of its own `__all__`.
"""

__all__ = ['client', 'demo', 'jobs']
