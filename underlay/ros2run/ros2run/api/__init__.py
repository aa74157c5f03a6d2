"""Finding and running a package's executable."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from ros2pkg.api import get_executable_paths

__all__ = ['MultipleExecutables', 'get_executable_path', 'run_executable']


class MultipleExecutables(Exception):
    """A package has several executables of the same name."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = list(paths)
        super().__init__('Multiple executables found:' + ''.join(f'\n- {path}' for path in self.paths))


def get_executable_path(*, package_name: str, executable_name: str) -> str | None:
    """Return the path of a package's executable, None if it has no such executable.

    Raises:
        PackageNotFound: there is no such package.
        MultipleExecutables: there are several.
    """
    paths = [path for path in get_executable_paths(package_name=package_name) if Path(path).name == executable_name]
    if len(paths) > 1:
        raise MultipleExecutables(paths)
    return paths[0] if paths else None


def run_executable(*, path: str, argv: Sequence[str], prefix: Sequence[str] | None = None) -> NoReturn:
    """Become the executable: signals and the exit code then need nobody in between.

    Args:
        path: its path.
        argv: its arguments.
        prefix: what stands before it, such as a debugger.

    Raises:
        OSError: it cannot be run.
    """
    command = [*(prefix or ()), path, *argv]
    os.execvp(command[0], command)
