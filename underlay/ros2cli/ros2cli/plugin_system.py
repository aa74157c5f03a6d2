"""Instances of extensions."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from .entry_points import load_entry_points

PLUGIN_SYSTEM_VERSION = '0.1'

logger = logging.getLogger(__name__)


class PluginException(Exception):
    """An extension does not fit."""


def satisfies_version(version: str, caret_range: str) -> None:
    """Check that a version is in a range.

    Args:
        version: the version that is there, such as '0.1'.
        caret_range: '^' and the version wanted.

    Raises:
        PluginException: it is older, or newer than what is compatible.
    """
    there = tuple(int(part) for part in version.split('.')[:2])
    wanted = tuple(int(part) for part in caret_range.removeprefix('^').split('.')[:2])
    compatible = there[0] == wanted[0] and (there[1] == wanted[1] or (there[0] > 0 and there[1] > wanted[1]))
    if not compatible:
        raise PluginException(f"the extension point has version {version}, the extension requires '{caret_range}'")


def instantiate_extensions(
    group_name: str,
    *,
    exclude_names: Collection[str] | None = None,
    unique_instance: bool = False,  # noqa: ARG001
) -> dict[str, Any]:
    """Return instances of a group's extensions by name; what cannot be made is left out with a message."""
    found: dict[str, Any] = {}
    for name, extension in load_entry_points(group_name, exclude_names=exclude_names).items():
        try:
            found[name] = extension()
        except Exception as problem:  # a broken extension must not take the others down
            logger.error("Failed to instantiate '%s' extension '%s': %s", group_name, name, problem)
    return found
