"""A child process of the launcher.

Every child leads a session and process group of its own: a terminal's Ctrl-C reaches only the launcher, which passes it on
once. The kernel kills a child whose launcher has died, whatever its cause of death. That order is tied to the thread that
forks (prctl(2), PR_SET_PDEATHSIG), so children may be started from the main thread only.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from launch._guard import Guard

_PR_SET_PDEATHSIG = 1
_CHUNK = 65536


def _die_with_launcher() -> Callable[[], None] | None:
    """Return the function that a child runs between fork and exec, None where there is no prctl.

    It must not take locks: other threads of the launcher do not exist in the child, and a lock that they held stays locked.
    """
    if not sys.platform.startswith('linux'):
        return None
    prctl = ctypes.CDLL(None).prctl
    launcher = os.getpid()

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The launcher died between fork and prctl; the order came too late.
        if os.getppid() != launcher:
            os._exit(1)

    return in_child


class Child:
    """A started process, watched by the event loop without threads and without polling.

    Its end is a readable pidfd (pidfd_open(2)), its output two pipes or terminals.

    Args:
        loop: the running event loop.
        cmd: program and arguments.
        cwd: its working folder, None for the launcher's.
        env: its environment.
        shell: let a shell run the command line.
        emulate_tty: give it terminals instead of pipes for its output.
        on_output: called with 1 (stdout) or 2 (stderr) and the bytes written.
        guard: ends what the process leaves behind if the launcher is killed.
        on_exit: called once with the return code, after the last output.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        cmd: Sequence[str],
        *,
        cwd: str | None,
        env: Mapping[str, str],
        shell: bool,
        emulate_tty: bool,
        guard: Guard,
        on_output: Callable[[int, bytes], None],
        on_exit: Callable[[int], None],
    ) -> None:
        """Start the process in a session of its own, with pipes or pseudo terminals for its outputs.

        Args:
            loop: Calls back when there is output, and at the end.
            cmd: Program and arguments.
            cwd: Working directory; None = that of the launch.
            env: The whole environment.
            shell: Run `cmd` as one line of a shell; signals then go to the whole process group.
            emulate_tty: Use pseudo terminals, so that programs write each line when it is complete.
            guard: Kills the process if the launch is killed.
            on_output: Gets 1 (stdout) or 2 (stderr) and the bytes.
            on_exit: Gets the exit code; negative = number of a signal.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError('processes can be started from the main thread only')
        self._loop = loop
        self._on_output = on_output
        self._on_exit = on_exit
        self._guard = guard
        self._to_group = shell
        pairs = [os.openpty() if emulate_tty else os.pipe() for _ in range(2)]
        try:
            self._process = subprocess.Popen(
                ' '.join(cmd) if shell else list(cmd),
                shell=shell,
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE,
                stdout=pairs[0][1],
                stderr=pairs[1][1],
                start_new_session=True,
                preexec_fn=_die_with_launcher(),  # noqa: PLW1509  (there is one thread)
            )
        except BaseException:
            for ours, _ in pairs:
                os.close(ours)
            raise
        finally:
            for _, theirs in pairs:
                os.close(theirs)
        self.pid = self._process.pid
        guard.add(self.pid)
        self._outputs = {1: pairs[0][0], 2: pairs[1][0]}
        for number, fd in self._outputs.items():
            os.set_blocking(fd, False)
            loop.add_reader(fd, self._read, number)
        self._exit_fd = os.pidfd_open(self.pid)
        loop.add_reader(self._exit_fd, self._exited)

    @property
    def returncode(self) -> int | None:
        """The return code, None while the process runs."""
        return self._process.returncode

    def signal(self, number: int) -> None:
        """Send a signal to the process; to its whole group where a shell stands between, or when it is SIGKILL."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if self._to_group or number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def _read(self, number: int) -> bool:
        """Pass the available output on; return whether there may be more."""
        try:
            data = os.read(self._outputs[number], _CHUNK)
        except BlockingIOError:
            return False
        except OSError:  # a terminal whose other side is closed
            data = b''
        if not data:
            self._close_output(number)
            return False
        self._on_output(number, data)
        return True

    def _close_output(self, number: int) -> None:
        fd = self._outputs.pop(number)
        self._loop.remove_reader(fd)
        os.close(fd)

    def _exited(self) -> None:
        """Kill the rest of the group, drain the outputs, reap the process, and report its end."""
        self._loop.remove_reader(self._exit_fd)
        os.close(self._exit_fd)
        # Not yet reaped, so the group's number cannot have been given to others: what the process left behind ends with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for number in tuple(self._outputs):
            while number in self._outputs and self._read(number):
                pass
            if number in self._outputs:
                self._close_output(number)
        self._guard.remove(self.pid)
        returncode = self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._on_exit(returncode)
