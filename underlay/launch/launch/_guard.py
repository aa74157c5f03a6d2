"""Ends what the launched processes left running when the launcher itself was killed.

The kernel kills the launcher's own children when it dies, but not their children. A shell of about a megabyte therefore reads
the process groups alive from a pipe; when the pipe's other end is gone with the launcher, it kills what is left of them.
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
    """The shell, started with the first process to guard."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, group: int) -> None:
        """Guard a process group."""
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
        """Guard a process group no longer: it has ended."""
        self._tell(f'- {group}\n')

    def close(self) -> None:
        """Let the shell end."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _tell(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody has killed the shell: go on without
                self._process.stdin.write(line.encode())
