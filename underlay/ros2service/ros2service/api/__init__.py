"""Services of the graph and their classes."""

from __future__ import annotations

import importlib

from rclpy.topic_or_service_is_hidden import topic_or_service_is_hidden
from ros2cli.node.direct import DirectNode

__all__ = ['get_service_names_and_types', 'load_service_class']


def get_service_names_and_types(*, node: DirectNode, include_hidden_services: bool = False) -> list[tuple[str, list[str]]]:
    """Return each service with its types, sorted by name."""
    services: list[tuple[str, list[str]]] = node.get_service_names_and_types()
    return [(name, types) for name, types in services if include_hidden_services or not topic_or_service_is_hidden(name)]


def load_service_class(service_type: str) -> type:
    """Return the class of a service type such as `std_srvs/srv/Empty` or `std_srvs/Empty`.

    Raises:
        RuntimeError: The type is not installed, or is no service.
    """
    package, *kind, name = service_type.split('/')
    try:
        service: type = getattr(importlib.import_module('.'.join([package, *(kind or ['srv'])])), name)
    except (AttributeError, ModuleNotFoundError, ValueError):
        raise RuntimeError('The passed service type is invalid') from None
    if not (hasattr(service, 'Request') and hasattr(service, 'Response')):
        raise RuntimeError('The passed type is not a service')
    return service
