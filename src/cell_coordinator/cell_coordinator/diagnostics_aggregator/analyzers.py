"""Groups diagnostic reports into a tree, and notices those that stopped or never came.

Pure: no ROS, sockets, files or clock.

The rules are those of diagnostic_aggregator (REP 107 and its GenericAnalyzer): a group is as bad as its worst report; a report
that is older than the timeout is STALE; a group is STALE only if all of it is, and otherwise ERROR if some of it is.
Names of reports are relative to the cell's namespace: "robot: link".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ['ERROR', 'OK', 'OTHER', 'STALE', 'WARN', 'AggregatedStatus', 'Aggregator', 'Analyzer', 'StatusReport']

OK, WARN, ERROR, STALE = range(4)
"""Levels of diagnostic_msgs/DiagnosticStatus."""
LEVEL_TEXTS = ('OK', 'Warning', 'Error', 'Stale')
OTHER = 'Other'
"""Group of the reports that no analyzer takes."""
MISSING, STOPPED = 'no report received: is the node running?', 'reports stopped: is the node running?'
NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class StatusReport:
    """One status of /diagnostics.

    Attributes:
        name: "<node>: <task>", relative to the cell's namespace.
        level: OK, WARN, ERROR or STALE.
        message: For the operator; may be "".
        hardware_id: Of the device; may be "".
        values: Keys and values.
    """

    name: str
    level: int
    message: str = ''
    hardware_id: str = ''
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class AggregatedStatus:
    """One status of the tree.

    Attributes:
        path: "/<top>/<group>/<report>"; groups have their members as values.
        level: OK, WARN, ERROR or STALE.
        message: For the operator.
        hardware_id: Of the device; "" for groups.
        values: Of a report its own; of a group name and message of each member.
        age_s: Seconds since the report came; None for groups and for reports that never came.
    """

    path: str
    level: int
    message: str
    hardware_id: str = ''
    values: tuple[tuple[str, str], ...] = ()
    age_s: float | None = None


@dataclass(frozen=True)
class Analyzer:
    """Which reports belong to a group.

    Attributes:
        path: Name of the group; "/" makes groups of groups.
        startswith: Beginnings of the names of its reports.
        contains: Parts of the names of its reports.
        expected: Names that must report; a missing one is STALE.
        remove_prefix: Beginnings that are left out of the names shown; the longest one that fits.
        timeout_s: Seconds after which a report no longer counts; 0 = never.
        discard_stale: Leave old reports out instead of showing them as STALE; for nodes that come and go.
    """

    path: str
    startswith: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    remove_prefix: tuple[str, ...] = ()
    timeout_s: float = 5.0
    discard_stale: bool = False

    def takes(self, name: str) -> bool:
        """Return whether a report belongs to the group.

        Args:
            name: Name of the report, relative to the cell's namespace.
        """
        return name in self.expected or name.startswith(self.startswith) or any(text in name for text in self.contains)

    def shown_name(self, name: str) -> str:
        """Return a report's name in the tree: a "/" would make another level.

        Args:
            name: Name of the report.
        """
        prefixes = [prefix for prefix in self.remove_prefix if name.startswith(prefix)]
        return name[len(max(prefixes, key=len, default='')) :].strip(' :').replace('/', ' ') or name


@dataclass
class _Received:
    report: StatusReport
    at_ns: int


class Aggregator:
    """Latest reports of one cell, and the tree made of them."""

    def __init__(self, namespace: str, top: str, analyzers: Sequence[Analyzer]) -> None:
        """Store the settings.

        Args:
            namespace: Namespace of the cell; reports of other cells are ignored.
            top: Name of the root of the tree.
            analyzers: Groups, in the order of the tree. A report may belong to several.
        """
        inside = namespace.strip('/')
        self._prefix = f'{inside}/' if inside else ''
        self._top = top
        self._analyzers = tuple(analyzers)
        self._other = Analyzer(OTHER, discard_stale=True)
        self._received: dict[str, _Received] = {}

    def update(self, report: StatusReport, now_ns: int) -> None:
        """Store a report of /diagnostics; one of another cell is ignored.

        Args:
            report: Its name is the full one, e.g. "cell/robot: link".
            now_ns: Time of arrival on a steady clock; clocks of two computers differ, so the stamp is not used.
        """
        # Names of diagnostic_updater begin with or without a slash.
        name = report.name.lstrip('/')
        if name.startswith(self._prefix):
            inside = StatusReport(name[len(self._prefix) :], report.level, report.message, report.hardware_id, report.values)
            self._received[inside.name] = _Received(inside, now_ns)

    def tree(self, now_ns: int) -> list[AggregatedStatus]:
        """Return the whole tree, the root first, each group before its members.

        Args:
            now_ns: Time on the clock of `update`.
        """
        untaken = [name for name in self._received if not any(analyzer.takes(name) for analyzer in self._analyzers)]
        groups: dict[str, list[AggregatedStatus]] = {}
        for analyzer in self._analyzers:
            names = [name for name in self._received if analyzer.takes(name)]
            groups.setdefault(analyzer.path, []).extend(self._members(analyzer, names, now_ns))
        if others := self._members(self._other, untaken, now_ns):
            groups[OTHER] = others
        self._forget(untaken, now_ns)
        result: list[AggregatedStatus] = []
        headers: list[AggregatedStatus] = []
        for path in _with_parents(groups):
            below = groups.get(path, [])
            inner = [member for name, members in groups.items() if name.startswith(f'{path}/') for member in members]
            # A group without reports, e.g. of nodes that are switched off, is left out.
            if below or inner:
                header = self._header(path, [*below, *inner])
                headers += [] if '/' in path else [header]
                result += [header, *below]
        return [self._header('', headers), *result] if result else [AggregatedStatus(f'/{self._top}', STALE, MISSING)]

    def _members(self, analyzer: Analyzer, names: Sequence[str], now_ns: int) -> list[AggregatedStatus]:
        """Return the reports of a group, sorted by name, with those that are missing."""
        found = []
        for name in sorted({*names, *analyzer.expected}):
            path = f'/{self._top}/{analyzer.path}/{analyzer.shown_name(name)}'
            received = self._received.get(name)
            if received is None:
                found.append(AggregatedStatus(path, STALE, MISSING))
                continue
            report, age_s = received.report, (now_ns - received.at_ns) / NS_PER_S
            is_old = 0.0 < analyzer.timeout_s < age_s
            if is_old and analyzer.discard_stale:
                continue
            level, message = (STALE, STOPPED) if is_old else (report.level, report.message)
            found.append(AggregatedStatus(path, level, message, report.hardware_id, report.values, age_s))
        return found

    def _forget(self, names: Sequence[str], now_ns: int) -> None:
        """Drop old reports that no analyzer takes: nodes with changing names must not fill the memory."""
        for name in names:
            if (now_ns - self._received[name].at_ns) / NS_PER_S > self._other.timeout_s:
                del self._received[name]

    def _header(self, path: str, members: Sequence[AggregatedStatus]) -> AggregatedStatus:
        """Return the status of a group."""
        level = group_level([member.level for member in members])
        start = f'/{self._top}/{path}' if path else f'/{self._top}'
        values = tuple((member.path[len(start) + 1 :], _text(member)) for member in members)
        return AggregatedStatus(start, level, LEVEL_TEXTS[level], values=values)


def group_level(levels: Sequence[int]) -> int:
    """Return the level of a group: STALE if all members are, ERROR if some are, else the worst.

    Args:
        levels: Of its members; not empty.
    """
    worst = max(levels)
    return ERROR if worst == STALE and min(levels) < STALE else worst


def _text(status: AggregatedStatus) -> str:
    return status.message or LEVEL_TEXTS[min(status.level, STALE)]


def _with_parents(paths: dict[str, list[AggregatedStatus]]) -> list[str]:
    """Return the paths with the groups above them, each before its children, in the given order."""
    found: dict[str, None] = {}
    for path in paths:
        parts = path.split('/')
        found.update(dict.fromkeys('/'.join(parts[:count]) for count in range(1, len(parts) + 1)))
    return list(found)
