"""The action that groups others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType

from .configuration import (
    PopLaunchConfigurations,
    PushLaunchConfigurations,
    ResetLaunchConfigurations,
    SetLaunchConfiguration,
)
from .environment import PopEnvironment, PushEnvironment, ResetEnvironment

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class GroupAction(Action):
    """Groups actions, for a common condition or scope.

    Args:
        actions: the actions.
        scoped: changes of launch configurations and environment end with the group.
        forwarding: a scoped group begins with the launch configurations and environment of its surroundings.
        launch_configurations: configurations to set for the group.
        kwargs: what every action takes.
    """

    def __init__(
        self,
        actions: Iterable[LaunchDescriptionEntity],
        *,
        scoped: bool = True,
        forwarding: bool = True,
        launch_configurations: Mapping[Any, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = dict(launch_configurations or {})
        begin: list[LaunchDescriptionEntity] = [SetLaunchConfiguration(name, value) for name, value in given.items()]
        end: list[LaunchDescriptionEntity] = []
        if scoped and not forwarding:
            begin = [ResetEnvironment(), ResetLaunchConfigurations(given)]
        if scoped:
            begin = [PushLaunchConfigurations(), PushEnvironment(), *begin]
            end = [PopEnvironment(), PopLaunchConfigurations()]
        self._entities = [*begin, *actions, *end]

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the actions, with those that make and end the scope."""
        return self._entities

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:  # noqa: ARG002
        """Return the actions to visit."""
        return self._entities
