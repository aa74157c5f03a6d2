"""Archive of frames of rejected and corrected pieces with their labels: a test set that grows with the cell.

The folder has the format that `bench/vision.py --photos` reads: images, and truth.json, a list of `{"file", "part_number"}`.
The list has only the images to which an operator has given a part number. Each image has a record, `<name>.json`. The folder
never exceeds its limit; the oldest images are deleted first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from cell_common.time import NS_PER_S

TRUTH = 'truth.json'
CORRECTION, REJECT = 'CORRECTION', 'REJECT'
_PLAIN = re.compile(r'[A-Za-z0-9-]{1,64}')


class UnknownReadingError(LookupError):
    """The frame of a reading is neither in memory nor in the archive."""


@dataclass(frozen=True)
class CapturedFrame:
    """A frame that was read.

    Attributes:
        jpeg: The frame as received.
        facts: Facts of the reading for the record (texts, engine, stamp); JSON values.
    """

    jpeg: bytes
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameLabel:
    """Label of a frame to be stored.

    Attributes:
        request_id: Id of the reading.
        kind: CORRECTION or REJECT.
        part_number: CORRECTION: the actual part, "" = the piece has no readable number. REJECT: the
            ordered part.
        verdict: Verdict of the cell, for the record.
        operator_id: Operator who corrected it.
        job_id: Pick job of the piece; "" = none, or not known.
        piece: Number of the piece in that job, from 1; 0 = not known.
    """

    request_id: str
    kind: str
    part_number: str
    verdict: str
    operator_id: str = ''
    job_id: str = ''
    piece: int = 0


class FrameArchive:
    """Writes frames and their labels to a folder. Files are written completely or not at all; not thread-safe."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Set the folder, which is created with the first frame.

        Args:
            folder: Folder of the images.
            most_bytes: Limit of the total size of its files.
        """
        self._folder = folder
        self._most_bytes = most_bytes

    def store(self, label: FrameLabel, frame: CapturedFrame | None, now_ns: int) -> str:
        """Store a frame with its label, or change the label of a stored frame.

        Args:
            label: The label.
            frame: The frame; None when only the archive may have it.
            now_ns: ROS time, nanoseconds; part of the file name.

        Returns:
            Name of the image within the folder.

        Raises:
            UnknownReadingError: There is no such frame.
            OSError: The frame cannot be written; no partial file remains.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._delete_partial()
        # A frame that is stored already only gets the new label: a correction may follow a
        # rejection an hour later.
        record = self._record(label.request_id)
        if record is None and frame is None:
            raise UnknownReadingError(label.request_id)
        if record is None:
            assert frame is not None
            name = f'{_date(now_ns)}_{_slug(label.request_id)}.jpg'
            record = {'file': name, 'request_id': label.request_id, **frame.facts}
            self._write(name, frame.jpeg)
        record = _labeled(record, label)
        name = str(record['file'])
        self._write(f'{Path(name).stem}.json', json.dumps(record, indent=1).encode())
        self._update_index(record, self._enforce_quota(name))
        return name

    def _record(self, request_id: str) -> dict[str, object] | None:
        """Return the record of a stored frame."""
        for file in self._folder.glob(f'*_{_slug(request_id)}.json'):
            with contextlib.suppress(ValueError):
                record = json.loads(file.read_text(encoding='utf-8'))
                if (self._folder / str(record['file'])).is_file():
                    return dict(record)
        return None

    def _write(self, name: str, data: bytes) -> None:
        """Write a file completely or not at all, and durably."""
        # Written under another name and renamed, so that a reader and a power cut see whole files
        # only.
        partial = self._folder / f'.{name}.part'
        try:
            with partial.open('wb') as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise

    def _delete_partial(self) -> None:
        """Delete files that a power cut left incomplete."""
        for partial in self._folder.glob('.*.part'):
            partial.unlink(missing_ok=True)

    def _enforce_quota(self, newest: str) -> set[str]:
        """Delete the oldest images until the folder is within its limit; return their names."""
        images = sorted(self._folder.glob('*.jpg'))
        sizes = {image: sum(_size(file) for file in (image, image.with_suffix('.json'))) for image in images}
        total, deleted = sum(sizes.values()), set()
        for image in images:
            if total <= self._most_bytes:
                break
            # Even one image above the limit is kept: the operator has just asked for it.
            if image.name == newest:
                continue
            for file in (image, image.with_suffix('.json')):
                file.unlink(missing_ok=True)
            total -= sizes[image]
            deleted.add(image.name)
        return deleted

    def _update_index(self, record: Mapping[str, object], deleted: set[str]) -> None:
        """Update truth.json."""
        truth: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            truth = {entry['file']: entry['part_number'] for entry in json.loads((self._folder / TRUTH).read_text())}
        truth = {file: part for file, part in truth.items() if file not in deleted}
        file = str(record['file'])
        if record['part_number']:
            truth[file] = str(record['part_number'])
        else:
            truth.pop(file, None)
        entries = [{'file': file, 'part_number': part} for file, part in sorted(truth.items())]
        self._write(TRUTH, json.dumps(entries, indent=1).encode())


def _labeled(record: Mapping[str, object], label: FrameLabel) -> dict[str, object]:
    """Return a record with a label; a REJECT never overwrites the correction of an operator."""
    changed = dict(record)
    if label.job_id:  # a correction of yesterday's piece may come from a page that does not know it
        changed |= {'job_id': label.job_id, 'piece': label.piece}
    if label.kind == CORRECTION:
        changed |= {'part_number': label.part_number, 'kind': CORRECTION, 'corrected_by': label.operator_id}
        changed.setdefault('verdict', label.verdict)
    else:
        changed |= {'ordered': label.part_number, 'verdict': label.verdict}
        changed.setdefault('kind', REJECT)
        changed.setdefault('part_number', None)
    return changed


def _slug(request_id: str) -> str:
    """Return a request id in a form that is safe in a file name."""
    return request_id if _PLAIN.fullmatch(request_id) else hashlib.sha256(request_id.encode()).hexdigest()[:32]


def _date(now_ns: int) -> str:
    seconds, rest = divmod(now_ns, NS_PER_S)
    return f'{datetime.fromtimestamp(seconds, timezone.utc):%Y%m%dT%H%M%S}.{rest // 1000:06d}'


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
