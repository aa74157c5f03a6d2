"""The action that does something later."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.event_handler import EventHandler
from launch.event_handlers import OnShutdown
from launch.events import TimerEvent
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType, SomeSubstitutionsType_types_tuple
from launch.utilities import ensure_argument_type
from launch.utilities.type_utils import normalize_typed_substitution, perform_typed_substitution

from .general import OpaqueFunction

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class TimerAction(Action):
    """Visits actions once, after a time.

    Args:
        period: the time in seconds: a float, or a text with substitutions.
        actions: what to visit then.
        cancel_on_shutdown: forget it when the launched system is shut down meanwhile.
        kwargs: what every action takes.
    """

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        cancel_on_shutdown: bool | SomeSubstitutionsType = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        ensure_argument_type(period, (*SomeSubstitutionsType_types_tuple, float), 'period', 'TimerAction')
        if isinstance(period, str):
            warnings.warn("TimerAction: a text as 'period' is deprecated, give a float", stacklevel=2)
        self._period = normalize_typed_substitution(period, float)
        self._actions = list(actions)
        self._cancel_on_shutdown = normalize_typed_substitution(cancel_on_shutdown, bool)
        self._completed: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._canceled = False

    @property
    def period(self) -> Any:
        """The time in seconds."""
        return self._period

    @property
    def actions(self) -> list[LaunchDescriptionEntity]:
        """What is visited when the time is up."""
        return self._actions

    def describe_conditional_sub_entities(self) -> Sequence[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return what is visited when the time is up."""
        return [(f'{self._period} seconds pass without being canceled', self._actions)]

    def cancel(self) -> None:
        """Forget it; no harm if the time is up or has not begun."""
        self._canceled = True
        if self._timer is not None:
            self._timer.cancel()
        self._complete()

    def _complete(self) -> None:
        if self._completed is not None and not self._completed.done():
            self._completed.set_result(None)

    def execute(self, context: LaunchContext) -> None:
        """Begin to wait."""
        if self._canceled:
            return
        loop = context._running_loop()
        self._completed = loop.create_future()
        local = context.get_locals_as_dict()

        def visit(context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
            context.extend_locals(local)
            return self._actions

        def up() -> None:
            context.emit_event_sync(TimerEvent(timer_action=self))
            self._complete()

        context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, TimerEvent) and event.timer_action is self,
                entities=OpaqueFunction(function=visit),
                handle_once=True,
            )
        )
        if perform_typed_substitution(context, self._cancel_on_shutdown, bool):
            context.register_event_handler(OnShutdown(on_shutdown=lambda *_: self.cancel(), handle_once=True))
        self._timer = loop.call_later(perform_typed_substitution(context, self._period, float), up)

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        """Return a future that is done when the time is up or the timer was canceled."""
        return self._completed
