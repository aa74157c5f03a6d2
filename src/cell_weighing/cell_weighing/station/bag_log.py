"""Writes a line for each bag to the daily log, none of them twice and none missing after a crash."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from cell_common.runner import StartError
from rclpy.node import Node

from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.tolerance import WeightZone
from cell_weighing.station.daily_log import DailyLog

# Bounds the memory after a long standstill of the disk.
PAGE = 500
PENDING = 20_000
"""Most lines that wait for a disk that has no room."""


class BagLog:
    """Daily log of bags; an error of the log never stops the weighing.

    Each line ends with the id of its bag. After a crash the bags behind the last line are read from the database.
    """

    def __init__(self, node: Node, folder: str, keep_days: int) -> None:
        """Open the log.

        Args:
            node: Its logger reports errors of the log.
            folder: Folder of the log files; "" = no log.
            keep_days: Age at which a log file is deleted, days.

        Raises:
            StartError: The folder cannot be created.
        """
        self._node = node
        self._pending: deque[tuple[datetime, str]] = deque(maxlen=PENDING)
        try:
            self._log = DailyLog(Path(folder).expanduser(), keep_days) if folder else None
        except OSError as error:
            raise StartError(f'cannot create the log folder {folder}: {error.strerror}. Check parameter log_folder.') from error

    def start(self, latest_bag: int, bags_after: Callable[[int, int], list[Bag]]) -> None:
        """Write the bags that a crash has kept out of the log, then a line that says where this run begins.

        Args:
            latest_bag: Id of the latest bag in the database; 0 = none.
            bags_after: Returns the bags behind an id, at most a number of them, in order of their ids.
        """
        if self._log is None:
            return
        try:
            last = self._log.latest_mark()
        except OSError as error:
            self._node.get_logger().warning(f'cannot read the daily log: {error.strerror}')
            return
        while last is not None and (bags := bags_after(last, PAGE)):
            for bag in bags:
                self.bag(bag)
            last = bags[-1].bag_id
        self._write(datetime.now(timezone.utc), f'weigh_station has started (id {latest_bag})')

    def bag(self, bag: Bag) -> None:
        """Write a line for a bag, with the time at which its print was received.

        Args:
            bag: New bag. The form of the line is that of the old scale server, followed by the
                zone.
        """
        result = bag.message or 'in tolerance'
        number = f'bag {bag.number} of job {bag.job_id}' if bag.job_id else 'bag without a job'
        mark = '' if bag.zone is WeightZone.GOOD else f' [{bag.zone.name}]'
        spare = f' for {bag.stands_for}' if bag.stands_for else ''
        where = f'station {bag.station or "-"} scale {bag.scale_id}{spare}'
        text = f'{where}: {bag.weight} {bag.unit}, {number}, {result}{mark} (id {bag.bag_id})'
        self._write(datetime.fromtimestamp(bag.weighed_ns / 1e9, timezone.utc), text)

    def _write(self, when: datetime, text: str) -> None:
        if self._log is None:
            return
        self._pending.append((when.astimezone(), text))
        try:
            while self._pending:
                self._log.write(*self._pending[0])
                self._pending.popleft()
        except OSError as error:
            self._log.close()
            self._node.get_logger().warning(
                f'cannot write the daily log: {error.strerror}; {len(self._pending)} lines wait', throttle_duration_sec=60
            )

    def close(self) -> None:
        """Close the file."""
        if self._log is not None:
            self._log.close()
