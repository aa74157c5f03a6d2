"""Event handlers: what a launched system does when something happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .event import Event
from .launch_description_entity import LaunchDescriptionEntity
from .some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class BaseEventHandler:
    """Handles the events that its matcher accepts.

    Args:
        matcher: returns whether an event is to be handled.
        handle_once: forget this handler after the first event handled.
    """

    def __init__(self, *, matcher: Callable[[Event], bool], handle_once: bool = False) -> None:
        self._matcher = matcher
        self._handle_once = handle_once

    @property
    def handle_once(self) -> bool:
        """Whether the handler is forgotten after the first event handled."""
        return self._handle_once

    def matches(self, event: Event) -> bool:
        """Return whether the event is to be handled."""
        return self._matcher(event)

    def describe(self) -> tuple[str, list[LaunchDescriptionEntity]]:
        """Return a description and the actions that are known beforehand."""
        return f'{type(self).__name__}(handle_once={self._handle_once})', []

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Handle the event; return entities to visit. The event is at hand as ``context.locals.event``."""
        context.extend_locals({'event': event})
        if self._handle_once:
            context.unregister_event_handler(self)
        return None


class EventHandler(BaseEventHandler):
    """Handles events with the entities given."""

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        entities: SomeEntitiesType | None = None,
        handle_once: bool = False,
    ) -> None:
        super().__init__(matcher=matcher, handle_once=handle_once)
        self._entities = entities

    @property
    def entities(self) -> SomeEntitiesType | None:
        """The entities to visit."""
        return self._entities

    def describe(self) -> tuple[str, list[LaunchDescriptionEntity]]:
        """Return a description and the entities to visit."""
        text, _ = super().describe()
        if self._entities is None:
            return text, []
        return text, list(self._entities) if isinstance(self._entities, Iterable) else [self._entities]

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Return the entities to visit."""
        super().handle(event, context)
        return self._entities
