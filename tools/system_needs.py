"""Needs of the operating system that no Python package can bring, and their installation where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from stamped_steps import LOGS, SetupError, run_logged


def _has_library(name: str) -> bool:
    """Return whether the linker of the system knows a library; True where `ldconfig` cannot be asked."""
    found = subprocess.run(
        ['ldconfig', '-p'],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, 'PATH': os.environ.get('PATH', '') + ':/sbin:/usr/sbin'},
    )
    return found.returncode != 0 or name in found.stdout


def _has_module(name: str) -> bool:
    return subprocess.run([sys.executable, '-c', f'import {name}'], capture_output=True, check=False).returncode == 0


def _has_python_headers() -> bool:
    import sysconfig

    return (Path(sysconfig.get_path('include')) / 'Python.h').exists()


# Needs of the operating system: a check, and Debian's package that provides it.
SYSTEM_NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    'C++ compiler': (lambda: shutil.which('c++') is not None, 'g++'),
    'libGL (OpenCV)': (lambda: _has_library('libGL.so.1'), 'libgl1'),
    'libglib (OpenCV)': (lambda: _has_library('libglib-2.0.so.0'), 'libglib2.0-0'),
    'venv': (lambda: _has_module('ensurepip'), 'python3-venv'),
    'Python headers': (_has_python_headers, 'python3-dev'),
}
TEST_NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    'Chromium (browser test)': (lambda: shutil.which('chromium') is not None, 'chromium'),
}


def ensure_system(needs: dict[str, tuple[Callable[[], bool], str]]) -> None:
    """Install missing packages of the operating system; without root raise an error with the command.

    Args:
        needs: What is needed -> a check, and Debian's package that provides it.

    Raises:
        SetupError: Packages are missing and this process may not install them.
    """
    missing = [package for _, (present, package) in needs.items() if not present()]
    if not missing:
        return
    line = f'apt-get install -y --no-install-recommends {" ".join(missing)}'
    if os.geteuid() != 0 or shutil.which('apt-get') is None:
        raise SetupError(
            f'The operating system lacks: {", ".join(missing)}.\n  Install them and run this again:\n\n    sudo {line}\n'
        )
    print(f'   installing from the operating system: {" ".join(missing)}', flush=True)
    log = LOGS / 'system.log'
    env = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
    run_logged(['apt-get', 'update'], log, env=env)
    run_logged(line.split(), log, env=env)
