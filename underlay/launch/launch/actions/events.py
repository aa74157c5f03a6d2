"""Actions on events and their handlers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from launch import events
from launch import logging as launch_logging
from launch.action import Action
from launch.event import Event
from launch.event_handler import BaseEventHandler
from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class EmitEvent(Action):
    """Emits an event, which is handled after the entities at hand."""

    def __init__(self, *, event: Event, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(event, Event):
            raise RuntimeError(f"EmitEvent() expected an event, got '{event}'")
        self._event = event

    @property
    def event(self) -> Event:
        """The event to emit."""
        return self._event

    def execute(self, context: LaunchContext) -> None:
        """Queue the event."""
        context.emit_event_sync(self._event)


class Shutdown(EmitEvent):
    """Shuts the launched system down: each process gets SIGINT, later SIGTERM and SIGKILL."""

    def __init__(self, *, reason: str = 'reason not given', **kwargs: Any) -> None:
        super().__init__(event=events.Shutdown(reason=reason), **kwargs)

    def execute(self, context: LaunchContext) -> None:
        """Emit the event; a log line names the process whose exit has caused it."""
        cause = context.get_locals_as_dict().get('event')
        if isinstance(cause, events.process.ProcessExited) and not context.is_shutdown:
            launch_logging.get_logger('launch').info(
                'process[%s] was required: shutting down launched system', cause.process_name
            )
        super().execute(context)


class RegisterEventHandler(Action):
    """Registers an event handler, in front of those that are registered."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._event_handler = event_handler

    @property
    def event_handler(self) -> BaseEventHandler:
        """The handler to register."""
        return self._event_handler

    def execute(self, context: LaunchContext) -> None:
        """Register the handler with the context."""
        context.register_event_handler(self._event_handler)

    def describe_conditional_sub_entities(self) -> Sequence[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return what the handler will do."""
        text, entities = self._event_handler.describe()
        return [(text, entities)] if entities else []


class UnregisterEventHandler(Action):
    """Removes an event handler that was registered before."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._event_handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        """Remove the handler from the context."""
        context.unregister_event_handler(self._event_handler)
