"""Conditions of actions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from launch.condition import Condition
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

__all__ = [
    'IfCondition',
    'InvalidConditionExpressionError',
    'LaunchConfigurationEquals',
    'LaunchConfigurationNotEquals',
    'UnlessCondition',
    'evaluate_condition_expression',
]


class InvalidConditionExpressionError(ValueError):
    """The text of a condition is neither true nor false."""


def evaluate_condition_expression(context: LaunchContext, expression: list[Substitution]) -> bool:
    """Return whether the text is 'true' or '1' (any case) rather than 'false' or '0'.

    Raises:
        InvalidConditionExpressionError: it is anything else.
    """
    text = perform_substitutions(context, expression).strip().lower()
    if text in ('true', '1'):
        return True
    if text in ('false', '0'):
        return False
    source = ' + '.join(part.describe() for part in expression)
    raise InvalidConditionExpressionError(
        f"invalid condition expression, expected one of [true, 1, false, 0] but got '{text}', expanded from {source}"
    )


class IfCondition(Condition):
    """Holds when the expression is true."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(predicate=lambda context: evaluate_condition_expression(context, expression))


class UnlessCondition(Condition):
    """Holds when the expression is false."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(predicate=lambda context: not evaluate_condition_expression(context, expression))


class LaunchConfigurationEquals(Condition):
    """Holds when a launch configuration has this value (None: when it is not set).

    Deprecated: use IfCondition with EqualsSubstitution.
    """

    def __init__(self, launch_configuration_name: str, expected_value: SomeSubstitutionsType | None) -> None:
        warnings.warn(
            f'{type(self).__name__} is deprecated; use IfCondition or UnlessCondition with EqualsSubstitution', stacklevel=2
        )
        self._name = launch_configuration_name
        self._expected = None if expected_value is None else normalize_to_list_of_substitutions(expected_value)
        super().__init__(predicate=self._holds)

    def _holds(self, context: LaunchContext) -> bool:
        expected = None if self._expected is None else perform_substitutions(context, self._expected)
        return bool(context.launch_configurations.get(self._name) == expected)


class LaunchConfigurationNotEquals(LaunchConfigurationEquals):
    """Holds when a launch configuration does not have this value (None: when it is set)."""

    def _holds(self, context: LaunchContext) -> bool:
        return not super()._holds(context)
