"""Messages as ordered dictionaries, YAML and CSV."""

from __future__ import annotations

import array
from collections import OrderedDict
from typing import Any

import numpy as np
import yaml


class _MessageDumper(yaml.Dumper):
    """Writes messages as block mappings; with flow style, lists of plain values stay on one line."""


def _represent_fields(dumper: yaml.Dumper, fields: OrderedDict[str, Any]) -> yaml.Node:
    return dumper.represent_mapping('tag:yaml.org,2002:map', fields.items(), flow_style=False)


_MessageDumper.add_representer(OrderedDict, _represent_fields)


def message_to_ordereddict(
    msg: Any, *, truncate_length: int | None = None, no_arr: bool = False, no_str: bool = False
) -> OrderedDict[str, Any]:
    """Return a message as nested ordered dictionaries of plain values.

    Args:
        msg: The message.
        truncate_length: Longest string, bytes or array that is kept whole; None keeps everything.
        no_arr: Replace array values by a note of their type and length.
        no_str: Replace strings by a note of their length.
    """
    fields = msg.get_fields_and_field_types()
    return OrderedDict(
        (name, _plain(getattr(msg, name), kind, truncate_length, no_arr, no_str)) for name, kind in fields.items()
    )


def message_to_yaml(
    msg: Any, *, truncate_length: int | None = None, no_arr: bool = False, no_str: bool = False, flow_style: bool = False
) -> str:
    """Return a message as a YAML document; the arguments are those of `message_to_ordereddict`."""
    values = message_to_ordereddict(msg, truncate_length=truncate_length, no_arr=no_arr, no_str=no_str)
    return str(
        yaml.dump(
            values,
            Dumper=_MessageDumper,
            allow_unicode=True,
            width=2**31,
            sort_keys=False,
            default_flow_style=None if flow_style else False,
        )
    )


def message_to_csv(msg: Any, *, truncate_length: int | None = None, no_arr: bool = False, no_str: bool = False) -> str:
    """Return the leaf values of a message in order, separated by commas."""
    values = message_to_ordereddict(msg, truncate_length=truncate_length, no_arr=no_arr, no_str=no_str)
    return ','.join(_leaves(values))


def get_message_slot_types(msg: Any) -> OrderedDict[str, Any]:
    """Return the type of every field, as rosidl_parser definitions, by field name."""
    return OrderedDict(zip(msg.get_fields_and_field_types(), msg.SLOT_TYPES, strict=True))


def _plain(value: Any, kind: str, longest: int | None, no_arr: bool, no_str: bool) -> Any:
    if isinstance(value, (str, bytes)):
        if no_str and isinstance(value, str):
            return f'<string length: <{len(value)}>>'
        return _cut_text(value, longest)
    if isinstance(value, (list, tuple, array.array, np.ndarray)):
        return _plain_list(value, kind, longest, no_arr, no_str)
    if hasattr(value, 'get_fields_and_field_types'):
        return message_to_ordereddict(value, truncate_length=longest, no_arr=no_arr, no_str=no_str)
    return value.item() if isinstance(value, np.generic) else value


def _plain_list(value: Any, kind: str, longest: int | None, no_arr: bool, no_str: bool) -> Any:
    if no_arr:
        return _abbreviated(kind, len(value))
    cut = longest is not None and len(value) > longest
    items = value[:longest] if cut else value
    plain: list[Any] = [_plain(item, kind, longest, no_arr, no_str) for item in items]
    return [*plain, '...'] if cut else plain


def _abbreviated(kind: str, length: int) -> str:
    """Describe an array of a type such as `double[9]`, `sequence<double>` or `sequence<double, 9>`."""
    if not kind.startswith('sequence<'):
        return f'<array type: {kind}>'
    value_type, _, limit = kind.removeprefix('sequence<').removesuffix('>').partition(', ')
    return f'<sequence type: {value_type}{f"[{limit}]" if limit else ""}, length: {length}>'


def _cut_text(value: str | bytes, longest: int | None) -> str | bytes:
    if longest is None or len(value) <= longest:
        return value
    return value[:longest] + '...' if isinstance(value, str) else value[:longest] + b'...'


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [str(value)]
