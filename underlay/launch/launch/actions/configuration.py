"""Actions on launch configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from launch import logging as launch_logging
from launch.action import Action
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class DeclareLaunchArgument(Action):
    """Declares an argument of the launch file, which is a launch configuration of the same name.

    Args:
        name: its name.
        default_value: its value when none is given; None makes the argument required.
        description: shown by ``ros2 launch --show-args``.
        choices: the values allowed.
        kwargs: what every action takes.

    Raises:
        RuntimeError: the default is not among the choices, or there are none.
    """

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if choices is not None and not choices:
            raise RuntimeError(f'Argument "{name}": the list of choices is empty; leave it out to allow any value.')
        if choices is not None and isinstance(default_value, str) and default_value not in choices:
            raise RuntimeError(f'Provided default_value "{default_value}" is not in provided choices "{choices}".')
        self._name = name
        self._default_value = None if default_value is None else normalize_to_list_of_substitutions(default_value)
        self._description = self._described(description, choices)
        self._choices = choices
        self._conditionally_included = False
        self._given_by_include = False

    @staticmethod
    def _described(description: str | None, choices: list[str] | None) -> str:
        if choices is None:
            return description or 'no description given'
        if description is None:
            return f'One of: {choices}'
        return f'{description}{"" if description.endswith(".") else "."} Valid choices are: {choices}'

    @property
    def name(self) -> str:
        """The name of the argument and of its launch configuration."""
        return self._name

    @property
    def default_value(self) -> list[Substitution] | None:
        """The default as substitutions; None for a required argument."""
        return self._default_value

    @property
    def description(self) -> str:
        """The text of ``ros2 launch --show-args``."""
        return self._description

    @property
    def choices(self) -> list[str] | None:
        """The allowed values; None for any."""
        return self._choices

    def execute(self, context: LaunchContext) -> None:
        """Set the default if no value is given, and check the value.

        Raises:
            RuntimeError: a required value is missing or a value is not among the choices.
        """
        if self._name not in context.launch_configurations:
            if self._default_value is None:
                raise RuntimeError(
                    f'Required launch argument "{self._name}" (description: "{self._description}") was not provided.'
                )
            context.launch_configurations[self._name] = perform_substitutions(context, self._default_value)
        value = context.launch_configurations[self._name]
        if self._choices is not None and value not in self._choices:
            message = f'Argument "{self._name}" provided value "{value}" is not valid. Valid options are: {self._choices}'
            launch_logging.get_logger(__name__).error(message)
            raise RuntimeError(message)


class SetLaunchConfiguration(Action):
    """Sets a launch configuration, for the entities visited after it in the same scope."""

    def __init__(self, name: SomeSubstitutionsType, value: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)
        self._value = normalize_to_list_of_substitutions(value)

    @property
    def name(self) -> list[Substitution]:
        """The name as substitutions, which are evaluated at execution."""
        return self._name

    @property
    def value(self) -> list[Substitution]:
        """The value as substitutions, which are evaluated at execution."""
        return self._value

    def execute(self, context: LaunchContext) -> None:
        """Evaluate name and value, and store them in the context."""
        context.launch_configurations[perform_substitutions(context, self._name)] = perform_substitutions(context, self._value)


class UnsetLaunchConfiguration(Action):
    """Removes a launch configuration if it is set."""

    def __init__(self, name: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._name = normalize_to_list_of_substitutions(name)

    def execute(self, context: LaunchContext) -> None:
        """Remove the configuration from the context; no error if it is not set."""
        context.launch_configurations.pop(perform_substitutions(context, self._name), None)


class PushLaunchConfigurations(Action):
    """Saves the launch configurations until they are popped."""

    def execute(self, context: LaunchContext) -> None:
        """Push a copy of them onto the context's stack."""
        context._push_launch_configurations()


class PopLaunchConfigurations(Action):
    """Restores the launch configurations that were pushed last."""

    def execute(self, context: LaunchContext) -> None:
        """Pop them from the context's stack."""
        context._pop_launch_configurations()


class ResetLaunchConfigurations(Action):
    """Removes all launch configurations but those given."""

    def __init__(
        self,
        launch_configurations: Mapping[Any, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._kept = [
            (normalize_to_list_of_substitutions(name), normalize_to_list_of_substitutions(value))
            for name, value in (launch_configurations or {}).items()
        ]

    def execute(self, context: LaunchContext) -> None:
        """Evaluate the configurations to keep, then remove all others."""
        kept = {perform_substitutions(context, name): perform_substitutions(context, value) for name, value in self._kept}
        context.launch_configurations.clear()
        context.launch_configurations.update(kept)
