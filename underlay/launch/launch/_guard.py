"""Ends the processes that the launched ones left running when the launcher itself was killed.

The kernel kills the launcher's own children when it dies, but not their children. A shell of about a megabyte therefore reads
the process groups alive from a pipe; when the pipe's other end is gone with the launcher, it kills the remaining groups.
"""

from __future__ import annotations

import contextlib
import subprocess

_SCRIPT = """
trap '' INT TERM QUIT HUP
groups=' '
while read -r change group; do
  case $change in
    +) groups=$groups$group' ' ;;
    -) groups=${groups%% $group *}' '${groups#* $group } ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class Guard:
    """The guarding shell, started with the first process group."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """Add a process group to those that die with the launcher."""
        if self._process is None:
            self._process = subprocess.Popen(
                ['/bin/sh', '-c', _SCRIPT, 'launch-guard'],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._tell(f'+ {group}\n')

    def remove(self, group: int) -> None:
        """Remove a process group, because it has ended; its number may be given to another one."""
        self._tell(f'- {group}\n')

    def close(self) -> None:
        """Close the pipe, which lets the shell end, and wait for it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _tell(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # the shell was killed: go on without it
                self._process.stdin.write(line.encode())
