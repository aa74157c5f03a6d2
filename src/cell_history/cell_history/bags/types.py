"""Decodes messages by the definitions in their bag.

A bag is read for years, and messages get new fields meanwhile. So a message is decoded by the definition with which it was
written, and then its fields are copied by name into today's message: a field that the bag does not know keeps its default.
"""

from __future__ import annotations

import array
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.typesys import Stores, TypesysError, get_types_from_idl, get_types_from_msg, get_typestore
from rosidl_runtime_py.utilities import get_message

from cell_history.bags.definitions import DefinitionError, installed_definition

__all__ = ['BagTypes', 'Message', 'UndecodableError', 'message_class', 'to_message']

Message: TypeAlias = Any
"""A message of any type: an installed one, or a decoded one with the fields of its definition."""


GROUP = re.compile(r'(?<=\w)/(?:srv|action)/(?=\w)')


class UndecodableError(Exception):
    """A message cannot be decoded: its type is unknown, or its bytes do not fit the definition."""


class BagTypes:
    """The types of one bag."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        """Read the definitions of the bag; those that it lacks are taken from what is installed here.

        Args:
            connections: Connections of the bag.
        """
        self._stores: dict[str, Message] = {}
        self.missing: dict[str, str] = {}
        """Type -> why it cannot be decoded."""
        for connection in connections:
            if connection.msgtype in self._stores or connection.msgtype in self.missing:
                continue
            try:
                self._stores[connection.msgtype] = _store(connection)
            except (DefinitionError, TypesysError) as error:
                self.missing[connection.msgtype] = str(error)

    def decode(self, name: str, data: bytes) -> Message:
        """Return a message of the bag as an object with its fields.

        Args:
            name: Type, e.g. `cell_interfaces/msg/OcrResult`.
            data: Serialized message (CDR).

        Raises:
            UndecodableError: The type is unknown, or the bytes are damaged.
        """
        store = self._stores.get(name)
        if store is None:
            raise UndecodableError(self.missing.get(name, f'type {name} is not in the bag'))
        try:
            return store.deserialize_cdr(data, _store_name(name))
        except Exception as error:  # the generated decoder raises whatever damaged bytes lead to
            raise UndecodableError(f'a message of type {name} is damaged: {error!r}') from error


def message_class(name: str) -> Message:
    """Return the installed class of a type.

    Raises:
        UndecodableError: It is not installed.
    """
    try:
        return get_message(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise UndecodableError(f'type {name} is not installed here: {error}') from error


def to_message(value: Message, kind: type) -> Message:
    """Return a decoded message as an installed one; fields are copied by their names.

    Args:
        value: Of `BagTypes.decode`.
        kind: The installed class. Fields that `value` lacks keep their default.

    Raises:
        UndecodableError: A field has another kind of value today.
    """
    message = kind()
    for name, wanted in kind.get_fields_and_field_types().items():  # type: ignore[attr-defined]
        found = getattr(value, name, None)
        if found is None:
            continue
        try:
            setattr(message, name, _converted(found, getattr(message, name), wanted))
        except (AssertionError, TypeError, ValueError) as error:
            raise UndecodableError(f'field {name} of {kind.__name__} has another type in the bag: {error}') from error
    return message


def _converted(value: Message, default: Message, wanted: str) -> Message:
    """Return one field of a decoded message as rclpy holds it.

    Args:
        value: Number, text, numpy array, list or decoded message.
        default: Value of the field in a new message, which tells the kind of a nested message or array.
        wanted: Its type, e.g. `sequence<cell_interfaces/TextReading>` or `builtin_interfaces/Time`.
    """
    if hasattr(default, 'get_fields_and_field_types'):
        return to_message(value, type(default))
    if isinstance(default, array.array):
        return array.array(default.typecode, np.asarray(value).tobytes())
    if isinstance(default, np.ndarray):
        return np.asarray(value, default.dtype)
    if isinstance(default, (bytes, bytearray)):
        return bytes([value]) if isinstance(value, (int, np.integer)) else bytes(value)
    if isinstance(default, (list, tuple)):
        return _items(value, wanted)
    return type(default)(value)


def _items(values: Sequence[Message], wanted: str) -> list[Message]:
    """Return the items of a list; messages are converted to the installed type that the field names."""
    inner = wanted.removeprefix('sequence<').removesuffix('>').split(',')[0].split('[')[0].strip()
    if '/' not in inner:
        return [item.item() if isinstance(item, np.generic) else item for item in values]
    package, _, name = inner.rpartition('/')
    group = 'srv' if name.endswith(('_Request', '_Response')) else 'msg'
    kind = message_class(inner if inner.count('/') == 2 else f'{package}/{group}/{name}')
    return [to_message(item, kind) for item in values]


def _store_name(name: str) -> str:
    """Return the name under which a store has a type.

    The parser knows messages only. Below `msg` the types of a service find the messages of their package.
    """
    return GROUP.sub('/msg/', name)


def _store(connection: Connection) -> Message:
    """Return a store with the types of one connection.

    Each type gets a store of its own: two recordings of one bag may hold different versions of a used type.

    Raises:
        DefinitionError: The bag has no definition, and none is installed.
        TypesysError: The definition cannot be parsed.
    """
    text, form = connection.msgdef.data, connection.msgdef.format
    if form is MessageDefinitionFormat.NONE or not text.strip():
        text, form = installed_definition(connection.msgtype)[0], MessageDefinitionFormat.MSG
    store = get_typestore(Stores.EMPTY)
    if form is MessageDefinitionFormat.IDL:
        store.register(get_types_from_idl(text))
    else:
        store.register(get_types_from_msg(GROUP.sub('/msg/', text), _store_name(connection.msgtype)))
    return store
