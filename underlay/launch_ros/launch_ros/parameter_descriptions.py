"""Parameters whose value is known only while launching."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from launch.utilities import ensure_argument_type, normalize_to_list_of_substitutions, perform_substitutions
from launch.utilities.type_utils import normalize_typed_substitution, perform_typed_substitution

from launch import LaunchContext, SomeSubstitutionsType, Substitution

__all__ = ['Parameter', 'ParameterFile', 'ParameterValue']


class ParameterValue:
    """The value of a parameter.

    Args:
        value: a value, or a text with substitutions.
        value_type: bool, int, float, str, a list of one of them (``List[int]``), or None for what YAML makes of the text.
    """

    def __init__(self, value: Any, *, value_type: Any = None) -> None:
        self._value = normalize_typed_substitution(value, value_type)
        self._value_type = value_type

    @property
    def value(self) -> Any:
        """The value, or the substitutions that make it."""
        return self._value

    @property
    def value_type(self) -> Any:
        """Its type, None for what YAML makes of it."""
        return self._value_type

    def evaluate(self, context: LaunchContext) -> Any:
        """Return the value in this context.

        Raises:
            ValueError: the text is not of the type.
        """
        return perform_typed_substitution(context, self._value, self._value_type)


class Parameter:
    """A parameter; see ParameterValue for the value."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, *, value_type: Any = None) -> None:
        self._name = normalize_to_list_of_substitutions(name)
        self._value = ParameterValue(value, value_type=value_type)

    @property
    def name(self) -> list[Substitution]:
        """The name as substitutions."""
        return self._name

    @property
    def value(self) -> Any:
        """The value, or the substitutions that make it."""
        return self._value.value

    def evaluate(self, context: LaunchContext) -> tuple[str, Any]:
        """Return name and value in this context."""
        return perform_substitutions(context, self._name), self._value.evaluate(context)


class ParameterFile:
    """A parameter file.

    Args:
        param_file: its path.
        allow_substs: substitutions in the file; not covered here.

    Raises:
        NotImplementedError: substitutions in the file are wanted.
    """

    def __init__(self, param_file: os.PathLike[str] | SomeSubstitutionsType, *, allow_substs: bool = False) -> None:
        ensure_argument_type(allow_substs, bool, 'allow_substs', 'ParameterFile')
        if allow_substs:
            raise NotImplementedError('ParameterFile(allow_substs=True) needs a full ROS 2 installation')
        path = os.fspath(param_file) if isinstance(param_file, os.PathLike) else param_file
        self._param_file = normalize_to_list_of_substitutions(path)

    @property
    def param_file(self) -> list[Substitution]:
        """The path as substitutions."""
        return self._param_file

    def evaluate(self, context: LaunchContext) -> Path:
        """Return the path in this context."""
        return Path(perform_substitutions(context, self._param_file))
