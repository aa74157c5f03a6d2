"""Extensions are found by the entry points of installed packages."""

from __future__ import annotations

import functools
import importlib.metadata
import logging
from collections.abc import Collection

logger = logging.getLogger(__name__)


@functools.cache
def _installed() -> importlib.metadata.EntryPoints:
    """Return the entry points of all packages: reading them is what takes the longest, so it is done once."""
    points = (point for distribution in importlib.metadata.distributions() for point in distribution.entry_points)
    return importlib.metadata.EntryPoints(points)


def get_entry_points(group_name: str) -> dict[str, importlib.metadata.EntryPoint]:
    """Return the entry points of a group by name."""
    return {entry_point.name: entry_point for entry_point in _installed().select(group=group_name)}


def load_entry_points(group_name: str, *, exclude_names: Collection[str] | None = None) -> dict[str, type]:
    """Load the classes of a group by name; what cannot be loaded is left out with a warning."""
    found: dict[str, type] = {}
    for name, entry_point in get_entry_points(group_name).items():
        if name in (exclude_names or ()):
            continue
        try:
            found[name] = entry_point.load()
        except Exception as problem:  # a broken extension must not take the others down
            logger.warning("Failed to load entry point '%s': %s", name, problem)
    return found


def get_first_line_doc(any_type: object) -> str:
    """Return the first line of something's docstring."""
    lines = (any_type.__doc__ or '').strip().splitlines()
    return lines[0].strip().rstrip('.') if lines else ''
