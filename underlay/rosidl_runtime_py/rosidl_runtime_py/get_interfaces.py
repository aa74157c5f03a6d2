"""Definition files of interfaces."""

from __future__ import annotations

from pathlib import Path

from ament_index_python import has_resource

__all__ = ['get_interface_path']


def get_interface_path(interface_name: str) -> str:
    """Return the path of an interface's definition file.

    Args:
        interface_name: Such as `std_msgs/msg/String`, or with a suffix, `std_msgs/msg/String.idl`.

    Raises:
        ValueError: The name is malformed.
        LookupError: The package or the interface is not installed.
    """
    parts = interface_name.split('/')
    if len(parts) < 2:
        raise ValueError(f"Invalid name '{interface_name}'. Expected at least two parts separated by '/'")
    if not all(parts):
        raise ValueError(f"Invalid name '{interface_name}'. Must not contain empty parts")
    if '..' in parts:
        raise ValueError(f"Invalid name '{interface_name}'. Must not contain '..'")
    prefix = has_resource('packages', parts[0])
    if not prefix:
        raise LookupError(f"Unknown package '{parts[0]}'")
    path = Path(prefix, 'share', interface_name)
    candidates = [path] if path.suffix else [path.with_suffix(f'.{parts[-2]}'), path.with_suffix('.idl')]
    for candidate in candidates:
        if candidate.exists():
            return str(candidate)
    raise LookupError(f"Could not find the interface '{candidates[-1]}'")
