"""Finds the clip of a piece or of an alarm in `clips.jsonl`, which the recorder appends to."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from cell_common.time import NS_PER_S

__all__ = ['ClipIndex']

INDEX = 'clips.jsonl'
NEAR_NS = 5 * NS_PER_S
"""A clip's cause may be stamped by another node than the alarm was stored by."""


class ClipIndex:
    """The clips of a recording folder; lines that were appended are read at the next question. Any thread may ask."""

    def __init__(self, folder: Path | None) -> None:
        """Set the folder of the clips; None = there are none."""
        self._folder = folder
        self._lock = threading.Lock()
        self._read = 0
        self._pieces: dict[tuple[str, int], str] = {}
        self._alarms: dict[str, list[tuple[int, str]]] = {}

    def of_piece(self, job_id: str, piece: int) -> str:
        """Return the name of the clip of a piece, "" if there is none."""
        with self._lock:
            self._update()
            return self._pieces.get((job_id, piece), '')

    def of_alarm(self, name: str, raised_ns: int) -> str:
        """Return the name of the clip of an alarm, "" if there is none.

        Args:
            name: Source and key, e.g. "robot/lost".
            raised_ns: When it was raised, ROS time.
        """
        self._update()
        near = [
            (abs(at_ns - raised_ns), clip) for at_ns, clip in self._alarms.get(name, ()) if abs(at_ns - raised_ns) < NEAR_NS
        ]
        return min(near)[1] if near else ''

    def _update(self) -> None:
        path = self._folder / INDEX if self._folder else None
        try:
            if path is None or path.stat().st_size <= self._read:
                return
            with path.open('rb') as file:
                file.seek(self._read)
                added = file.read()
        except OSError:
            return  # nothing was recorded yet
        whole = added[: added.rfind(b'\n') + 1]  # the recorder may be writing the last line
        self._read += len(whole)
        for line in whole.splitlines():
            self._add(line)

    def _add(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
            clip = str(entry['clip'])
            for cause in entry['causes']:
                if cause['piece']:
                    self._pieces[str(cause['job_id']), int(cause['piece'])] = clip
                if cause['kind'] == 'alarm':
                    name = str(cause['text']).split(': ', maxsplit=1)[0]
                    self._alarms.setdefault(name, []).append((int(cause['at_ns']), clip))
        except (ValueError, TypeError, KeyError):
            return  # of another release, or damaged by a power cut
