"""Parameters as a launch file gives them, and as a node gets them.

A node gets values as YAML, so their types matter: `1` is an integer, `1.0` a float, and a node rejects the wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions
from launch.utilities.type_utils import coerce_to_type

from launch import LaunchContext, SomeSubstitutionsType, Substitution

from .parameter_descriptions import ParameterValue

Scalar = bool | int | float | str
Value = Scalar | list[bool] | list[int] | list[float] | list[str]

_SCALARS = (bool, int, float, str)
_ALLOWED = 'bool, int, float, str or a non-empty list of one of them'


def evaluate_parameter_dict(context: LaunchContext, parameters: Mapping[Any, Any]) -> dict[str, Value]:
    """Return parameters by name, nested dictionaries flattened to names with dots.

    Values with substitutions become what YAML makes of their text; where that is wrong, ParameterValue names the type.

    Raises:
        TypeError: a value is of no type that a parameter can have.
    """
    found: dict[str, Value] = {}
    for key, value in parameters.items():
        name = perform_substitutions(context, normalize_to_list_of_substitutions(key))
        if isinstance(value, Mapping):
            inner = evaluate_parameter_dict(context, value)
            found.update({f'{name}.{inner_name}': inner_value for inner_name, inner_value in inner.items()})
        else:
            found[name] = evaluate_parameter(context, name, value)
    return found


def evaluate_parameter(context: LaunchContext, name: str, value: Any) -> Value:
    """Return the value of one parameter.

    Args:
        context: evaluates substitutions.
        name: for the error.
        value: a value, a ParameterValue, or substitutions whose text is read as YAML.

    Raises:
        TypeError: the value is of no type that a parameter can have.
    """
    if isinstance(value, ParameterValue):
        return value.evaluate(context)  # type: ignore[no-any-return]
    if type(value) in _SCALARS:
        return value  # type: ignore[no-any-return]
    if isinstance(value, Substitution):
        return _of_text(context, name, value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return _of_sequence(context, name, value)
    raise TypeError(f"parameter '{name}' is {type(value).__name__}: it must be {_ALLOWED}")


def _of_text(context: LaunchContext, name: str, parts: SomeSubstitutionsType) -> Value:
    """Return the value of a text, read as YAML: `1` is a number, `[1, 2]` a list.

    Args:
        context: Evaluates the substitutions.
        name: Name of the parameter, for the error.
        parts: Text, substitution, or a list of both.

    Raises:
        TypeError: The text has no type that a parameter can have, or is an empty list.
    """
    text = perform_substitutions(context, normalize_to_list_of_substitutions(parts))
    try:
        value = coerce_to_type(text)
    except ValueError as problem:
        raise TypeError(
            f"cannot tell the value of parameter '{name}' from '{text}'. If it is meant to be a string, wrap it in "
            f'launch_ros.parameter_descriptions.ParameterValue(value, value_type=str)'
        ) from problem
    if value == []:
        raise TypeError(f"parameter '{name}' is an empty list, which has no type")
    return value  # type: ignore[no-any-return]


def _of_sequence(context: LaunchContext, name: str, items: Sequence[Any]) -> Value:
    """Return the value of a list; texts and substitutions together are one text.

    Integers among floats become floats, because a parameter has one type.

    Raises:
        TypeError: The elements have different types, or there are none.
    """
    if any(isinstance(item, Substitution) for item in items) and all(isinstance(item, str | Substitution) for item in items):
        return _of_text(context, name, items)  # parts of one text
    values = [item if type(item) in _SCALARS else _of_text(context, name, item) for item in items]
    kinds = {type(item) for item in values}
    if kinds == {int, float}:
        return [float(item) for item in values]  # type: ignore[arg-type]
    if len(kinds) != 1 or not kinds <= set(_SCALARS):
        raise TypeError(
            f"parameter '{name}' is a list of {', '.join(sorted(kind.__name__ for kind in kinds)) or 'nothing'}: "
            f'it must be {_ALLOWED}'
        )
    return values  # type: ignore[return-value]


def as_rule(value: Value) -> str:
    """Return a value as text for ``-p name:=``."""
    return yaml.safe_dump(value, default_flow_style=True, width=1_000_000).removesuffix('\n').removesuffix('\n...')


def as_file(node: str, parameters: Mapping[str, Value]) -> str:
    """Return the text of a parameter file for a node (``/**`` for any)."""
    return yaml.safe_dump({node: {'ros__parameters': dict(parameters)}}, default_flow_style=False)
