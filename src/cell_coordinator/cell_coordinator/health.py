"""Is the cell ready? Health of the nodes as heard on /diagnostics. No ROS, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

OK, WARN, ERROR, STALE = range(4)
_WORDS = ('OK', 'WARN', 'ERROR', 'STALE')


@dataclass(frozen=True)
class Line:
    """One subsystem."""

    name: str
    level: int
    """OK, WARN, ERROR or STALE."""
    message: str


@dataclass(frozen=True)
class _Heard:
    at_ns: int
    level: int
    message: str


class StatusBoard:
    """Remembers what each node last said of itself."""

    def __init__(self, namespace: str, names: Sequence[str], needed: Sequence[str], stale_after_ns: int) -> None:
        """Take the names in the order they are shown.

        Args:
            namespace: This cell's namespace: reports of other cells are not heard.
            names: Nodes to show.
            needed: Nodes that a job needs.
            stale_after_ns: Silence after which a node is stale, nanoseconds.
        """
        self._prefix = namespace.strip('/') + '/' if namespace.strip('/') else ''
        self._names = tuple(names)
        self._needed = tuple(needed)
        self._stale_after_ns = stale_after_ns
        self._heard: dict[str, dict[str, _Heard]] = {}

    def hear(self, status_name: str, level: int, message: str, now_ns: int) -> bool:
        """Take in one status of /diagnostics, named "<namespace>/<node>: <task>"; return whether a line changed."""
        node, _, task = status_name.partition(': ')
        if not node.startswith(self._prefix):
            return False
        name = node[len(self._prefix) :]
        if name not in self._names and name not in self._needed:
            return False
        before = self.line(name, now_ns)
        self._heard.setdefault(name, {})[task] = _Heard(now_ns, level, message)
        return self.line(name, now_ns) != before

    def line(self, name: str, now_ns: int) -> Line:
        """Return one node's line: the worst of what it says of itself."""
        tasks = self._heard.get(name, {})
        fresh = [heard for heard in tasks.values() if now_ns - heard.at_ns <= self._stale_after_ns]
        if not fresh:
            text = 'not heard of since it was last seen' if tasks else 'never heard of'
            return Line(name, STALE, f'{text}: is the node running?')
        worst = max(fresh, key=lambda heard: heard.level)
        return Line(name, worst.level, worst.message)

    def lines(self, now_ns: int) -> list[Line]:
        """Return all lines in their order."""
        return [self.line(name, now_ns) for name in self._names]

    def failing(self, now_ns: int) -> list[Line]:
        """Return the needed nodes that do not work; empty = the cell is ready."""
        return [line for name in self._needed if (line := self.line(name, now_ns)).level >= ERROR]


def sentence(failing: Sequence[Line]) -> str:
    """Return why the cell is not ready, for people."""
    return 'the cell is not ready: ' + '; '.join(
        f'{line.name} is {_WORDS[min(line.level, STALE)]}' + (f' ({line.message})' if line.message else '') for line in failing
    )
