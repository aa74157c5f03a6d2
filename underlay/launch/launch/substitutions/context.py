"""Substitutions that look at the launch context."""

from __future__ import annotations

import collections.abc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from .failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


def _describe(substitutions: list[Substitution]) -> str:
    return ' + '.join(sub.describe() for sub in substitutions)


class LaunchConfiguration(Substitution):
    """The value of a launch configuration, of which launch arguments are the most common kind.

    Args:
        variable_name: its name.
        default: what stands for it when it is not set; None makes that an error. Values that are no text become one.
    """

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: Any = None) -> None:
        self._name = normalize_to_list_of_substitutions(variable_name)
        self._default: list[Substitution] | None = None
        if default is not None:
            single = isinstance(default, str | Substitution) or not isinstance(default, collections.abc.Iterable)
            items = [default] if single else default
            self._default = normalize_to_list_of_substitutions(
                [item if isinstance(item, str | Substitution) else str(item) for item in items]
            )

    @property
    def variable_name(self) -> list[Substitution]:
        """The name of the launch configuration."""
        return self._name

    def describe(self) -> str:
        """Return a description for people."""
        return f'LaunchConfig({_describe(self._name)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the value or the default.

        Raises:
            SubstitutionFailure: neither is there.
        """
        name = perform_substitutions(context, self._name)
        if name in context.launch_configurations:
            return str(context.launch_configurations[name])
        if self._default is None:
            raise SubstitutionFailure(f"launch configuration '{name}' does not exist")
        return perform_substitutions(context, self._default)


class EnvironmentVariable(Substitution):
    """The value of an environment variable.

    Args:
        name: its name.
        default_value: what stands for it when it is not set; None makes that an error.
    """

    def __init__(self, name: SomeSubstitutionsType, *, default_value: SomeSubstitutionsType | None = None) -> None:
        self._name = normalize_to_list_of_substitutions(name)
        self._default = None if default_value is None else normalize_to_list_of_substitutions(default_value)

    @property
    def name(self) -> list[Substitution]:
        """The variable's name."""
        return self._name

    @property
    def default_value(self) -> list[Substitution] | None:
        """What stands for it when it is not set."""
        return self._default

    def describe(self) -> str:
        """Return a description for people."""
        return f'EnvVar({_describe(self._name)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the value or the default.

        Raises:
            SubstitutionFailure: neither is there.
        """
        name = perform_substitutions(context, self._name)
        if name in context.environment:
            return context.environment[name]
        if self._default is None:
            raise SubstitutionFailure(f"environment variable '{name}' does not exist")
        return perform_substitutions(context, self._default)


class LocalSubstitution(Substitution):
    """An expression on the context's locals, such as ``event.name``."""

    def __init__(self, expression: str, description: str | None = None) -> None:
        self._expression = expression
        self._description = description

    @property
    def expression(self) -> str:
        """The expression."""
        return self._expression

    def describe(self) -> str:
        """Return a description for people."""
        return f"LocalVar('{self._description or self._expression}')"

    def perform(self, context: LaunchContext) -> str:
        """Return the value of the expression as text."""
        return str(eval(self._expression, {}, context.get_locals_as_dict()))


class ThisLaunchFile(Substitution):
    """The path of the launch file being visited."""

    def describe(self) -> str:
        """Return a description for people."""
        return 'ThisLaunchFile()'

    def perform(self, context: LaunchContext) -> str:
        """Return the path.

        Raises:
            SubstitutionFailure: no launch file is being visited.
        """
        found = context.get_locals_as_dict().get('current_launch_file_path')
        if found is None:
            raise SubstitutionFailure('ThisLaunchFile used outside of a launch file')
        return str(found)


class ThisLaunchFileDir(ThisLaunchFile):
    """The folder of the launch file being visited."""

    def describe(self) -> str:
        """Return a description for people."""
        return 'ThisLaunchFileDir()'

    def perform(self, context: LaunchContext) -> str:
        """Return the folder."""
        return str(Path(super().perform(context)).parent)


class LaunchLogDir(Substitution):
    """The folder of this launch's log files."""

    def describe(self) -> str:
        """Return a description for people."""
        return 'LaunchLogDir()'

    def perform(self, context: LaunchContext) -> str:  # noqa: ARG002
        """Return the folder."""
        from launch.logging import launch_config

        return launch_config.log_dir
