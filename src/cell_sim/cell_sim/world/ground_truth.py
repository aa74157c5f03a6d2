"""Log of what really happened in the simulated world, for tests: one JSON object a line. No node of the cell reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

__all__ = ['GroundTruthLog', 'read_ground_truth']


class GroundTruthLog:
    """Appends events to a file; an empty path disables the log.

    An instance is callable, so it fits wherever a device takes an `observer`. Each event is written
    as one complete line, so a test can read the file while the world runs.
    """

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        """Open the file.

        Args:
            path: File to append to, created with its folder if missing; "" = no log.
            clock: Returns the wall time, seconds since 1970.

        Raises:
            OSError: The file cannot be written.
        """
        self._clock = clock
        self._file: TextIO | None = None
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file = Path(path).open('a', encoding='utf-8', buffering=1)  # noqa: SIM115 - closed by close

    def __call__(self, event: str, **facts: object) -> None:
        """Write one event.

        Args:
            event: Name, e.g. `picked`.
            **facts: JSON values. The keys `time` and `event` are the log's own.
        """
        if self._file is not None:
            self._file.write(json.dumps({'time': round(self._clock(), 3), 'event': event, **facts}) + '\n')

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_ground_truth(path: str | Path) -> list[dict[str, object]]:
    """Return the events of a log, without a last line that is incomplete.

    Returns:
        One mapping per event with `time` (seconds since 1970), `event` and the facts, oldest first.

    Raises:
        OSError: The file cannot be read.
    """
    # Everything after the last line end: empty, or a line that is being written.
    lines = Path(path).read_text(encoding='utf-8').split('\n')[:-1]
    return [json.loads(line) for line in lines]
