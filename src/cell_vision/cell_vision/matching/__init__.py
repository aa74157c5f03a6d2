"""Decides whether a reading shows the ordered part."""

__all__ = ['catalogue_trial', 'node']
