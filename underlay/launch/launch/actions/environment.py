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
    """Sets an environment variable."""

    def __init__(self, name: SomeSubstitutionsType, value: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)

    @property
    def name(self) -> list[Substitution]:
        """Its name."""
        return self._name

    @property
    def value(self) -> list[Substitution]:
        """Its value."""
        return self._value

    def execute(self, context: LaunchContext) -> None:
        """Set it."""
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
        """Add to it."""
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
        """Remove it."""
        context.environment.pop(perform_substitutions(context, self._name), None)


class PushEnvironment(Action):
    """Keeps the environment as it is now, until it is popped."""

    def execute(self, context: LaunchContext) -> None:
        """Keep it."""
        context._push_environment()


class PopEnvironment(Action):
    """Goes back to the environment pushed last."""

    def execute(self, context: LaunchContext) -> None:
        """Go back."""
        context._pop_environment()


class ResetEnvironment(Action):
    """Goes back to the environment in which the launch began."""

    def execute(self, context: LaunchContext) -> None:
        """Go back."""
        context._reset_environment()
