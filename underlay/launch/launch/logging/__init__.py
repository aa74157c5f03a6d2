"""Where the words of a launch go: the screen and the files of this launch's log folder.

The log folder lies in ``$ROS_LOG_DIR``, or else in ``$ROS_HOME/log``, or else in ``~/.ros/log``, and is made when the first
line is written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path

__all__ = ['get_logger', 'get_output_loggers', 'launch_config', 'log_launch_config', 'reset']

OutputConfig = str | Mapping[str, str | Iterable[str]]

_ALIASES: dict[str, dict[str, set[str]]] = {
    'screen': {'both': {'screen'}},
    'log': {'both': {'log'}, 'stderr': {'screen'}},
    'both': {'both': {'log', 'screen'}},
    'own_log': {'both': {'own_log'}, 'stdout': {'own_log'}, 'stderr': {'own_log'}},
    'full': {'both': {'screen', 'log', 'own_log'}, 'stdout': {'own_log'}, 'stderr': {'own_log'}},
}


class _Screen(logging.Handler):
    """Writes to whatever stdout is at the moment; a terminal that has gone away is no reason to stop."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):
            text = self.format(record)
            encoding = getattr(sys.stdout, 'encoding', None) or 'utf-8'
            sys.stdout.write(text.encode(encoding, 'replace').decode(encoding) + '\n')
            sys.stdout.flush()


class _LogFile(logging.Handler):
    """Writes to a file of the log folder, which is opened with the first line; a full disk does not stop the launch."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._failed = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            file = launch_config.open_log(self._name)
            file.write(self.format(record) + '\n')
            file.flush()
        except OSError as problem:
            if not self._failed:
                self._failed = True
                sys.stderr.write(f'cannot write the launch log {self._name}: {problem}\n')


class LaunchConfig:
    """Configuration of the launch's logging."""

    def __init__(self) -> None:
        self._log_dir: str | None = None
        self._files: dict[str, TextIOWrapper] = {}
        self._handlers: dict[str, logging.Handler] = {}
        self.level = logging.INFO

    @property
    def log_dir(self) -> str:
        """The folder of this launch's log files; it is made when first asked for."""
        if self._log_dir is None:
            self._log_dir = _make_log_dir()
        return self._log_dir

    @log_dir.setter
    def log_dir(self, folder: str | None) -> None:
        if folder is not None and not Path(folder).is_dir():
            raise ValueError(f'{folder} is not a folder')
        self._log_dir = folder

    def open_log(self, name: str) -> TextIOWrapper:
        """Return the open log file of this name."""
        if name not in self._files:
            self._files[name] = Path(self.log_dir, name).open('a', encoding='utf-8', errors='replace')  # noqa: SIM115
        return self._files[name]

    def handler(self, kind: str, pattern: str, name: str = '') -> logging.Handler:
        """Return the handler for 'screen' or 'file' that writes lines of this pattern, the same one each time."""
        key = f'{kind} {pattern} {name}'
        if key not in self._handlers:
            handler: logging.Handler = _Screen() if kind == 'screen' else _LogFile(name)
            handler.setFormatter(logging.Formatter(pattern, style='{'))
            self._handlers[key] = handler
        return self._handlers[key]

    def close(self) -> None:
        """Close the log files and forget the folder."""
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()
        self._files.clear()
        self._log_dir = None


launch_config = LaunchConfig()


def _make_log_dir() -> str:
    home = os.environ.get('ROS_HOME') or str(Path('~', '.ros').expanduser())
    base = Path(os.environ.get('ROS_LOG_DIR') or Path(home, 'log')).expanduser()
    folder = base / f'{datetime.now():%Y-%m-%d-%H-%M-%S-%f}-{socket.gethostname()}-{os.getpid()}'
    folder.mkdir(parents=True, exist_ok=True)
    latest = base / 'latest'
    with contextlib.suppress(OSError):
        if latest.is_symlink():
            latest.unlink()
        latest.symlink_to(folder, target_is_directory=True)
    return str(folder)


def _set_handlers(logger: logging.Logger, handlers: Iterable[logging.Handler]) -> logging.Logger:
    logger.propagate = False
    for handler in handlers:
        if handler not in logger.handlers:
            logger.addHandler(handler)
    return logger


def get_logger(name: str | None = None) -> logging.Logger:
    """Return a logger that writes to the screen and to the launch log file."""
    logger = logging.getLogger(name or 'launch')
    logger.setLevel(launch_config.level)
    return _set_handlers(
        logger,
        [
            launch_config.handler('screen', '[{levelname}] [{name}]: {message}'),
            launch_config.handler('file', '{created:.7f} [{levelname}] [{name}]: {message}', 'launch.log'),
        ],
    )


def log_launch_config(*, logger: logging.Logger) -> None:
    """Say where the log files are and what is logged."""
    try:
        logger.info('All log files can be found below %s', launch_config.log_dir)
    except OSError as problem:
        logger.warning('There will be no log files: %s. Set ROS_LOG_DIR to a folder that can be written to.', problem)
    logger.info('Default logging verbosity is set to %s', logging.getLevelName(launch_config.level))


def _destinations(output_config: OutputConfig) -> dict[str, set[str]]:
    if isinstance(output_config, str):
        if output_config not in _ALIASES:
            raise ValueError(f'{output_config} is not a valid output config: expected one of {", ".join(_ALIASES)}')
        return _ALIASES[output_config]
    found: dict[str, set[str]] = {}
    for source, destinations in output_config.items():
        if source not in ('stdout', 'stderr', 'both'):
            raise ValueError(f'{source} is not a valid output source: expected "stdout", "stderr" or "both"')
        found[source] = {destinations} if isinstance(destinations, str) else set(destinations)
        if wrong := found[source] - {'screen', 'log', 'own_log'}:
            raise ValueError(f'{wrong.pop()} is not a valid output destination: expected "screen", "log" or "own_log"')
    return found


def get_output_loggers(process_name: str, output_config: OutputConfig) -> tuple[logging.Logger, logging.Logger]:
    """Return the loggers of a process's stdout and stderr.

    Args:
        process_name: the name of the process.
        output_config: 'screen', 'log' (stderr also to the screen), 'both', 'own_log', 'full', or a dictionary from
            'stdout', 'stderr' and 'both' to one or several of 'screen', 'log' and 'own_log'.

    Raises:
        ValueError: the configuration has another word.
    """
    wanted = _destinations(output_config)
    both = wanted.get('both', set())
    loggers = []
    for source in ('stdout', 'stderr'):
        mine = wanted.get(source, set())
        handlers = []
        if 'screen' in both | mine:
            handlers.append(launch_config.handler('screen', '{message}'))
        if 'log' in both | mine:
            handlers.append(launch_config.handler('file', '{created:.7f} {message}', 'launch.log'))
        if 'own_log' in mine:
            handlers.append(launch_config.handler('file', '{message}', f'{process_name}-{source}.log'))
        if 'own_log' in both:
            handlers.append(launch_config.handler('file', '{message}', f'{process_name}.log'))
        logger = logging.getLogger(f'{process_name}-{source}')
        logger.handlers.clear()
        logger.setLevel(logging.INFO)
        loggers.append(_set_handlers(logger, handlers or [logging.NullHandler()]))
    return loggers[0], loggers[1]


def reset() -> None:
    """Close the log files; the next line opens a new log folder."""
    launch_config.close()
