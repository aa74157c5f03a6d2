"""Writes a line for each bag to the daily log."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cell_common.runner import StartError
from rclpy.node import Node

from cell_weighing.domain.jobs import Bag
from cell_weighing.domain.tolerance import WeightZone
from cell_weighing.station.daily_log import DailyLog


class BagLog:
    """Daily log of bags; an error of the log never stops the weighing."""

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
        try:
            self._log = DailyLog(Path(folder).expanduser(), keep_days) if folder else None
        except OSError as error:
            raise StartError(f'cannot create the log folder {folder}: {error.strerror}. Check parameter log_folder.') from error

    def bag(self, bag: Bag) -> None:
        """Write a line for a bag.

        Args:
            bag: New bag. The form of the line is that of the old scale server, followed by the
                zone.
        """
        result = bag.message or 'in tolerance'
        number = f'bag {bag.number} of job {bag.job_id}' if bag.job_id else 'bag without a job'
        mark = '' if bag.zone is WeightZone.GOOD else f' [{bag.zone.name}]'
        spare = f' for {bag.stands_for}' if bag.stands_for else ''
        where = f'station {bag.station or "-"} scale {bag.scale_id}{spare}'
        self.write(f'{where}: {bag.weight} {bag.unit}, {number}, {result}{mark}')

    def write(self, text: str) -> None:
        """Write a line."""
        if self._log is None:
            return
        try:
            self._log.write(datetime.now(), text)
        except OSError as error:
            self._node.get_logger().warning(f'cannot write the daily log: {error.strerror}', throttle_duration_sec=60)

    def close(self) -> None:
        """Close the file."""
        if self._log is not None:
            self._log.close()
