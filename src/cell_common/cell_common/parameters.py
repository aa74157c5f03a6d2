"""Parameters as a schema: every parameter is declared once, with type, range, unit and description.

A node's parameters are one frozen dataclass whose fields are made by `parameter`:

    @dataclass(frozen=True)
    class CameraParameters:
        frame_rate: float = parameter(10.0, 'Frames taken per second.', unit='Hz', minimum=0.1, maximum=120.0)

`declare` declares them on a node, checks what the deployment's file says and returns the frozen values.
The types allowed are bool, int, float, str, list[int], list[float] and list[str].
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

__all__ = ['ParameterError', 'Schema', 'declare_parameters', 'parameter', 'schema_of', 'validate']

if TYPE_CHECKING:
    from rclpy.node import Node

T = TypeVar('T')
_KEY = 'cell_parameter'


class ParameterError(ValueError):
    """A parameter has a value that the node cannot work with; the text names parameter, value and what is allowed."""


@dataclasses.dataclass(frozen=True)
class Schema:
    """What is known of one parameter beside its name, type and default."""

    description: str
    unit: str = ''
    minimum: float | None = None
    maximum: float | None = None
    choices: Sequence[str] = ()

    def allowed(self) -> str:
        """Return what values are allowed, for people."""
        unit = f' {self.unit}' if self.unit else ''
        if self.choices:
            return 'one of ' + ', '.join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f'{self.minimum:g} to {self.maximum:g}{unit}'
        if self.minimum is not None:
            return f'at least {self.minimum:g}{unit}'
        if self.maximum is not None:
            return f'at most {self.maximum:g}{unit}'
        return f'any{unit}'


def parameter(
    default: Any,
    description: str,
    *,
    unit: str = '',
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """Make a dataclass field that is a parameter.

    Args:
        default: Value when the deployment's file does not name it; a list is copied for each node.
        description: What it does, one sentence.
        unit: SI unit or "px", "" for a plain number or text.
        minimum: Smallest value allowed (each element of a list).
        maximum: Largest value allowed (each element of a list).
        choices: The texts allowed, for an enumerated parameter.
    """
    metadata = {_KEY: Schema(description, unit, minimum, maximum, tuple(choices))}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def schema_of(kind: type[Any]) -> dict[str, tuple[Any, Any, Schema]]:
    """Return name -> (type, default, schema) of a parameter class, in order of declaration."""
    types = get_type_hints(kind)
    result = {}
    for field in dataclasses.fields(kind):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        result[field.name] = (types[field.name], default, field.metadata[_KEY])
    return result


def validate(name: str, value: Any, schema: Schema) -> None:
    """Check one value.

    Raises:
        ParameterError: The value is outside what the schema allows.
    """
    for item in value if isinstance(value, (list, tuple)) else [value]:
        good = not schema.choices or item in schema.choices
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            good = (
                math.isfinite(item)
                and (schema.minimum is None or item >= schema.minimum)
                and (schema.maximum is None or item <= schema.maximum)
            )
        if not good:
            raise ParameterError(
                f'parameter "{name}" is {value!r}; allowed: {schema.allowed()}. '
                f'It means: {schema.description} Correct it in the parameter file.'
            )


def declare_parameters(node: Node, kind: type[T]) -> T:
    """Declare all parameters of a class on a node and return the values the deployment chose.

    Raises:
        ParameterError: A value has the wrong type or is outside its range.
    """
    from rcl_interfaces.msg import ParameterDescriptor
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException

    values = {}
    for name, (wanted, default, schema) in schema_of(kind).items():
        text = schema.description + (f' Unit: {schema.unit}.' if schema.unit else '')
        descriptor = ParameterDescriptor(description=text, additional_constraints=schema.allowed(), read_only=True)
        try:
            value = _declare_one(node, name, default, wanted, descriptor)
        except (InvalidParameterTypeException, InvalidParameterValueException) as problem:
            value = _whole_number(node, name, wanted, descriptor)
            if value is None:
                raise ParameterError(
                    f'parameter "{name}" has the wrong type: {problem}. Wanted: {wanted}. Correct it in the parameter file.'
                ) from problem
        value = list(value) if isinstance(default, list) else value
        validate(name, value, schema)
        values[name] = value
    return kind(**values)


def _declare_one(node: Node, name: str, default: Any, wanted: Any, descriptor: Any) -> Any:
    if default != []:
        return node.declare_parameter(name, default, descriptor).value
    # rclpy takes an empty list for bytes and then refuses texts: let it take any type, and check it here.
    descriptor.dynamic_typing = True
    value = node.declare_parameter(name, default, descriptor).value
    element = get_args(wanted)[0]
    if isinstance(value, (str, bytes)) or not all(isinstance(item, element) for item in value):
        raise ParameterError(
            f'parameter "{name}" is {value!r}; wanted: a list of {element.__name__}. Correct it in the parameter file.'
        )
    return value


def _whole_number(node: Node, name: str, wanted: Any, descriptor: Any) -> float | None:
    """Take `10` where 10.0 is wanted: people write whole numbers without a point."""
    if wanted is not float:
        return None
    given = node._parameter_overrides.get(name)
    if given is None or not isinstance(given.value, int) or isinstance(given.value, bool):
        return None
    node._parameter_overrides.pop(name)
    return float(node.declare_parameter(name, float(given.value), descriptor).value)
