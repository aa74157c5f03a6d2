"""Base of all actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .condition import Condition
    from .launch_context import LaunchContext


class Action(LaunchDescriptionEntity):
    """An intention: executed when visited, if its condition holds.

    Args:
        condition: decides at launch whether the action is executed.
        unknown: keyword arguments that no class of the action's family takes.

    Raises:
        TypeError: there is such a keyword argument.
    """

    def __init__(self, *, condition: Condition | None = None, **unknown: object) -> None:
        if unknown:
            raise TypeError(f'{type(self).__name__}: keyword arguments not known here: {", ".join(sorted(unknown))}')
        self._condition = condition

    @property
    def condition(self) -> Condition | None:
        """The condition, None for an action that is always executed."""
        return self._condition

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return what the action yields, as far as known before it is executed."""
        return []

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities that are visited after the action if it has no condition."""
        return self.get_sub_entities() if self._condition is None else []

    def describe_conditional_sub_entities(self) -> Sequence[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return the entities that are visited after the action if its condition holds."""
        if self._condition is None:
            return []
        return [(f'Conditionally included by {self.describe()}', self.get_sub_entities())]

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Execute the action if its condition holds."""
        if self._condition is None or self._condition.evaluate(context):
            return self.execute(context)
        return None

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:  # noqa: ARG002
        """Execute the action; return entities to visit next."""
        return None
