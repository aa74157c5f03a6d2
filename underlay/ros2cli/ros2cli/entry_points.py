"""Extensions are found by the entry points of installed packages."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Collection

logger = logging.getLogger(__name__)


def get_entry_points(group_name: str) -> dict[str, importlib.metadata.EntryPoint]:
    """Return the entry points of a group by name."""
    return {entry_point.name: entry_point for entry_point in importlib.metadata.entry_points(group=group_name)}


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
