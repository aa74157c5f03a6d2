"""Base of everything that a launch description can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    """Something that can be visited while launching and may yield more of its kind."""

    def describe(self) -> str:
        """Return a description for ``ros2 launch --print-description``."""
        return repr(self)

    def describe_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities that will surely be visited after this one, as far as known before launching."""
        return []

    def describe_conditional_sub_entities(self) -> Sequence[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return pairs of a condition in words and the entities that are visited when it holds."""
        return []

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Visit this entity; return the entities to visit next."""
        raise NotImplementedError(f'{type(self).__name__}.visit()')

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        """Return a future that is done when this entity has ended, or None if it ends with its visit."""
        return None
