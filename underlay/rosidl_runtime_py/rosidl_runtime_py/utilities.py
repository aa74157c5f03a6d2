"""Interface classes by their full name."""

from __future__ import annotations

import importlib
from typing import Any


def is_message(interface: Any) -> bool:
    """Return whether a class is a message."""
    return hasattr(interface, 'get_fields_and_field_types')


def is_service(interface: Any) -> bool:
    """Return whether a class is a service."""
    return hasattr(interface, 'Request') and hasattr(interface, 'Response')


def is_action(interface: Any) -> bool:
    """Return whether a class is an action."""
    return all(hasattr(interface, part) for part in ('Goal', 'Result', 'Feedback'))


def get_interface(identifier: str) -> Any:
    """Return the class of an interface such as `std_msgs/msg/String`.

    Raises:
        ValueError: The name does not have three parts separated by '/'.
        ModuleNotFoundError: The package is not installed.
        AttributeError: The package has no such interface.
    """
    parts = identifier.split('/')
    if len(parts) != 3:
        raise ValueError(f"Invalid name '{identifier}'. Expected three parts separated by '/'")
    if not all(part.isidentifier() for part in parts):
        raise ValueError(f"Invalid name '{identifier}'. Every part must be an identifier")
    module = importlib.import_module('.'.join(parts[:2]))
    return getattr(module, parts[2])


def get_message(identifier: str) -> Any:
    """Return a message class; see `get_interface` for what is raised."""
    return _of_kind(identifier, is_message, 'message')


def get_service(identifier: str) -> Any:
    """Return a service class; see `get_interface` for what is raised."""
    return _of_kind(identifier, is_service, 'service')


def get_action(identifier: str) -> Any:
    """Return an action class; see `get_interface` for what is raised."""
    return _of_kind(identifier, is_action, 'action')


def _of_kind(identifier: str, test: Any, kind: str) -> Any:
    interface = get_interface(identifier)
    if not test(interface):
        raise ValueError(f"Expected '{identifier}' to be a {kind}")
    return interface
