"""Ready-made event handlers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from launch._uncovered import refuse
from launch.action import Action
from launch.event import Event
from launch.event_handler import BaseEventHandler
from launch.events import IncludeLaunchDescription, Shutdown
from launch.events.process import ProcessExited, ProcessIO, ProcessStarted
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_entities_type import SomeEntitiesType

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

__all__ = [
    'OnIncludeLaunchDescription',
    'OnProcessExit',
    'OnProcessIO',
    'OnProcessStart',
    'OnShutdown',
]

__getattr__ = refuse(__name__, 'OnExecutionComplete', 'OnActionEventBase', 'event_named')

Response = SomeEntitiesType | Callable[[Any, Any], SomeEntitiesType | None]


class _Responder(BaseEventHandler):
    """Handles events with entities, or with a function of the event and the context that returns entities."""

    def __init__(self, response: Response, **options: Any) -> None:
        super().__init__(**options)
        self._response = response
        if not callable(response):
            entities = list(response) if isinstance(response, Iterable) else [response]
            for entity in entities:
                if not isinstance(entity, LaunchDescriptionEntity):
                    raise TypeError(f'{type(self).__name__} expected actions or a function, got {type(entity).__name__}')
            self._response = entities

    def describe(self) -> tuple[str, list[LaunchDescriptionEntity]]:
        """Return a description and the actions that are known beforehand."""
        text, _ = super().describe()
        return text, [] if callable(self._response) else list(self._response)  # type: ignore[arg-type]

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Return the entities to visit."""
        super().handle(event, context)
        return self._response(event, context) if callable(self._response) else self._response


class _OnProcessEvent(_Responder):
    """Handles events of one class, of one process, of those that a function accepts, or of all."""

    def __init__(
        self,
        kind: type[Event],
        target_action: Callable[[Action], bool] | Action | None,
        response: Response,
        **options: Any,
    ) -> None:
        if target_action is not None and not isinstance(target_action, Action) and not callable(target_action):
            raise TypeError(f'target_action of {type(self).__name__} must be an action or a function')

        def matches(event: Event) -> bool:
            if not isinstance(event, kind):
                return False
            action: Action = event.action  # type: ignore[attr-defined]
            if target_action is None or isinstance(target_action, Action):
                return target_action in (None, action)
            return bool(target_action(action))

        super().__init__(response, matcher=matches, **options)


class OnProcessStart(_OnProcessEvent):
    """Acts when a process has started."""

    def __init__(
        self,
        *,
        target_action: Callable[[Action], bool] | Action | None = None,
        on_start: Response,
        **options: Any,
    ) -> None:
        super().__init__(ProcessStarted, target_action, on_start, **options)


class OnProcessExit(_OnProcessEvent):
    """Acts when a process has ended."""

    def __init__(
        self,
        *,
        target_action: Callable[[Action], bool] | Action | None = None,
        on_exit: Response,
        **options: Any,
    ) -> None:
        super().__init__(ProcessExited, target_action, on_exit, **options)


class OnProcessIO(_OnProcessEvent):
    """Acts when a process has written something."""

    def __init__(
        self,
        *,
        target_action: Callable[[Action], bool] | Action | None = None,
        on_stdin: Callable[[ProcessIO], SomeEntitiesType | None] | None = None,
        on_stdout: Callable[[ProcessIO], SomeEntitiesType | None] | None = None,
        on_stderr: Callable[[ProcessIO], SomeEntitiesType | None] | None = None,
        **options: Any,
    ) -> None:
        def respond(event: ProcessIO, _: LaunchContext) -> SomeEntitiesType | None:
            function = on_stdout if event.from_stdout else on_stderr if event.from_stderr else on_stdin
            return None if function is None else function(event)

        super().__init__(ProcessIO, target_action, respond, **options)


class OnShutdown(_Responder):
    """Acts when the launched system is shut down."""

    def __init__(self, *, on_shutdown: Response, **options: Any) -> None:
        super().__init__(on_shutdown, matcher=lambda event: isinstance(event, Shutdown), **options)


class OnIncludeLaunchDescription(_Responder):
    """Visits launch descriptions that are handed to the launch service."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            lambda event, _: event.launch_description,
            matcher=lambda event: isinstance(event, IncludeLaunchDescription),
            **options,
        )
