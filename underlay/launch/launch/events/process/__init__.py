"""Events of processes."""

from __future__ import annotations

import signal as signal_module
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.event import Event

if TYPE_CHECKING:
    from launch.actions import ExecuteLocal

__all__ = [
    'ProcessExited',
    'ProcessIO',
    'ProcessStarted',
    'ProcessStderr',
    'ProcessStdin',
    'ProcessStdout',
    'ProcessTargetedEvent',
    'RunningProcessEvent',
    'ShutdownProcess',
    'SignalProcess',
    'matches_executable',
    'matches_name',
    'matches_pid',
]


def matches_pid(pid: int) -> Callable[[ExecuteLocal], bool]:
    """Return a matcher for the process with this pid."""
    return lambda action: action.process_details is not None and action.process_details.get('pid') == pid


def matches_name(name: str) -> Callable[[ExecuteLocal], bool]:
    """Return a matcher for the process with this name."""
    return lambda action: action.process_details is not None and action.process_details['name'] == name


def matches_executable(name: str) -> Callable[[ExecuteLocal], bool]:
    """Return a matcher for processes of this program."""
    return lambda action: action.process_details is not None and Path(action.process_details['cmd'][0]).name == name


class RunningProcessEvent(Event):
    """Something happened to a process."""

    name = 'launch.events.process.RunningProcessEvent'

    def __init__(
        self,
        *,
        action: ExecuteLocal,
        name: str,
        cmd: list[str],
        cwd: str | None,
        env: dict[str, str] | None,
        pid: int,
    ) -> None:
        self.action = action
        self.process_name = name
        self.cmd = cmd
        self.cwd = cwd
        self.env = env
        self.pid = pid

    @property
    def execute_process_action(self) -> ExecuteLocal:
        """The action that started the process."""
        return self.action


class ProcessStarted(RunningProcessEvent):
    """A process has started."""

    name = 'launch.events.process.ProcessStarted'


class ProcessExited(RunningProcessEvent):
    """A process has ended; the return code is negative when a signal ended it."""

    name = 'launch.events.process.ProcessExited'

    def __init__(self, *, returncode: int, **details: Any) -> None:
        super().__init__(**details)
        self.returncode = returncode


class ProcessIO(RunningProcessEvent):
    """A process has written something (or, with fd 0, is to be given something)."""

    name = 'launch.events.process.ProcessIO'

    def __init__(self, *, text: bytes, fd: int, **details: Any) -> None:
        super().__init__(**details)
        self.text = text
        self.from_stdin = fd == 0
        self.from_stdout = fd == 1
        self.from_stderr = fd == 2


class ProcessStdin(ProcessIO):
    """A process is to be given text on stdin."""

    name = 'launch.events.process.ProcessStdin'

    def __init__(self, *, text: bytes, **details: Any) -> None:
        super().__init__(text=text, fd=0, **details)


class ProcessStdout(ProcessIO):
    """A process has written to stdout."""

    name = 'launch.events.process.ProcessStdout'

    def __init__(self, *, text: bytes, **details: Any) -> None:
        super().__init__(text=text, fd=1, **details)


class ProcessStderr(ProcessIO):
    """A process has written to stderr."""

    name = 'launch.events.process.ProcessStderr'

    def __init__(self, *, text: bytes, **details: Any) -> None:
        super().__init__(text=text, fd=2, **details)


class ProcessTargetedEvent(Event):
    """Something is wanted of the processes that the matcher accepts."""

    name = 'launch.events.process.ProcessTargetedEvent'

    def __init__(self, *, process_matcher: Callable[[ExecuteLocal], bool]) -> None:
        self.process_matcher = process_matcher


class SignalProcess(ProcessTargetedEvent):
    """A signal is to be sent to processes."""

    name = 'launch.events.process.SignalProcess'

    def __init__(
        self,
        *,
        signal_number: str | signal_module.Signals,
        process_matcher: Callable[[ExecuteLocal], bool],
    ) -> None:
        super().__init__(process_matcher=process_matcher)
        self.signal = signal_module.Signals[signal_number] if isinstance(signal_number, str) else signal_number

    @property
    def signal_name(self) -> str:
        """The name of the signal, such as SIGINT."""
        return self.signal.name


class ShutdownProcess(ProcessTargetedEvent):
    """Processes are to be shut down: SIGINT first, harder signals when they do not end."""

    name = 'launch.events.process.ShutdownProcess'
