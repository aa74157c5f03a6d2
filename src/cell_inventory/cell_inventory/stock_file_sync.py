"""Keeps a stock file in step with the ledger, in one direction or in both.

Changes by other programs are noticed with the watchdog library, and by a slow check for drives that report no changes. A
change is read after the file has rested for a moment. A file that cannot be used is reported and left as it is, until it
changes again; meanwhile nothing is written. The rules are in `stock_file`.

Both sides may have changed since they last agreed. The counts of the last agreement are stored in the database. The contents
that the file has had are kept in memory; those from before the start are taken from the entries of the ledger. A tray of the
file is booked only if it differs from the content that the other program had read, as far as that can be told; see
`stock_file_history`. So a program that saves an old copy with a change of its own does not undo the bookings of the robot in
other trays. Three do: one that saves an old copy without any change, one that changes the same tray, and one whose copy is
older than the contents that are kept.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cell_common.atomic_file import TEMPORARY_SUFFIX, replace_file
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from cell_inventory.json_lines import StockFileError, printable
from cell_inventory.rules import BookingRejected
from cell_inventory.stock_file import Capacities, Counts, StockFile, changed_counts, new_stock_file, parse_stock, write_stock
from cell_inventory.stock_file_history import StockFileHistory, content_of, contents_before, counts_in

SETTLE_S = 0.2
"""A change is read when the file has not changed for this long."""
LONGEST_REST_S = 5.0
"""A file that never rests is read after this time; a part of one would be reported, and read again."""
CHECK_PERIOD_S = 2.0
"""The file is compared this often, in case a change was not reported."""
RETRY_S = 2.0
# A catalogue of thousands of parts needs a tenth of it.
MOST_BYTES = 1_000_000
# Not "opened" and "closed_no_write": reading the file would trigger itself.
_CHANGES = frozenset({'created', 'modified', 'moved', 'deleted', 'closed'})
"""Kinds of watchdog's events; reading a file causes others."""


class StockLedger(Protocol):
    """The ledger, as the file sees it."""

    def counts(self) -> Counts:
        """Return the counts of all trays of the catalogue."""

    def book_changes(self, counts: Counts, operator_id: str, reason: str) -> None:
        """Book changes of another program as adjustments.

        Args:
            counts: (part number, tray) -> pieces, of the changed trays only.
            operator_id: Stored in place of an operator.
            reason: Names the file and the user who owns it.

        Raises:
            BookingRejected: Nothing was booked.
        """

    def changes(self) -> Sequence[Counts]:
        """Return for each of the latest entries, newest first, the tray and its count before the entry.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """

    def agreed_counts(self, path: str) -> Counts:
        """Return the counts on which file and ledger agreed last.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """

    def save_agreed_counts(self, path: str, counts: Counts) -> None:
        """Store the counts on which file and ledger agree.

        Args:
            path: The resolved path.
            counts: Replaces the counts that were stored for this file.

        Raises:
            BookingRejected: STORAGE_FAILED.
        """


@dataclass(frozen=True)
class SyncSettings:
    """Settings of one file."""

    path: Path
    both: bool
    """Book changes of other programs; False = the file is an export, and their counts are overwritten."""
    capacities: Capacities
    defaults: Counts
    """Member `default` of a file that does not exist yet."""


