"""Set the fields of a message from nested dictionaries, as `ros2 topic pub` and `ros2 service call` do."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
from rosidl_parser.definition import AbstractNestedType, NamespacedType  # type: ignore[import-untyped]

from rosidl_runtime_py.convert import get_message_slot_types
from rosidl_runtime_py.utilities import get_interface


def set_message_fields(
    msg: Any, values: dict[str, Any], expand_header_auto: bool = False, expand_time_now: bool = False
) -> list[Any]:
    """Set fields from a dictionary.

    Args:
        msg: The message to change.
        values: Values by field name; nested messages are dictionaries.
        expand_header_auto: A header given as 'auto' stays at its default and is returned.
        expand_time_now: A stamp given as 'now' stays at its default and is returned.

    Returns:
        The time fields that the caller has to stamp before it publishes.

    Raises:
        AttributeError: A field does not exist.
        TypeError: `values` is no dictionary.
        ValueError: A value cannot be converted to the type of its field.
    """
    if not isinstance(values, dict):
        raise TypeError(f'Value {values!r} is expected to be a dictionary but is a {type(values).__name__}')
    setter = _Setter(expand_header_auto, expand_time_now)
    setter.fill(msg, values)
    return setter.stamps


class _Setter:
    """Fills one message and collects the stamps that are left to the caller."""

    def __init__(self, header_auto: bool, time_now: bool) -> None:
        self.stamps: list[Any] = []
        self._header_auto = header_auto
        self._time_now = time_now

    def fill(self, msg: Any, values: dict[str, Any]) -> None:
        types = get_message_slot_types(msg)
        for name, value in values.items():
            current = getattr(msg, name)
            if value == 'auto' and self._header_auto and _is(types[name], 'std_msgs/msg/Header'):
                self.stamps.append(current.stamp)
            elif value == 'now' and self._time_now and _is(types[name], 'builtin_interfaces/msg/Time'):
                self.stamps.append(current)
            elif not hasattr(current, 'get_fields_and_field_types') or isinstance(value, type(current)):
                setattr(msg, name, self._value(current, types[name], value))
            elif isinstance(value, dict):
                self.fill(current, value)
            else:
                raise TypeError(f"Field '{name}' is expected to be a dictionary but is a {type(value).__name__}")

    def _value(self, current: Any, kind: Any, value: Any) -> Any:
        if isinstance(kind, AbstractNestedType) and isinstance(kind.value_type, NamespacedType):
            return [self._element(kind.value_type, item) for item in value]
        if isinstance(current, array.array):
            return array.array(current.typecode, value)
        if isinstance(current, np.ndarray):
            return np.array(value, dtype=current.dtype)
        if isinstance(current, (bytes, list)):
            return _byte(value) if isinstance(current, bytes) else list(value)
        if isinstance(current, bool) and isinstance(value, str):
            return value.lower() in ('true', '1')
        return type(current)(value)

    def _element(self, kind: Any, item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        message = get_interface('/'.join([*kind.namespaces, kind.name]))()
        self.fill(message, item)
        return message


def _byte(value: Any) -> Any:
    if isinstance(value, int):
        return bytes([value])
    return value.encode() if isinstance(value, str) else value


def _is(kind: Any, name: str) -> bool:
    return isinstance(kind, NamespacedType) and '/'.join([*kind.namespaces, kind.name]) == name
