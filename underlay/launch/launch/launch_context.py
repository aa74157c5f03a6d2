"""The state of a launched system that actions and substitutions use."""

from __future__ import annotations

import collections
import os
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from launch._guard import Guard

if TYPE_CHECKING:
    import asyncio

    from .event import Event
    from .event_handler import BaseEventHandler
    from .substitution import Substitution


class Locals:
    """Read-only view of the context's locals by attribute."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"context.locals does not contain '{name}', it contains: [{', '.join(self.__dict__)}]")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"can't set '{name}', locals are read-only")


class LaunchContext:
    """Launch configurations, environment, locals, event handlers and queued events of one launch.

    Args:
        argv: the launch's own command line, for entities that want to see it.
        noninteractive: there is no terminal.
    """

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False) -> None:
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self._event_queue: collections.deque[Event] = collections.deque()
        self._event_handlers: collections.deque[BaseEventHandler] = collections.deque()
        self._completion_futures: list[asyncio.Future[None]] = []
        self._wake: Callable[[], None] = lambda: None
        self._globals: dict[str, Any] = {}
        self._locals: dict[str, Any] = {}
        self._locals_stack: list[dict[str, Any]] = []
        self._launch_configurations: dict[str, Any] = {}
        self._launch_configurations_stack: list[dict[str, Any]] = []
        self._environment_stack: list[dict[str, str]] = []
        self._environment_at_start = dict(os.environ)
        self._guard = Guard()
        self._is_shutdown = False
        self._asyncio_loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_shutdown(self) -> bool:
        """Whether the launched system is being shut down."""
        return self._is_shutdown

    def _set_is_shutdown(self, state: bool) -> None:
        self._is_shutdown = state

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop while the launch service runs, else None."""
        return self._asyncio_loop

    def _set_asyncio_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._asyncio_loop = loop

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._asyncio_loop is None:
            raise RuntimeError('this action can only be executed by a running LaunchService')
        return self._asyncio_loop

    def add_completion_future(self, completion_future: asyncio.Future[None]) -> None:
        """Make the launch service wait for this future before it counts as idle."""
        self._completion_futures.append(completion_future)
        completion_future.add_done_callback(lambda _: self._wake())

    @property
    def locals(self) -> Locals:
        """Values set for the entities being visited, such as the event being handled."""
        return Locals(self.get_locals_as_dict())

    def get_locals_as_dict(self) -> dict[str, Any]:
        """Return the locals as a dictionary."""
        return {**self._globals, **self._locals}

    def extend_globals(self, extensions: Mapping[str, Any]) -> None:
        """Add locals that stay until the end of the launch."""
        self._globals.update(extensions)

    def extend_locals(self, extensions: Mapping[str, Any]) -> None:
        """Add locals that end with the event being handled."""
        self._locals.update(extensions)

    def _push_locals(self) -> None:
        self._locals_stack.append(dict(self._locals))

    def _pop_locals(self) -> None:
        self._locals = self._locals_stack.pop()

    @property
    def launch_configurations(self) -> dict[str, Any]:
        """The launch configurations by name; entries may be of any type."""
        return self._launch_configurations

    def _push_launch_configurations(self) -> None:
        self._launch_configurations_stack.append(dict(self._launch_configurations))

    def _pop_launch_configurations(self) -> None:
        self._launch_configurations = self._launch_configurations_stack.pop()

    @property
    def environment(self) -> MutableMapping[str, str]:
        """The environment of processes started from now on, which is the launcher's own."""
        return os.environ

    def _push_environment(self) -> None:
        self._environment_stack.append(dict(os.environ))

    def _pop_environment(self) -> None:
        self._set_environment(self._environment_stack.pop())

    def _reset_environment(self) -> None:
        self._set_environment(self._environment_at_start)

    @staticmethod
    def _set_environment(environment: Mapping[str, str]) -> None:
        os.environ.clear()
        os.environ.update(environment)

    def would_handle_event(self, event: Event) -> bool:
        """Return whether any handler matches the event, so that nobody builds an event in vain."""
        return any(handler.matches(event) for handler in self._event_handlers)

    def register_event_handler(self, event_handler: BaseEventHandler, append: bool = False) -> None:
        """Add a handler before (or, with ``append``, after) those that are registered."""
        if append:
            self._event_handlers.append(event_handler)
        else:
            self._event_handlers.appendleft(event_handler)

    def unregister_event_handler(self, event_handler: BaseEventHandler) -> None:
        """Remove a handler.

        Raises:
            ValueError: it is not registered.
        """
        self._event_handlers.remove(event_handler)

    def emit_event_sync(self, event: Event) -> None:
        """Queue an event; it is handled when the actions at hand are done."""
        self._event_queue.append(event)
        self._wake()

    async def emit_event(self, event: Event) -> None:
        """Queue an event, for callers that are coroutines."""
        self.emit_event_sync(event)

    def perform_substitution(self, substitution: Substitution) -> str:
        """Return the text of a substitution in this context."""
        return substitution.perform(self)
