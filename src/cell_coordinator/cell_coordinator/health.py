"""Health of the cell's nodes as reported on /diagnostics: is the cell ready for a job?

Pure: no ROS, sockets, files or clock.

Every node publishes each of its diagnostic tasks once a second (`cell_common.diagnostics`). A node is as healthy as its worst
task. A node whose reports stop is STALE: a process that hangs cannot report an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OK, WARN, ERROR, STALE = range(4)
"""Levels of diagnostic_msgs/DiagnosticStatus, and of cell_interfaces/Subsystem."""
_LEVEL_NAMES = ('OK', 'WARN', 'ERROR', 'STALE')


@dataclass(frozen=True)
class SubsystemStatus:
    """Health of one node."""

    name: str
    level: int
    """OK, WARN, ERROR or STALE."""
    message: str
    """For the operator; may be "" when the level is OK."""


@dataclass(frozen=True)
class _TaskReport:
    received_ns: int
    level: int
    message: str


class SubsystemHealth:
    """Latest report of each diagnostic task, and the health of each node derived from them."""

    def __init__(self, namespace: str, names: Sequence[str], needed: Sequence[str], stale_after_ns: int) -> None:
        """Store the settings.

        Args:
            namespace: Namespace of this cell; reports of other cells are ignored.
            names: Nodes to show, in this order.
            needed: Nodes that a job needs.
            stale_after_ns: Age in nanoseconds after which a report no longer counts.
        """
        self._prefix = namespace.strip('/') + '/' if namespace.strip('/') else ''
        self._names = tuple(names)
        self._needed = tuple(needed)
        self._stale_after_ns = stale_after_ns
        self._reports: dict[str, dict[str, _TaskReport]] = {}

    def update(self, status_name: str, level: int, message: str, now_ns: int) -> bool:
        """Store one status of /diagnostics and return True if the node's health changed.

        Args:
            status_name: "<namespace>/<node>: <task>", as diagnostic_updater names it. Others are ignored.
            level: OK, WARN, ERROR or STALE.
            message: For the operator.
            now_ns: Time of arrival. The stamp in the message is not used: the clocks of two computers differ.
        """
        node, _, task = status_name.partition(': ')
        if not node.startswith(self._prefix):
            return False
        name = node[len(self._prefix) :]
        # Other nodes of the namespace report, too, for example the driver's.
        if name not in self._names and name not in self._needed:
            return False
        before = self.status_of(name, now_ns)
        self._reports.setdefault(name, {})[task] = _TaskReport(now_ns, level, message)
        return self.status_of(name, now_ns) != before

    def status_of(self, name: str, now_ns: int) -> SubsystemStatus:
        """Return the worst fresh report of a node; STALE if there is none.

        Args:
            name: Name of the node without its namespace.
            now_ns: Time on the clock of `update`.
        """
        reports = self._reports.get(name, {})
        fresh = [report for report in reports.values() if now_ns - report.received_ns <= self._stale_after_ns]
        if not fresh:
            message = 'status reports stopped' if reports else 'no status received'
            return SubsystemStatus(name, STALE, f'{message}: is the node running?')
        worst = max(fresh, key=lambda report: report.level)
        return SubsystemStatus(name, worst.level, worst.message)

    def statuses(self, now_ns: int) -> list[SubsystemStatus]:
        """Return the health of all nodes to show, in their order; `now_ns` is on the clock of `update`."""
        return [self.status_of(name, now_ns) for name in self._names]

    def not_ready(self, now_ns: int) -> list[SubsystemStatus]:
        """Return the needed nodes that are ERROR or STALE; an empty list means that the cell is ready."""
        return [status for name in self._needed if (status := self.status_of(name, now_ns)).level >= ERROR]


def not_ready_message(failing: Sequence[SubsystemStatus]) -> str:
    """Return the message for the operator that names each failing node.

    Args:
        failing: The result of `SubsystemHealth.not_ready`, not empty.
    """
    return 'the cell is not ready: ' + '; '.join(
        f'{status.name} is {_LEVEL_NAMES[min(status.level, STALE)]}' + (f' ({status.message})' if status.message else '')
        for status in failing
    )
