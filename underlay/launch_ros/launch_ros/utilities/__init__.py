"""Names and namespaces of nodes."""

from __future__ import annotations

import re
from typing import overload

__all__ = ['make_namespace_absolute', 'prefix_namespace', 'validate_namespace', 'validate_node_name']

_NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
_NAMESPACE = re.compile(r'/|(/[A-Za-z_][A-Za-z0-9_]*)+')
_LONGEST_NAME = 255
_LONGEST_NAMESPACE = 245


def validate_node_name(name: str) -> None:
    """Raise ValueError unless this can be the name of a node."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ValueError(f"invalid node name '{name}': letters, digits and '_' only, not beginning with a digit")


def validate_namespace(namespace: str) -> None:
    """Raise ValueError unless this can be an absolute namespace."""
    if not _NAMESPACE.fullmatch(namespace) or '__' in namespace or len(namespace) > _LONGEST_NAMESPACE:
        raise ValueError(
            f"invalid namespace '{namespace}': parts of letters, digits and single '_', each after a '/', "
            'none beginning with a digit'
        )


def prefix_namespace(base_ns: str | None, ns: str | None) -> str | None:
    """Return a namespace inside another one; an absolute one stays as it is."""
    if ns is None:
        combined = base_ns
    elif not base_ns or ns.startswith('/'):
        combined = ns
    else:
        combined = f'{base_ns.rstrip("/")}/{ns}'
    return combined if combined in (None, '/') else (combined or '').rstrip('/')


@overload
def make_namespace_absolute(ns: str) -> str: ...


@overload
def make_namespace_absolute(ns: None) -> None: ...


def make_namespace_absolute(ns: str | None) -> str | None:
    """Return the namespace with a slash in front."""
    return ns if ns is None or ns.startswith('/') else f'/{ns}'
