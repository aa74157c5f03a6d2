"""Substitutions that are 'true' or 'false', and the one that chooses by such a text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions
from launch.utilities.type_utils import coerce_to_type

from .failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

_TRUE = ('true', '1')
_FALSE = ('false', '0')


def _as_text(value: bool) -> str:
    return 'true' if value else 'false'


def _truth(context: LaunchContext, parts: list[Substitution]) -> bool:
    text = perform_substitutions(context, parts)
    try:
        value = coerce_to_type(text.lower() if text.lower() in (*_TRUE, *_FALSE) else text)
    except ValueError as problem:
        raise SubstitutionFailure(str(problem)) from problem
    if value in (True, False):
        return bool(value)
    raise SubstitutionFailure(f"expected a boolean, got '{text}'")


class _Combined(Substitution):
    """Base of substitutions over truths."""

    def __init__(self, *operands: SomeSubstitutionsType) -> None:
        self._operands = [normalize_to_list_of_substitutions(operand) for operand in operands]

    def describe(self) -> str:
        """Return a description for people."""
        texts = (' + '.join(part.describe() for part in operand) for operand in self._operands)
        return f'{type(self).__name__}({", ".join(texts)})'

    def _truths(self, context: LaunchContext) -> list[bool]:
        return [_truth(context, operand) for operand in self._operands]


class NotSubstitution(_Combined):
    """'true' when the value is false."""

    def __init__(self, value: SomeSubstitutionsType) -> None:
        super().__init__(value)

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _as_text(not self._truths(context)[0])


class AndSubstitution(_Combined):
    """'true' when both values are true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _as_text(all(self._truths(context)))


class OrSubstitution(_Combined):
    """'true' when one of two values is true."""

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        super().__init__(left, right)

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _as_text(any(self._truths(context)))


class AllSubstitution(_Combined):
    """'true' when all values are true."""

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _as_text(all(self._truths(context)))


class AnySubstitution(_Combined):
    """'true' when one of the values is true."""

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _as_text(any(self._truths(context)))


def _comparable(text: str) -> Any:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    try:
        return float(text)
    except ValueError:
        return text


class EqualsSubstitution(Substitution):
    """'true' when two values are equal; numbers and booleans compare as such.

    Args:
        left: a text with substitutions, or a plain value.
        right: likewise.
    """

    def __init__(self, left: SomeSubstitutionsType | float | None, right: SomeSubstitutionsType | float | None) -> None:
        self._left = self._normalized(left)
        self._right = self._normalized(right)

    @staticmethod
    def _normalized(value: Any) -> list[Substitution]:
        if not isinstance(value, str | Substitution | Iterable):
            value = '' if value is None else str(value)
        return normalize_to_list_of_substitutions(value)

    def describe(self) -> str:
        """Return a description for people."""
        sides = (' + '.join(part.describe() for part in side) for side in (self._left, self._right))
        return f'{type(self).__name__}({" ".join(sides)})'

    def _equal(self, context: LaunchContext) -> bool:
        left = _comparable(perform_substitutions(context, self._left))
        right = _comparable(perform_substitutions(context, self._right))
        if isinstance(left, float) and isinstance(right, float):
            return math.isclose(left, right)
        return bool(left == right)

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _as_text(self._equal(context))


class NotEqualsSubstitution(EqualsSubstitution):
    """'true' when two values differ."""

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return _as_text(not self._equal(context))


class IfElseSubstitution(Substitution):
    """One of two values, chosen by a condition.

    Args:
        condition: a text that is true or false.
        if_value: the value when it is true; empty when not given.
        else_value: the value when it is false; empty when not given.
    """

    def __init__(
        self,
        condition: SomeSubstitutionsType,
        if_value: SomeSubstitutionsType = '',
        else_value: SomeSubstitutionsType = '',
    ) -> None:
        if if_value == else_value == '':
            raise RuntimeError('One of if_value and else_value must be specified')
        self._condition = normalize_to_list_of_substitutions(condition)
        self._if_value = normalize_to_list_of_substitutions(if_value)
        self._else_value = normalize_to_list_of_substitutions(else_value)

    def describe(self) -> str:
        """Return a description for people."""
        parts = (' + '.join(part.describe() for part in parts) for parts in (self._condition, self._if_value, self._else_value))
        return f'IfElseSubstitution({", ".join(parts)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the value chosen."""
        return perform_substitutions(context, self._if_value if _truth(context, self._condition) else self._else_value)
