"""Node parameters as a frozen dataclass: each is declared once, with type, range, unit and description.

    @dataclass(frozen=True)
    class CameraParameters:
        frame_rate: float = parameter(10.0, 'Frames taken per second.', unit='Hz', minimum=0.1, maximum=120.0)

`declare_parameters` declares the fields on a node, checks the deployment's values and returns them as an instance. Types:
bool, int, float, str, list[int], list[float] and list[str].

All parameters are read-only: a node reads them once, at its start. `tools/parameter_docs.py` writes docs/parameters.md from
the same fields.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from rcl_interfaces.msg import ParameterDescriptor
    from rclpy.node import Node

__all__ = ['ParameterError', 'Schema', 'declare_parameters', 'parameter', 'schema_of', 'unknown_parameters', 'validate']

T = TypeVar('T')
ParameterValue = bool | int | float | str | Sequence[int] | Sequence[float] | Sequence[str]
_KEY = 'cell_parameter'


class ParameterError(ValueError):
    """A parameter has an invalid value; the text names the parameter, its value and the allowed ones."""


@dataclasses.dataclass(frozen=True)
class Schema:
    """Description and range of one parameter; name, type and default are those of its dataclass field."""

    description: str
    unit: str = ''
    minimum: float | None = None
    maximum: float | None = None
    choices: Sequence[str] = ()

    def allowed(self) -> str:
        """Return the allowed values as text, e.g. "0.1 to 120 Hz"."""
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
    default: ParameterValue,
    description: str,
    *,
    unit: str = '',
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """Return a dataclass field that is a parameter.

    The return type is Any, as that of `dataclasses.field`, so that mypy accepts it as the default of a typed field.

    Args:
        default: Value if the deployment's file does not set it; a list is copied for each node.
        description: One sentence.
        unit: SI unit or "px"; "" for a plain number or text.
        minimum: Smallest allowed value, of each element of a list.
        maximum: Largest allowed value, of each element of a list.
        choices: Allowed texts of an enumerated parameter.
    """
    metadata = {_KEY: Schema(description, unit, minimum, maximum, tuple(choices))}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def schema_of(kind: type[object]) -> dict[str, tuple[type[object], ParameterValue, Schema]]:
    """Return name -> (type, default, schema) of a parameter class, in order of declaration.

    Args:
        kind: A dataclass all of whose fields come from `parameter`.
    """
    types = get_type_hints(kind)
    result: dict[str, tuple[type[object], ParameterValue, Schema]] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        default: Any = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        result[field.name] = (types[field.name], default, field.metadata[_KEY])
    return result


def validate(name: str, value: ParameterValue, schema: Schema) -> None:
    """Check one value, or each element of a list.

    NaN and infinity are never allowed, also where there are no limits.

    Args:
        name: For the message.
        value: Value from the deployment's file.
        schema: Range or choices.

    Raises:
        ParameterError: The value is outside the schema's range or choices.
    """
    for item in value if isinstance(value, (list, tuple)) else [value]:
        valid = not schema.choices or item in schema.choices
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            valid = (
                math.isfinite(item)
                and (schema.minimum is None or item >= schema.minimum)
                and (schema.maximum is None or item <= schema.maximum)
            )
        if not valid:
            raise ParameterError(
                f'parameter "{name}" is {value!r}; allowed: {schema.allowed()}. '
                f'It means: {schema.description} Correct it in the parameter file.'
            )


def declare_parameters(node: Node, kind: type[T]) -> T:
    """Declare all parameters of a class on a node and return their values.

    Args:
        node: Node of the parameters; call this once, in its constructor.
        kind: The parameter class. A whole number is accepted for a float.

    Raises:
        ParameterError: A value has the wrong type or is outside its range. `run_node` ends the process with exit code 78.
    """
    from rcl_interfaces.msg import ParameterDescriptor
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException

    values: dict[str, ParameterValue] = {}
    for name, (wanted, default, schema) in schema_of(kind).items():
        text = schema.description + (f' Unit: {schema.unit}.' if schema.unit else '')
        # Read-only: nodes read their parameters once, so a later change would have no effect.
        descriptor = ParameterDescriptor(description=text, additional_constraints=schema.allowed(), read_only=True)
        try:
            value = _declare_one(node, name, default, wanted, descriptor)
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            number = _declare_whole_number(node, name, descriptor) if wanted is float else None
            if number is None:
                raise ParameterError(
                    f'parameter "{name}" has the wrong type: {error}. Wanted: {wanted}. Correct it in the parameter file.'
                ) from error
            value = number
        if isinstance(default, list) and isinstance(value, Sequence):
            value = list(value)  # type: ignore[assignment]
        validate(name, value, schema)
        values[name] = value
    return kind(**values)


def unknown_parameters(node: Node) -> list[str]:
    """Return a sentence for each parameter of the parameter file that a node does not have: ROS passes over it silently.

    Args:
        node: Node that has declared all its parameters.
    """
    from rclpy.parameter import Parameter

    with node.handle:
        given = node.handle.get_parameters(Parameter)
    # Quality of service is overridden by parameters that only topics with such a policy declare.
    unknown = [name for name in sorted(given) if not node.has_parameter(name) and not name.startswith('qos_overrides.')]
    known = node.get_parameters_by_prefix('')
    sentences = []
    for name in unknown:
        close = difflib.get_close_matches(name, known, 1)
        hint = f'Did you mean "{close[0]}"?' if close else 'Correct it in the parameter file.'
        sentences.append(f'parameter "{name}" is unknown and has no effect. {hint}')
    return sentences


def _declare_one(
    node: Node, name: str, default: ParameterValue, wanted: type[object], descriptor: ParameterDescriptor
) -> ParameterValue:
    """Declare one parameter and return its value; the type of the default decides which values rclpy accepts."""
    if default != []:
        return node.declare_parameter(name, default, descriptor).value  # type: ignore[no-any-return]
    # rclpy takes an empty list for bytes and rejects texts, so it accepts any type here and the elements are checked below.
    descriptor.dynamic_typing = True
    value = node.declare_parameter(name, default, descriptor).value
    element = get_args(wanted)[0]
    if isinstance(value, (str, bytes)) or not all(isinstance(item, element) for item in value):
        raise ParameterError(
            f'parameter "{name}" is {value!r}; wanted: a list of {element.__name__}. Correct it in the parameter file.'
        )
    return value  # type: ignore[no-any-return]


def _declare_whole_number(node: Node, name: str, descriptor: ParameterDescriptor) -> float | None:
    """Accept `10` for 10.0, since YAML users omit the point; return None if the override is no whole number.

    rclpy types an override by its text and rejects an INTEGER for a DOUBLE. So the value is read as an integer first, then the
    parameter is declared again as a float with that default.
    """
    from rclpy.exceptions import InvalidParameterTypeException
    from rclpy.parameter import Parameter

    try:
        # Without a descriptor: this declaration is removed again in the next lines.
        value = node.declare_parameter(name, Parameter.Type.INTEGER).value
    except InvalidParameterTypeException:
        return None
    node.undeclare_parameter(name)
    return float(node.declare_parameter(name, float(value), descriptor, ignore_override=True).value)
