"""Actions on the environment that processes get."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions
from launch.utilities.type_utils import normalize_typed_substitution, perform_typed_substitution

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class SetEnvironmentVariable(Action):
    """Sets an environment variable, for processes started after it."""

    def __init__(self, name: SomeSubstitutionsType, value: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)

    @property
    def name(self) -> list[Substitution]:
        """The name as substitutions."""
        return self._name

    @property
    def value(self) -> list[Substitution]:
        """The value as substitutions."""
        return self._value

    def execute(self, context: LaunchContext) -> None:
        """Evaluate name and value, and set the variable in the launcher's own environment, which processes inherit."""
        context.environment[perform_substitutions(context, self._name)] = perform_substitutions(context, self._value)


class AppendEnvironmentVariable(Action):
    """Adds to a list in an environment variable.

    Args:
        name: its name.
        value: what is added.
        prepend: add it in front.
        separator: what stands between the items; that of PATH by default.
        kwargs: what every action takes.
    """

    def __init__(
        self,
        name: SomeSubstitutionsType,
        value: SomeSubstitutionsType,
        prepend: bool | SomeSubstitutionsType = False,
        separator: SomeSubstitutionsType = os.pathsep,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)
        self._prepend = normalize_typed_substitution(prepend, bool)
        self._separator = normalize_to_list_of_substitutions(separator)

    def execute(self, context: LaunchContext) -> None:
        """Join the new item with the current value; an empty variable gets the item alone."""
        name = perform_substitutions(context, self._name)
        parts = [perform_substitutions(context, self._value)]
        if context.environment.get(name):
            parts.insert(0, context.environment[name])
        if perform_typed_substitution(context, self._prepend, bool):
            parts.reverse()
        context.environment[name] = perform_substitutions(context, self._separator).join(parts)


class UnsetEnvironmentVariable(Action):
    """Removes an environment variable if it is set."""

    def __init__(self, name: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)

    def execute(self, context: LaunchContext) -> None:
        """Remove the variable from the environment; no error if it is not set."""
        context.environment.pop(perform_substitutions(context, self._name), None)


class PushEnvironment(Action):
    """Saves the environment until it is popped."""

    def execute(self, context: LaunchContext) -> None:
        """Push a copy of it onto the context's stack."""
        context._push_environment()


class PopEnvironment(Action):
    """Restores the environment that was pushed last."""

    def execute(self, context: LaunchContext) -> None:
        """Pop it from the context's stack."""
        context._pop_environment()


class ResetEnvironment(Action):
    """Restores the environment in which the launch began."""

    def execute(self, context: LaunchContext) -> None:
        """Replace the whole environment."""
        context._reset_environment()
