"""Frames of rejects and of operators' corrections, kept with what they show: a test set that grows with the cell.

The folder has the form that `bench/vision.py --photos` reads: pictures, and truth.json, a list of `{"file", "part_number"}`
of those whose truth a person told. Beside each picture lies its record, `<name>.json`. The folder never grows beyond its
limit; the oldest go first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

REMEMBERED = 20
"""Readings whose frames are in memory."""
TRUTH = 'truth.json'
CORRECTION, REJECT = 'CORRECTION', 'REJECT'
_PLAIN = re.compile(r'[A-Za-z0-9-]{1,64}')


class UnknownReadingError(LookupError):
    """The frame of a reading is neither in memory nor in the folder."""


@dataclass(frozen=True)
class Seen:
    """A frame that was read."""

    jpeg: bytes
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the record says of the reading: texts, engine, stamp; JSON values."""


@dataclass(frozen=True)
class Told:
    """What is known of a frame that is to be kept."""

    request_id: str
    """Of the reading."""
    kind: str
    """CORRECTION or REJECT."""
    part_number: str
    """CORRECTION: what the piece is, "" = it carries no readable number. REJECT: the ordered part."""
    verdict: str
    """What the cell made of it, for the record."""
    operator_id: str = ''


class RecentFrames:
    """The frames of the latest readings, by request id."""

    def __init__(self, most: int = REMEMBERED) -> None:
        """Remember at most so many."""
        self._most = most
        self._seen: OrderedDict[str, Seen] = OrderedDict()

    def remember(self, request_id: str, seen: Seen) -> None:
        """Keep a frame; one without a request id cannot be asked for and is not kept."""
        if not request_id:
            return
        self._seen[request_id] = seen
        self._seen.move_to_end(request_id)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def get(self, request_id: str) -> Seen | None:
        """Return the frame of a reading, None when it is not remembered any more."""
        return self._seen.get(request_id)


class FrameFolder:
    """Writes frames and what they show. Every file is written whole or not at all; for one thread at a time."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Use a folder, which is made when the first frame is kept.

        Args:
            folder: Where the pictures go.
            most_bytes: Size of all its files.
        """
        self._folder = folder
        self._most_bytes = most_bytes

    def keep(self, told: Told, seen: Seen | None, now_ns: int) -> str:
        """Keep a frame with what it shows, or change what is known of one that is kept already.

        Args:
            told: What it shows.
            seen: The frame; None when only the folder may have it.
            now_ns: The clock, nanoseconds; names the file.

        Returns:
            Name of the picture within the folder.

        Raises:
            UnknownReadingError: There is no such frame.
            OSError: It cannot be written; nothing of it is left.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        record = self._record(told.request_id)
        if record is None and seen is None:
            raise UnknownReadingError(told.request_id)
        if record is None:
            assert seen is not None
            name = f'{_date(now_ns)}_{_slug(told.request_id)}.jpg'
            record = {'file': name, 'request_id': told.request_id, **seen.facts}
            self._write(name, seen.jpeg)
        record = _with(record, told)
        name = str(record['file'])
        self._write(f'{Path(name).stem}.json', json.dumps(record, indent=1).encode())
        self._note(record, self._make_room(name))
        return name

    def _record(self, request_id: str) -> dict[str, Any] | None:
        """Return the record of a frame that is kept already."""
        for file in self._folder.glob(f'*_{_slug(request_id)}.json'):
            with contextlib.suppress(ValueError):
                record = json.loads(file.read_text(encoding='utf-8'))
                if (self._folder / str(record['file'])).is_file():
                    return dict(record)
        return None

    def _write(self, name: str, data: bytes) -> None:
        rough = self._folder / f'.{name}.part'
        try:
            with rough.open('wb') as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            rough.replace(self._folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                rough.unlink(missing_ok=True)
            raise

    def _sweep(self) -> None:
        """Remove what a power cut left half written."""
        for rough in self._folder.glob('.*.part'):
            rough.unlink(missing_ok=True)

    def _make_room(self, newest: str) -> set[str]:
        """Remove the oldest pictures until all fit; return the names of those removed."""
        pictures = sorted(self._folder.glob('*.jpg'))
        sizes = {picture: sum(_size(file) for file in (picture, picture.with_suffix('.json'))) for picture in pictures}
        total, gone = sum(sizes.values()), set()
        for picture in pictures:
            if total <= self._most_bytes:
                break
            if picture.name == newest:
                continue
            for file in (picture, picture.with_suffix('.json')):
                file.unlink(missing_ok=True)
            total -= sizes[picture]
            gone.add(picture.name)
        return gone

    def _note(self, record: Mapping[str, Any], gone: set[str]) -> None:
        """Bring truth.json up to date."""
        truth: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            truth = {entry['file']: entry['part_number'] for entry in json.loads((self._folder / TRUTH).read_text())}
        truth = {file: part for file, part in truth.items() if file not in gone}
        if record['part_number']:
            truth[record['file']] = record['part_number']
        else:
            truth.pop(record['file'], None)
        entries = [{'file': file, 'part_number': part} for file, part in sorted(truth.items())]
        self._write(TRUTH, json.dumps(entries, indent=1).encode())


def _with(record: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Return a record with what was told; what a person said is never overwritten by a machine."""
    changed = dict(record)
    if told.kind == CORRECTION:
        changed |= {'part_number': told.part_number, 'kind': CORRECTION, 'corrected_by': told.operator_id}
        changed.setdefault('verdict', told.verdict)
    else:
        changed |= {'ordered': told.part_number, 'verdict': told.verdict}
        changed.setdefault('kind', REJECT)
        changed.setdefault('part_number', None)
    return changed


def _slug(request_id: str) -> str:
    """Return a request id as part of a file name, whatever its sender wrote into it."""
    return request_id if _PLAIN.fullmatch(request_id) else hashlib.sha256(request_id.encode()).hexdigest()[:32]


def _date(now_ns: int) -> str:
    seconds, rest = divmod(now_ns, 1_000_000_000)
    return f'{datetime.fromtimestamp(seconds, timezone.utc):%Y%m%dT%H%M%S}.{rest // 1000:06d}'


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
