"""Finds the archived frames of rejected and corrected pieces, for the history; see `ocr.frame_archive`. Read-only."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ['KeptFrame', 'find_frame_file', 'find_kept_frames', 'kept_frames_of_jobs']

_ID = re.compile(r'[A-Za-z0-9-]{1,64}')
_FILE = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.jpg')


@dataclass(frozen=True)
class KeptFrame:
    """An archived frame.

    Attributes:
        file: Name within the folder.
        request_id: Id of the reading.
        job_id: Pick job; "" = not known.
        piece: 0 = not known.
        verdict: Verdict of the cell.
        corrected_to: Part number that an operator gave; None = not corrected, "" = no readable number.
        corrected_by: Operator.
    """

    file: str
    request_id: str
    job_id: str
    piece: int
    verdict: str
    corrected_to: str | None = None
    corrected_by: str = ''


def find_kept_frames(folder: Path, request_ids: Iterable[str]) -> list[KeptFrame]:
    """Return the archived frames of readings, in their order; a reading without one is left out."""
    found = []
    for request_id in request_ids:
        if _ID.fullmatch(request_id):
            found += [frame for record in folder.glob(f'*_{request_id}.json') if (frame := _load(record)) is not None]
    return found


def kept_frames_of_jobs(folder: Path, job_ids: Sequence[str], limit: int) -> list[KeptFrame]:
    """Return the archived frames of some jobs, oldest first.

    Args:
        folder: The archive.
        job_ids: Ids of the jobs.
        limit: Maximum number, the newest.
    """
    wanted, found = set(job_ids), []
    for record in sorted(folder.glob('*.json'), reverse=True):
        frame = _load(record)
        if frame is not None and frame.job_id in wanted:
            found.append(frame)
            if len(found) == limit:
                break
    return found[::-1]


def find_frame_file(folder: Path, name: str) -> Path | None:
    """Return the path of an archived frame; None for a name that is none, or whose frame was deleted."""
    path = folder / name
    return path if _FILE.fullmatch(name) and path.is_file() else None


def _load(record: Path) -> KeptFrame | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        data = json.loads(record.read_text(encoding='utf-8'))
        if find_frame_file(record.parent, str(data['file'])) is None:
            return None
        corrected = data['part_number'] if data.get('kind') == 'CORRECTION' else None
        return KeptFrame(
            str(data['file']),
            str(data['request_id']),
            str(data.get('job_id', '')),
            int(data.get('piece', 0)),
            str(data.get('verdict', '')),
            corrected,
            str(data.get('corrected_by', '')),
        )
    return None
