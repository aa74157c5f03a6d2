"""Values whose text is substituted at launch and must then have a certain type."""

from __future__ import annotations

import collections.abc
from typing import TYPE_CHECKING, Any, get_args, get_origin

from launch.substitution import Substitution

from . import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

_SCALARS = (bool, int, float, str)


def _parse(text: str, wanted: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise ValueError(f"cannot make {wanted} of '{text}': {problem}") from problem


def _is_uniform(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return len({type(item) for item in value}) <= 1 and all(type(item) in _SCALARS for item in value)


def _coerce_scalar(value: Any, kind: type, text: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"cannot make {kind.__name__} of '{text}'")
    return value


def coerce_to_type(value: str, data_type: Any = None) -> Any:
    """Return the value that a text stands for.

    Args:
        value: the text.
        data_type: bool, int, float, str, a list of one of them (``List[int]``), or None for what YAML makes of it.

    Raises:
        ValueError: the text is no such value.
    """
    if data_type is str or value == '':
        return value
    if data_type is None:
        found = _parse(value, 'a value')
        if type(found) in _SCALARS or _is_uniform(found):
            return found
        raise ValueError(
            f"'{value}' is {type(found).__name__}: only bool, int, float, str and uniform lists of them can be used"
        )
    if get_origin(data_type) is list:
        found = _parse(value, str(data_type))
        if not isinstance(found, list):
            raise ValueError(f"cannot make {data_type} of '{value}'")
        return [_coerce_scalar(item, get_args(data_type)[0], value) for item in found]
    return _coerce_scalar(_parse(value, data_type.__name__), data_type, value)


def _is_substitution(value: object) -> bool:
    if isinstance(value, Substitution):
        return True
    return (
        isinstance(value, collections.abc.Iterable)
        and not isinstance(value, str)
        and any(isinstance(item, Substitution) for item in value)
    )


def normalize_typed_substitution(value: Any, data_type: Any) -> Any:
    """Return plain values as they are, anything with substitutions (or a text meant as another type) normalized."""
    if _is_substitution(value):
        return normalize_to_list_of_substitutions(value)
    if isinstance(value, str) and data_type is not str:
        return normalize_to_list_of_substitutions(value)
    if isinstance(value, list | tuple) and data_type is not None and get_origin(data_type) is not list:
        return normalize_to_list_of_substitutions(value)
    return value


def perform_typed_substitution(context: LaunchContext, value: Any, data_type: Any) -> Any:
    """Return what a normalized value is in this context, in the type wanted.

    Raises:
        TypeError: a plain value is not of the type.
        ValueError: a substituted text is not of the type.
    """
    if isinstance(value, list | tuple) and value and all(isinstance(item, Substitution) for item in value):
        return coerce_to_type(perform_substitutions(context, value), data_type)
    if isinstance(value, list | tuple) and data_type is not None and get_origin(data_type) is list:
        return [perform_typed_substitution(context, _item(item), get_args(data_type)[0]) for item in value]
    if data_type is float and type(value) is int:
        return float(value)
    if data_type in _SCALARS and type(value) is not data_type:
        raise TypeError(f"'{value}' is no {data_type.__name__}")
    return value


def _item(value: Any) -> Any:
    return normalize_to_list_of_substitutions(value) if _is_substitution(value) else value
