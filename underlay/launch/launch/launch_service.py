"""The service that runs launch descriptions.

One loop: handle queued events, whose handlers return entities; visit these; wait until a process, a timer or a future wakes
the loop. The system is idle when no future is pending.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
import traceback
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

from . import logging as launch_logging
from .event import Event
from .event_handlers import OnIncludeLaunchDescription, OnShutdown
from .events import IncludeLaunchDescription, Shutdown
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .utilities import visit_all_entities_and_collect_futures

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)


class LaunchService:
    """Visits launch descriptions and handles events until all processes have ended.

    SIGINT shuts the launched system down in order; so do SIGTERM, SIGQUIT and SIGHUP.

    Args:
        argv: the launch's own command line, for entities that want to see it.
        noninteractive: there is no terminal.
        debug: log more.
    """

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False, debug: bool = False) -> None:
        launch_logging.launch_config.level = logging.DEBUG if debug else logging.INFO
        self._debug = debug
        self._logger = launch_logging.get_logger('launch')
        self._context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._context.register_event_handler(OnIncludeLaunchDescription())
        self._context.register_event_handler(OnShutdown(on_shutdown=lambda *_: self._note_shutdown()))
        self._pending: set[asyncio.Future[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._shutting_down = False
        self._interrupted = False
        self._return_code = 0

    @property
    def context(self) -> LaunchContext:
        """The context that all entities share."""
        return self._context

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop while running, else None."""
        return self._loop

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The task that runs the service."""
        return self._task

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        """Visit a launch description, now or when the service runs; from any thread."""
        self.emit_event(IncludeLaunchDescription(launch_description))

    def emit_event(self, event: Event) -> None:
        """Emit an event; from any thread."""
        if self._loop is None:
            self._context.emit_event_sync(event)
        else:
            self._loop.call_soon_threadsafe(self._context.emit_event_sync, event)

    def shutdown(self, force_sync: bool = False) -> Coroutine[Any, Any, None] | None:
        """Shut the launched system down; the service ends when all processes have. May be called from any thread.

        Args:
            force_sync: return nothing to wait for even when called from the service's own event loop.
        """
        if self._loop is None:
            return None
        if threading.current_thread() is not threading.main_thread():
            self._loop.call_soon_threadsafe(self._shutdown, 'LaunchService.shutdown() called')
            return None
        self._shutdown('LaunchService.shutdown() called')
        return None if force_sync else asyncio.sleep(0)

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Run until everything has ended, in the main thread.

        Args:
            shutdown_when_idle: end when nothing is left to do.

        Returns:
            0, or 1 if an action failed.
        """
        loop = asyncio.new_event_loop()
        try:
            asyncio.set_event_loop(loop)
            return loop.run_until_complete(self.run_async(shutdown_when_idle=shutdown_when_idle))
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    async def run_async(self, *, shutdown_when_idle: bool = True) -> int:
        """Run until everything has ended; see ``run()``.

        Raises:
            RuntimeError: not called in the main thread, or the service is running already.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError('LaunchService can only be run in the main thread.')
        if self._loop is not None:
            raise RuntimeError('LaunchService cannot be run multiple times concurrently.')
        wake = asyncio.Event()
        with self._running(asyncio.get_running_loop(), wake):
            launch_logging.log_launch_config(logger=self._logger)
            while True:
                self._handle_queued_events()
                if not self._pending and not self._has_completion_futures():
                    if self._shutting_down:
                        return self._return_code
                    if shutdown_when_idle:
                        self._shutdown('idle')
                        continue
                try:
                    await wake.wait()
                except asyncio.CancelledError:
                    self._fail('run task was canceled')
                wake.clear()

    @contextlib.contextmanager
    def _running(self, loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> Iterator[None]:
        def on_exception(loop: asyncio.AbstractEventLoop, details: dict[str, Any]) -> None:
            self._return_code = 1
            loop.default_exception_handler(details)

        self._loop = loop
        self._task = asyncio.current_task()
        self._context._set_asyncio_loop(loop)
        self._context._wake = wake.set
        loop.set_debug(self._debug)
        loop.set_exception_handler(on_exception)
        loop.add_signal_handler(signal.SIGINT, self._on_sigint)
        # As signals of the loop: a Python handler between bytecodes could interrupt an action halfway.
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._on_stop_signal, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, *_STOP_SIGNALS):
                loop.remove_signal_handler(number)
            loop.set_exception_handler(None)
            self._context._guard.close()
            self._context._wake = lambda: None
            self._context._set_asyncio_loop(None)
            self._loop = None
            self._shutting_down = False

    def _handle_queued_events(self) -> None:
        queue = self._context._event_queue
        while queue:
            event = queue.popleft()
            try:
                self._handle(event)
            except Exception as problem:  # whatever an action may raise ends the launch in order
                self._logger.debug(traceback.format_exc())
                self._fail(f'Caught exception in launch (see debug for traceback): {problem}')

    def _handle(self, event: Event) -> None:
        """Handle one event by all matching handlers; each sees its own copy of the locals."""
        self._logger.debug("processing event: '%s'", event.name)
        for handler in tuple(self._context._event_handlers):
            if not handler.matches(event):
                continue
            self._context._push_locals()
            try:
                answer = handler.handle(event, self._context)
                entities = answer if isinstance(answer, Iterable) else [answer]
                for entity in entities:
                    if entity is not None:
                        self._watch(visit_all_entities_and_collect_futures(entity, self._context))
            finally:
                self._context._pop_locals()

    def _watch(self, pairs: list[tuple[Any, asyncio.Future[None]]]) -> None:
        """Add the futures of visited entities to those that the service waits for."""
        for _, future in pairs:
            if future not in self._pending:
                self._pending.add(future)
                future.add_done_callback(self._future_done)

    def _future_done(self, future: asyncio.Future[None]) -> None:
        self._pending.discard(future)
        if not future.cancelled() and future.exception() is not None:
            self._fail(f'Caught exception in launch: {future.exception()}')
        self._context._wake()

    def _has_completion_futures(self) -> bool:
        waiting = [future for future in self._context._completion_futures if not future.done()]
        self._context._completion_futures = waiting
        return bool(waiting)

    def _fail(self, message: str) -> None:
        """Log an error, and shut the system down with exit code 1."""
        self._logger.error(message)
        self._return_code = 1
        self._shutdown(message)

    def _note_shutdown(self) -> None:
        self._shutting_down = True
        self._context._set_is_shutdown(True)

    def _shutdown(self, reason: str, due_to_sigint: bool = False) -> None:
        if not self._shutting_down:
            self._context.emit_event_sync(Shutdown(reason=reason, due_to_sigint=due_to_sigint))
        self._note_shutdown()

    def _on_sigint(self) -> None:
        again = ' again, ignoring...' if self._interrupted else ''
        self._interrupted = True
        self._logger.warning('user interrupted with ctrl-c (SIGINT)%s', again)
        self._shutdown('ctrl-c (SIGINT)', due_to_sigint=True)

    def _on_stop_signal(self, number: signal.Signals) -> None:
        self._logger.warning('received %s: shutting down', number.name)
        self._shutdown(number.name)
