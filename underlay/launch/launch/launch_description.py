"""Launch descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from . import logging as launch_logging
from .action import Action
from .actions.configuration import DeclareLaunchArgument, ResetLaunchConfigurations
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class LaunchDescription(LaunchDescriptionEntity):
    """What is to be launched.

    Args:
        initial_entities: its entities, visited in this order.
        deprecated_reason: why it should no longer be used; logged when it is.
    """

    def __init__(
        self,
        initial_entities: Iterable[LaunchDescriptionEntity] | None = None,
        *,
        deprecated_reason: str | None = None,
    ) -> None:
        self._entities = list(initial_entities or [])
        self._deprecated_reason = deprecated_reason

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities in the order in which they are visited."""
        return self._entities

    @property
    def deprecated(self) -> bool:
        """Whether it should no longer be used."""
        return self._deprecated_reason is not None

    @property
    def deprecated_reason(self) -> str | None:
        """Why it should no longer be used."""
        return self._deprecated_reason

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Add an entity at the end."""
        self._entities.append(entity)

    def add_action(self, action: Action) -> None:
        """Add an action at the end."""
        self.add_entity(action)

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities to visit next; a warning is logged if the description is deprecated."""
        if self._deprecated_reason is not None:
            file = context.get_locals_as_dict().get('current_launch_file_path', 'launch description')
            launch_logging.get_logger().warning('%s is deprecated: %s', file, self._deprecated_reason)
        return self._entities

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities, for ``--print-description``."""
        return self._entities

    def get_launch_arguments(self, conditional_inclusion: bool = False) -> list[DeclareLaunchArgument]:
        """Return the arguments declared here and in what is included, as far as that can be known before launching.

        Args:
            conditional_inclusion: this launch description is itself only visited on some condition.
        """
        found: dict[str, DeclareLaunchArgument] = {}
        self._collect(self._entities, conditional_inclusion, frozenset(), found)
        return list(found.values())

    def _collect(
        self,
        entities: Iterable[LaunchDescriptionEntity],
        conditional: bool,
        given: frozenset[str],
        found: dict[str, DeclareLaunchArgument],
    ) -> None:
        for entity in entities:
            if isinstance(entity, ResetLaunchConfigurations):
                return  # what is declared after this cannot be given from outside
            if isinstance(entity, DeclareLaunchArgument):
                if entity.name not in found:
                    entity._conditionally_included = conditional or entity.condition is not None
                    entity._given_by_include = entity.name in given
                    found[entity.name] = entity
                continue
            passed = given | entity._argument_names() if hasattr(entity, '_argument_names') else given
            self._collect(entity.describe_sub_entities(), conditional, passed, found)
            for _, sub_entities in entity.describe_conditional_sub_entities():
                self._collect(sub_entities, True, passed, found)