class StockFileSync:
    """One file and its state. All methods are for one thread, the node's.

    `poll` drives everything: `_look` notices a new content, `_take` accepts it once it has settled, `_write` writes the
    ledger's counts. Only the event `_touched` is shared with the thread of watchdog.
    """

    def __init__(self, settings: SyncSettings, ledger: StockLedger, warn: Callable[[str], None]) -> None:
        """Read the file and start to watch its folder.

        Args:
            settings: Path and direction.
            ledger: The ledger.
            warn: Called with each new error, once.

        Raises:
            StockFileError: The folder does not exist.
            BookingRejected: The ledger cannot be read.
        """
        # Resolved: replacing a symbolic link would leave the file behind it untouched.
        self._path = settings.path.expanduser().resolve()
        self._settings = settings
        self._ledger = ledger
        self._warn = warn
        self._agreed = dict(ledger.agreed_counts(str(self._path)))
        self._history = StockFileHistory(self._agreed, contents_before(self._agreed, ledger.counts(), ledger.changes()))
        self._file: StockFile | None = None
        self._seen: bytes | None = None
        self._is_new = True
        self._candidate: tuple[bytes | None, float] | None = None
        self._unusable = self._unwritten = ''
        self._pending_write = True
        self._check_at = self._retry_at = self._restless_since = 0.0
        self._touched = threading.Event()
        if not self._path.parent.is_dir():
            raise StockFileError(f'the folder {self._path.parent} does not exist: create it')
        # Left by a process that was killed while it wrote.
        for leftover in self._path.parent.glob(f'.{self._path.name}.*{TEMPORARY_SUFFIX}'):
            with contextlib.suppress(OSError):
                leftover.unlink()
        self._observer = _observer(self._path, self._touched, warn)
        self._touched.set()

    @property
    def error(self) -> str:
        """Why file and ledger are not in step, with the remedy; "" = they are."""
        return self._unusable or self._unwritten

    @property
    def defaults(self) -> Counts:
        """Counts of member `default` of the last usable file."""
        return self._file.defaults if self._file else {}

    def close(self) -> None:
        """Write what is not written yet and end the watch."""
        # Never over a content that was not read: it may hold changes.
        if self._pending_write and self._candidate is None and not self._unusable and not self._is_new:
            self._write(0.0)
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(1.0)

    def ledger_changed(self) -> None:
        """Write the file at the next call of `poll`."""
        self._pending_write = True

    def poll(self, now_s: float) -> None:
        """Read changes and write the file where needed; called about ten times a second with a monotonic clock.

        Args:
            now_s: Seconds of a monotonic clock.
        """
        try:
            self._poll(now_s)
        except Exception as error:  # no content of a file may end the node that owns the ledger
            self._report_unusable(f'it cannot be processed, {type(error).__name__} {error}. The file is left as it is')

    def _poll(self, now_s: float) -> None:
        if self._touched.is_set() or now_s >= self._check_at:
            self._touched.clear()
            self._check_at = now_s + CHECK_PERIOD_S
            self._look(now_s)
        if self._candidate is not None and (self._is_new or self._has_settled(self._candidate[1], now_s)):
            self._take(self._candidate[0])
        if self._pending_write and self._candidate is None and not self._unusable and now_s >= self._retry_at:
            self._write(now_s)

    def _has_settled(self, unchanged_since: float, now_s: float) -> bool:
        return now_s - unchanged_since >= SETTLE_S or now_s - self._restless_since >= LONGEST_REST_S

    def _look(self, now_s: float) -> None:
        """Remember a content that is not the last one, and since when it is there."""
        try:
            content = self._read()
        except OSError as error:
            self._report_unusable(f'cannot be read, {error.strerror}: check its permissions')
            self._is_new = True  # taken when it can be read again
            return
        if content == self._seen and not self._is_new:
            self._candidate = None
        elif self._candidate is None or self._candidate[0] != content:
            if self._candidate is None:
                self._restless_since = now_s
            self._candidate = (content, now_s)

    def _take(self, content: bytes | None) -> None:
        """Accept a content: book its changes, or report why it cannot be used.

        Args:
            content: Bytes of the file; None = it was deleted, and is written again.
        """
        self._candidate, self._seen, self._is_new = None, content, False
        try:
            if content is not None:
                file = parse_stock(_text(content), self._settings.capacities)
                if self._settings.both:
                    self._book(file)
                self._file = file
        except StockFileError as error:
            self._report_unusable(f'{error}. The file is left as it is')
            return
        except BookingRejected as error:
            self._report_unusable(f'its changes are not booked, {error}')
            self._is_new = True
            return
        self._unusable = ''
        self._pending_write = True

    def _book(self, file: StockFile) -> None:
        """Book the trays that another program changed.

        Raises:
            BookingRejected: The ledger refused; nothing was booked.
        """
        content, ledger = content_of(file), self._ledger.counts()
        if self._file is None:
            self._history.learn_members(content)
        changes = changed_counts(file.counts, counts_in(self._history.base_of(content)), ledger)
        old = changed_counts(file.counts, self._agreed, ledger).keys() - changes.keys()
        if changes:
            owner = _owner(self._path)
            name = printable(self._path.name)
            reason = f'{name} was changed by another program{f" of user {owner}" if owner else ""}'
            self._ledger.book_changes(changes, f'file {name}', reason)
        self._agree({**self._agreed, **file.counts})
        self._history.add(content)
        if old:
            trays = ', '.join(f'{part} tray {tray}' for part, tray in sorted(old))
            self._report(
                f'{self._path} was saved from an older copy: the counts of {trays} stay as booked. If they were meant, '
                'read the file again and change only these'
            )

    def _write(self, now_s: float) -> None:
        """Write the ledger's counts, and store them as agreed; a failure is retried after RETRY_S."""
        counts = dict(self._ledger.counts())
        try:
            if self._file is None or self._seen is None or self._file.counts != counts:
                file = self._file.with_counts(counts) if self._file else new_stock_file(counts, self._settings.defaults)
                data = write_stock(file).encode()
                # Checked directly before the replacement. Between both another program can still write, for a few
                # microseconds.
                if self._read() != self._seen:
                    self._touched.set()  # another program was faster: its change comes first
                    return
                replace_file(self._path, data)
                self._seen, self._file = data, file
                self._history.add(content_of(file))
            self._agree(counts)
        except Exception as error:  # as in `poll`; a disk or a database may come back
            self._retry_at = now_s + RETRY_S
            self._report_unwritten(f'{self._path}: {_write_problem(error)}')
            return
        self._pending_write, self._unwritten = False, ''

    def _agree(self, counts: Counts) -> None:
        if counts != self._agreed:
            self._ledger.save_agreed_counts(str(self._path), counts)
            self._agreed = dict(counts)

    def _read(self) -> bytes | None:
        """Return the content, None when there is no file."""
        try:
            with self._path.open('rb') as file:
                # One byte more shows that the file is too large, and a huge file is not read to its end.
                return file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None

    def _report_unusable(self, cause: str) -> None:
        self._unusable = self._report(f'{self._path}: {cause}', self._unusable)

    def _report_unwritten(self, message: str) -> None:
        self._unwritten = self._report(message, self._unwritten)

    def _report(self, message: str, before: str = '') -> str:
        """Log a message that is not the last one of its kind, and return it as it is logged and shown."""
        safe = printable(message)
        if safe != before:
            self._warn(safe)
        return safe


