"""Answers questions about the history of the cell.

One id leads through all of it: job and piece. Booking, triggers, readings, kept frame and clip have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cell_common.command_history import read_commands
from cell_common.database import StorageFailedError, read_only, storage_error
from cell_common.history_page import HistoryFilter, Page, PageRequest
from cell_coordinator.history_reader import (
    AlarmItem,
    JobItem,
    PieceItem,
    ReadingItem,
    TriggerItem,
    jobs_at,
    read_alarms,
    read_job,
    read_jobs,
    read_piece,
    read_pieces,
    read_readings,
    read_triggers,
)
from cell_inventory.history_reader import StockItem, read_bookings, read_stock
from cell_vision.kept_frames import KeptFrame, find_frame_file, find_kept_frames, kept_frames_of_jobs
from cell_weighing.history_reader import BagItem, DeliverySteps, LineItem, read_bag, read_bag_line, read_bags, read_delivery
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from cell_history.queries.clip_index import ClipIndex
from cell_history.queries.tables import row_of, rows_of

__all__ = ['KINDS', 'BagHistory', 'History', 'HistoryFolders', 'PieceHistory', 'UnknownPieceError', 'piece_json']

Reader = Callable[[Connection, HistoryFilter, PageRequest], Page[object]]
_READERS: dict[str, Reader] = {
    'pieces': read_pieces,
    'jobs': read_jobs,
    'bags': read_bags,
    'alarms': read_alarms,
    'commands': read_commands,
    'stock': read_stock,
}
KINDS = tuple(_READERS)
"""What can be listed."""


class UnknownPieceError(LookupError):
    """There is no such piece or bag; the text says so."""


@dataclass(frozen=True)
class HistoryFolders:
    """Folders of the files of the history; None = there is none."""

    kept_frames: Path | None = None
    clips: Path | None = None


@dataclass(frozen=True)
class PieceHistory:
    """All that is known of one piece; `clip` is a name in the folder of the clips, "" = none."""

    piece: PieceItem
    job: JobItem | None
    readings: Sequence[ReadingItem] = ()
    triggers: Sequence[TriggerItem] = ()
    bookings: Sequence[StockItem] = ()
    pictures: Sequence[KeptFrame] = ()
    clip: str = ''


@dataclass(frozen=True)
class BagHistory:
    """All that is known of one bag; None = not there, or not kept any more."""

    bag: BagItem
    line: LineItem | None = None
    delivery: DeliverySteps | None = None


@dataclass
class History:
    """Reads the history. It writes nothing and may be used beside the running cell, by any thread.

    Attributes:
        engine: The cell's database.
        folders: Folders of pictures and clips.
    """

    engine: Engine
    folders: HistoryFolders = field(default_factory=HistoryFolders)

    def __post_init__(self) -> None:
        self._clips = ClipIndex(self.folders.clips)

    def page(self, kind: str, wanted: HistoryFilter, page: PageRequest) -> Page[object]:
        """Return one page, newest first.

        Args:
            kind: One of KINDS.
            wanted: Which rows.
            page: Which page.

        Raises:
            CursorError: The cursor is none of this list.
            StorageFailedError: The database cannot be read.
        """
        with self._connection() as connection:
            return _READERS[kind](connection, wanted, page)

    def clip_of(self, item: object) -> str:
        """Return the name of the clip of a piece or an alarm; "" = none, as for all other items."""
        if isinstance(item, PieceItem):
            return self._clips.of_piece(item.job_id, item.piece)
        if isinstance(item, AlarmItem):
            return self._clips.of_alarm(f'{item.source}/{item.key}', item.raised_ns)
        return ''

    def piece(self, job_id: str, piece: int) -> PieceHistory:
        """Return all that is known of a piece.

        Raises:
            UnknownPieceError: It was not booked.
            StorageFailedError: The database cannot be read.
        """
        with self._connection() as connection:
            item = read_piece(connection, job_id, piece)
            if item is None:
                raise UnknownPieceError(f'piece {piece} of job "{job_id}" is not in the history')
            readings = read_readings(connection, job_id, piece)
            found = PieceHistory(
                item,
                read_job(connection, job_id),
                readings,
                read_triggers(connection, job_id, piece),
                read_bookings(connection, job_id, piece),
            )
        ids = dict.fromkeys([*(reading.request_id for reading in readings), item.request_id])
        folder = self.folders.kept_frames
        pictures = find_kept_frames(folder, ids) if folder else []
        return PieceHistory(**{**vars(found), 'pictures': pictures, 'clip': self.clip_of(item)})

    def piece_at(self, piece: int, since_ns: int, until_ns: int) -> PieceHistory:
        """Return the piece with a number of the job that ran in a time; the newest rejected one comes first.

        Args:
            piece: Number of the piece; 0 = any that was rejected.
            since_ns: First moment, UTC nanoseconds.
            until_ns: Moment after the last one.

        Raises:
            UnknownPieceError: There is none.
            StorageFailedError: The database cannot be read.
        """
        with self._connection() as connection:
            if piece:
                jobs = [job.job_id for job in jobs_at(connection, since_ns, until_ns)]
                items = [item for job_id in jobs if (item := read_piece(connection, job_id, piece))]
            else:
                wanted = HistoryFilter(since_ns=since_ns, until_ns=until_ns, faults=True)
                items = list(read_pieces(connection, wanted, PageRequest(1)).items)
        if not items:
            raise UnknownPieceError('no such piece at that time: list the pieces to see which there were')
        best = min(items, key=lambda item: item.outcome != 'REJECTED')
        return self.piece(best.job_id, best.piece)

    def bag(self, bag_id: int) -> BagHistory:
        """Return all that is known of a bag.

        Raises:
            UnknownPieceError: There is no such bag.
            StorageFailedError: The database cannot be read.
        """
        with self._connection() as connection:
            item = read_bag(connection, bag_id)
            if item is None:
                raise UnknownPieceError(f'bag {bag_id} is not in the history')
            if not item.reading_id:
                return BagHistory(item)
            return BagHistory(item, read_bag_line(connection, item.reading_id), read_delivery(connection, item.reading_id))

    def picture(self, name: str) -> Path | None:
        """Return the path of a kept frame; None if there is none with this name."""
        return find_frame_file(self.folders.kept_frames, name) if self.folders.kept_frames else None

    def album(self, job_ids: Sequence[str], limit: int = 500) -> list[KeptFrame]:
        """Return the kept frames of jobs, oldest first; the newest `limit` of them."""
        folder = self.folders.kept_frames
        return kept_frames_of_jobs(folder, job_ids, limit) if folder else []

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Give a connection for reading.

        Raises:
            StorageFailedError: The database cannot be read.
        """
        try:
            with read_only(self.engine).connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            if 'no such' in str(error) or 'does not exist' in str(error):
                text = 'the database has no history of this release yet: start the cell once, then ask again'
                raise StorageFailedError(text) from error
            raise storage_error(error) from error


def piece_json(found: PieceHistory) -> dict[str, object]:
    """Return all that is known of one piece for JSON."""
    return {
        'id': f'{found.piece.job_id}/{found.piece.piece}',
        'piece': row_of(found.piece),
        'job': row_of(found.job) if found.job else None,
        'readings': rows_of(found.readings),
        'triggers': rows_of(found.triggers),
        'bookings': rows_of(found.bookings),
        'pictures': rows_of(found.pictures),
        'clip': found.clip,
    }
