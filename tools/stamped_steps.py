"""Steps of set-up. A step is skipped while the digest of its inputs equals the one of its last run.

Standard library only. The output of every step goes to build/setup/<step>.log.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / 'build' / 'setup'
LINE_START = '\r\033[K'


class SetupError(Exception):
    """A step failed; the message says what to do."""


def check_path(root: Path) -> None:
    """Check before anything is made that the tools can work with the workspace's path.

    Raises:
        SetupError: The path has a blank or characters outside ASCII: a build fails late there, or colcon's setup scripts do.
    """
    if not str(root).isascii() or ' ' in str(root):
        raise SetupError(
            f'The path of the workspace has characters that its build tools cannot use: {root}\n'
            '  Move it to a path of plain letters, digits and "-", for example /opt/workcell.'
        )


@dataclass(frozen=True)
class Step:
    """One step: name, title for the terminal, inputs that its digest covers, and the function that runs it.

    `inputs` is a function because earlier steps may change what it lists. `run` gets the path of the step's log.
    """

    name: str
    title: str
    inputs: Callable[[], Iterable[Path | str]]
    run: Callable[[Path], None]
    background: bool = False
    """Runs in a thread while the following steps run; the last step waits for it."""
    optional: bool = False
    """A failure is printed and does not end the set-up."""
    makes: Path | None = None
    """A file that is there when the step was done; without it the stamp does not count."""


def pip_environment() -> dict[str, str]:
    """Return the environment of pip. Its cache is in the workspace if the home folder cannot be written."""
    cache = Path(os.environ.get('PIP_CACHE_DIR') or Path('~', '.cache', 'pip').expanduser())
    try:
        cache.mkdir(parents=True, exist_ok=True)
        usable = os.access(cache, os.W_OK)
    except OSError:
        usable = False
    return dict(os.environ) if usable else {**os.environ, 'PIP_CACHE_DIR': str(LOGS.parent / 'pip-cache')}


def run_logged(command: Sequence[str], log: Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command with its output in the log.

    Args:
        command: Program and arguments.
        log: The output is appended.
        cwd: Working directory.
        env: None = that of this process.

    Raises:
        SetupError: It failed; the text has the log's end.
    """
    with log.open('a', encoding='utf-8') as out:
        out.write(f'\n$ {" ".join(command)}\n')
        out.flush()
        done = subprocess.run(
            command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        )
    if done.returncode:
        tail = '\n'.join(log.read_text(encoding='utf-8', errors='replace').splitlines()[-25:])
        raise SetupError(f'{tail}\n\n  failed: {" ".join(command)}\n  whole output: {log.relative_to(ROOT)}')


def digest(inputs: Iterable[Path | str]) -> str:
    """Return a fingerprint of files (name and content) and texts.

    Args:
        inputs: Paths below the workspace are read; texts count as they are.
    """
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, Path):
            total.update(str(item.relative_to(ROOT)).encode() + b'\0' + item.read_bytes() + b'\0')
        else:
            total.update(item.encode() + b'\0')
    return total.hexdigest()


class Progress:
    """Line that counts seconds while a step runs; plain lines without a terminal, or while other steps run."""

    def __init__(self, title: str, live: bool) -> None:
        self._title = title
        self._live = live and sys.stdout.isatty()
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        print(f'-- {self._title} ...', end='' if self._live else '\n', flush=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        end = 'FAILED after' if kind else 'done in'
        print(f'{LINE_START if self._live else ""}-- {self._title}: {end} {self.seconds:.0f} s', flush=True)

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._started

    def _tick(self) -> None:
        """Print the elapsed seconds: each second on one line of a terminal, every 30 s as a line of its own elsewhere."""
        while not self._ended.wait(1 if self._live else 30):
            if self._live:
                print(f'{LINE_START}-- {self._title} ... {self.seconds:.0f} s', end='', flush=True)
            else:
                print(f'   {self._title}: {self.seconds:.0f} s so far', flush=True)


def perform(step: Step, live: bool) -> bool:
    """Run a step unless its stamp is current; return whether it ran.

    The stamp is removed before the step begins, so an interrupted step runs again.

    Args:
        step: The step.
        live: Count seconds in one line of the terminal; only while no other step runs.

    Raises:
        SetupError: The step failed and is not optional.
    """
    stamp = LOGS / f'{step.name}.stamp'
    wanted = digest(step.inputs())
    if stamp.exists() and stamp.read_text() == wanted and (step.makes is None or step.makes.exists()):
        return False
    stamp.unlink(missing_ok=True)
    log = LOGS / f'{step.name}.log'
    log.unlink(missing_ok=True)
    try:
        with Progress(step.title, live):
            step.run(log)
    except SetupError as error:
        if not step.optional:
            raise
        print(f'{error}\n   {step.title} skipped; its tests fail until it succeeds', flush=True)
        return False
    stamp.write_text(wanted)
    return True


def perform_all(plan: Sequence[Step]) -> list[str]:
    """Run the steps, background steps in threads; return the names of the steps that ran.

    The last step waits for all background steps, whose results it needs.

    Args:
        plan: Steps in order.
    """
    ran = []
    with ThreadPoolExecutor() as threads:
        background: list[Future[bool]] = []
        for step in plan:
            if step is plan[-1]:
                ran += ['background' for future in background if future.result()]
            if step.background:
                background.append(threads.submit(perform, step, False))
            elif perform(step, live=not any(not future.done() for future in background)):
                ran.append(step.name)
    return ran