class _Handler(FileSystemEventHandler):
    """Sets an event when the file changes; called in watchdog's thread.

    The folder is watched, not the file: programs replace a file by renaming, and a watch of the old one would end.
    """

    def __init__(self, name: str, touched: threading.Event) -> None:
        self._name = name
        self._touched = touched

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Look at one event of the folder."""
        names = {Path(os.fsdecode(path)).name for path in (event.src_path, event.dest_path) if path}
        if event.event_type in _CHANGES and self._name in names:
            self._touched.set()


class _Watch(Protocol):
    """The part of watchdog's observers that is used here."""

    def stop(self) -> None: ...

    def join(self, timeout: float | None = None) -> None: ...


def _observer(path: Path, touched: threading.Event, warn: Callable[[str], None]) -> _Watch | None:
    """Return a running watch of the file's folder, None if the system has no watch left."""
    observer = Observer()
    try:
        observer.schedule(_Handler(path.name, touched), str(path.parent))
        observer.start()
    except OSError as error:
        warn(f'{path.parent} cannot be watched, {error}: {path.name} is checked every {CHECK_PERIOD_S:g} s instead')
        return None
    return observer


def _text(content: bytes) -> str:
    """Return the text of a file, without the byte order mark that some editors write.

    Raises:
        StockFileError: The file is too large or not UTF-8; the text begins with the line.
    """
    if len(content) > MOST_BYTES:
        raise StockFileError(f'line 1: the file has more than {MOST_BYTES} bytes: it is not a stock file')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = content.count(b'\n', 0, error.start) + 1
        raise StockFileError(f'line {line}: not UTF-8: save the file as UTF-8') from error


def _write_problem(error: Exception) -> str:
    """Return why the file was not written, with the remedy."""
    if isinstance(error, OSError) and error.errno == errno.EBUSY:
        return 'cannot be replaced, it is mounted into this container on its own: mount its folder instead'
    cause = f'cannot be written, {error.strerror}' if isinstance(error, OSError) else str(error)
    return f'{cause}: check the disk and the permissions of the folder'


def _owner(path: Path) -> str:
    """Return the user who owns the file, "" if the system does not know; the closest hint to who changed it."""
    try:
        return path.owner()
    except (OSError, KeyError):
        return ''
