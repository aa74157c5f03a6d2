"""The action that runs a process: start, output, end, respawn, shutdown.

The life of one process:

    execute -> _start -> (_written)* -> _ended -> _start again, or _complete
    shutdown event: SIGINT -> sigterm_timeout -> SIGTERM -> sigkill_timeout -> SIGKILL
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from launch import logging as launch_logging
from launch._child import Child
from launch.action import Action
from launch.conditions import evaluate_condition_expression
from launch.descriptions import Executable
from launch.event import Event
from launch.event_handlers import OnProcessExit, OnShutdown, Response, _Responder
from launch.events import Shutdown
from launch.events.process import (
    ProcessExited,
    ProcessStarted,
    ProcessStderr,
    ProcessStdout,
    ProcessTargetedEvent,
    SignalProcess,
)
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitutions import LaunchConfiguration
from launch.utilities import ensure_argument_type, normalize_to_list_of_substitutions, perform_substitutions
from launch.utilities.type_utils import normalize_typed_substitution, perform_typed_substitution

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

_SIGTERM_TIMEOUT = LaunchConfiguration('sigterm_timeout', default=5)
_SIGKILL_TIMEOUT = LaunchConfiguration('sigkill_timeout', default=5)


class _Lines:
    """Splits the output of a process into lines.

    Args:
        keep: keep all output for `kept`.
    """

    def __init__(self, keep: bool) -> None:
        self._rest = b''
        self._kept: list[bytes] | None = [] if keep else None

    def add(self, data: bytes) -> list[str]:
        """Return the lines that this data completes."""
        if self._kept is not None:
            self._kept.append(data)
        *whole, self._rest = (self._rest + data).split(b'\n')
        return [self._text(line) for line in whole]

    def flush(self) -> list[str]:
        """Return a last line without an end, if there is one."""
        rest, self._rest = self._rest, b''
        return [self._text(rest)] if rest else []

    def kept(self) -> str:
        """Return all output so far; invalid UTF-8 is replaced.

        Raises:
            RuntimeError: the output was not kept.
        """
        if self._kept is None:
            raise RuntimeError("output is only kept with 'cached_output=True'")
        return b''.join(self._kept).decode(errors='replace')

    @staticmethod
    def _text(line: bytes) -> str:
        return line.removesuffix(b'\r').decode(errors='replace')


class ExecuteLocal(Action):
    """Runs a process on this machine.

    The process is the leader of a session of its own. When the launched system is shut down it gets SIGINT, SIGTERM when it
    still runs after ``sigterm_timeout`` and, with all its descendants in the session's group, SIGKILL after a further
    ``sigkill_timeout``. What is left of its group when it ends is killed.

    Args:
        process_description: the program.
        shell: let a shell run it.
        sigterm_timeout: seconds from SIGINT to SIGTERM.
        sigkill_timeout: seconds from SIGTERM to SIGKILL.
        emulate_tty: let the process write to a terminal; the launch configuration 'emulate_tty' overrides it.
        output: where its output goes, see ``launch.logging.get_output_loggers``; the environment variable
            OVERRIDE_LAUNCH_PROCESS_OUTPUT overrides it.
        output_format: how a line is written, with ``{line}`` and ``{this}``.
        cached_output: keep the output for ``get_stdout()`` and ``get_stderr()``.
        log_cmd: log the command line.
        on_exit: what to do when the process ends.
        respawn: start it again when it ends, whatever its return code.
        respawn_delay: seconds to wait before that.
        respawn_max_retries: how often; a negative number means without end.
        kwargs: what every action takes.
    """

    def __init__(
        self,
        *,
        process_description: Executable,
        shell: bool = False,
        sigterm_timeout: SomeSubstitutionsType = _SIGTERM_TIMEOUT,
        sigkill_timeout: SomeSubstitutionsType = _SIGKILL_TIMEOUT,
        emulate_tty: bool = False,
        output: SomeSubstitutionsType | Mapping[str, Any] = 'log',
        output_format: str = '[{this.process_description.final_name}] {line}',
        cached_output: bool = False,
        log_cmd: bool = False,
        on_exit: Response | None = None,
        respawn: bool | SomeSubstitutionsType = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        ensure_argument_type(respawn_delay, (int, float, type(None)), 'respawn_delay', type(self).__name__)
        ensure_argument_type(respawn_max_retries, int, 'respawn_max_retries', type(self).__name__)
        self.process_description = process_description
        self._shell = shell
        self._sigterm_timeout = normalize_to_list_of_substitutions(sigterm_timeout)
        self._sigkill_timeout = normalize_to_list_of_substitutions(sigkill_timeout)
        self._emulate_tty = emulate_tty
        output = os.environ.get('OVERRIDE_LAUNCH_PROCESS_OUTPUT', output)
        self._output = output if isinstance(output, Mapping) else normalize_to_list_of_substitutions(output)
        self._output_format = output_format
        self._cached_output = cached_output
        self._log_cmd = log_cmd
        self._on_exit = on_exit
        self._respawn = normalize_typed_substitution(respawn, bool)
        self._respawn_delay = respawn_delay or 0.0
        self._retries_left = respawn_max_retries
        self._executed = False
        self._shutting_down = False
        self._details: dict[str, Any] | None = None
        self._child: Child | None = None
        self._completed: asyncio.Future[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._lines = {1: _Lines(cached_output), 2: _Lines(cached_output)}

    @property
    def process_details(self) -> dict[str, Any] | None:
        """Name, command, folder, environment and (once it has started) pid of the process; None before execution."""
        return self._details

    @property
    def shell(self) -> bool:
        """Whether a shell runs the program."""
        return self._shell

    @property
    def output(self) -> Any:
        """Destination of the output: a name of `launch.logging.get_output_loggers`, or a mapping."""
        return self._output

    @property
    def return_code(self) -> int | None:
        """The return code, None while the process runs."""
        return None if self._child is None else self._child.returncode

    def get_stdout(self) -> str:
        """Return what the process has written to stdout; needs ``cached_output``."""
        return self._lines[1].kept()

    def get_stderr(self) -> str:
        """Return what the process has written to stderr; needs ``cached_output``."""
        return self._lines[2].kept()

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the actions for the end of the process."""
        return self._on_exit if isinstance(self._on_exit, list) else []

    def get_asyncio_future(self) -> asyncio.Future[None] | None:
        """Return a future that is done when the process has ended for good."""
        return self._completed

    def prepare(self, context: LaunchContext) -> None:
        """Evaluate the program, its environment and the option to respawn."""
        described = self.process_description
        described.prepare(context, self)
        self._details = {
            'action': self,
            'name': described.final_name,
            'cmd': described.final_cmd,
            'cwd': described.final_cwd,
            'env': described.final_env,
        }
        self._respawn = perform_typed_substitution(context, self._respawn, bool)

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Register for events, and start the process as soon as the actions at hand are visited.

        Raises:
            RuntimeError: the action was executed before.
        """
        if self._executed:
            raise RuntimeError(f"process '{self.process_description.final_name}': an action can be executed only once")
        self._executed = True
        self.prepare(context)
        if context.is_shutdown:
            return None
        loop = context._running_loop()
        name = self.process_description.final_name
        output = self._output if isinstance(self._output, Mapping) else perform_substitutions(context, self._output)
        self._loggers = launch_logging.get_output_loggers(name, output)
        self._logger = launch_logging.get_logger(name)
        self._context = context
        self._completed = loop.create_future()
        context.register_event_handler(
            _Responder(lambda event, _: self._on_targeted(event), matcher=lambda event: isinstance(event, ProcessTargetedEvent))
        )
        context.register_event_handler(OnShutdown(on_shutdown=lambda event, _: self._begin_shutdown(event)))
        if self._on_exit is not None:
            context.register_event_handler(OnProcessExit(target_action=self, on_exit=self._on_exit))
        # Not now: actions behind this one may still register handlers for its start.
        loop.call_soon(self._start)
        return None

    def _start(self) -> None:
        """Start the process; an error is logged and ends the action."""
        if self._shutting_down or self._details is None:
            self._complete()
            return
        details = self._details
        command = ' '.join(part for part in details['cmd'] if part.strip())
        if self._log_cmd:
            self._logger.info("process details: cmd='%s', cwd='%s'", command, details['cwd'])
        emulate_tty = self._emulate_tty
        if 'emulate_tty' in self._context.launch_configurations:
            emulate_tty = evaluate_condition_expression(
                self._context, normalize_to_list_of_substitutions(self._context.launch_configurations['emulate_tty'])
            )
        try:
            self._child = Child(
                self._context._running_loop(),
                details['cmd'],
                cwd=details['cwd'],
                env=details['env'],
                shell=self._shell,
                emulate_tty=emulate_tty,
                guard=self._context._guard,
                on_output=self._written,
                on_exit=self._ended,
            )
        except OSError as problem:
            self._logger.error("cannot start the process: %s, cmd '%s'", problem, command)
            self._complete()
            return
        details['pid'] = self._child.pid
        self._logger.info('process started with pid [%d]', self._child.pid)
        self._context.emit_event_sync(ProcessStarted(**details))

    def _written(self, number: int, data: bytes) -> None:
        event_class = ProcessStdout if number == 1 else ProcessStderr
        event = event_class(text=data, **(self._details or {}))
        if self._context.would_handle_event(event):
            self._context.emit_event_sync(event)
        self._log_lines(number, self._lines[number].add(data))

    def _log_lines(self, number: int, lines: list[str]) -> None:
        for line in lines:
            self._loggers[number - 1].info('%s', self._output_format.format(line=line, this=self))

    def _ended(self, returncode: int) -> None:
        """Log and report the end, then respawn the process or complete the action."""
        for number, lines in self._lines.items():
            self._log_lines(number, lines.flush())
        details = self._details or {}
        if returncode == 0:
            self._logger.info('process has finished cleanly [pid %d]', details['pid'])
        else:
            command = ' '.join(part for part in details['cmd'] if part.strip())
            self._logger.error("process has died [pid %d, exit code %d, cmd '%s'].", details['pid'], returncode, command)
        self._context.emit_event_sync(ProcessExited(returncode=returncode, **details))
        if self._respawn and self._retries_left != 0 and not self._shutting_down and not self._context.is_shutdown:
            self._retries_left -= 1
            self._timers = [self._context._running_loop().call_later(self._respawn_delay, self._start)]
        else:
            self._complete()

    def _complete(self) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._completed is not None and not self._completed.done():
            self._completed.set_result(None)

    def _on_targeted(self, event: ProcessTargetedEvent) -> None:
        """Handle a signal or the request to shut down, if the event is for this process."""
        if not event.process_matcher(self):
            return
        if isinstance(event, SignalProcess):
            self._signal(event.signal)
        else:
            self._begin_shutdown(event)

    def _signal(self, number: signal.Signals, quietly: bool = False) -> None:
        if self._child is None or self._child.returncode is not None:
            return
        if not quietly:
            self._logger.info("sending signal '%s' to process[%s]", number.name, self.process_description.final_name)
        self._child.signal(number)

    def _begin_shutdown(self, event: Event) -> None:
        """Send SIGINT and schedule the escalation; only the first call counts."""
        if self._shutting_down or self._completed is None or self._completed.done():
            return
        self._shutting_down = True
        if self._child is None or self._child.returncode is not None:  # not yet started, or waiting to be started again
            self._complete()
            return
        # Always, also after Ctrl-C: the process leads a session of its own, so the terminal's SIGINT did not reach it.
        self._signal(signal.SIGINT, quietly=isinstance(event, Shutdown) and event.due_to_sigint)
        term = float(perform_substitutions(self._context, self._sigterm_timeout))
        kill = term + float(perform_substitutions(self._context, self._sigkill_timeout))
        loop = self._context._running_loop()
        self._timers = [
            loop.call_later(term, self._escalate, term, signal.SIGINT, signal.SIGTERM),
            loop.call_later(kill, self._escalate, kill, signal.SIGTERM, signal.SIGKILL),
        ]

    def _escalate(self, seconds: float, before: signal.Signals, now: signal.Signals) -> None:
        """Send the next signal to a process that has not ended.

        Args:
            seconds: Time since SIGINT, for the log.
            before: Signal that had no effect.
            now: SIGTERM, then SIGKILL.
        """
        self._logger.error(
            "process[%s] failed to terminate '%g' seconds after receiving '%s', escalating to '%s'",
            self.process_description.final_name,
            seconds,
            before.name,
            now.name,
        )
        self._signal(now)
