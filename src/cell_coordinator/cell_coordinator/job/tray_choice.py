"""Which tray the next piece comes from.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

__all__ = ['TrayChoice', 'choose_tray']


class TrayChoice(enum.Enum):
    """Rule that chooses among the trays that are not empty.

    FIRST empties one tray after the other, so that full ones can be exchanged meanwhile. FULLEST keeps the trays level.
    ROUND_ROBIN takes them in turn, e.g. to mix the lots of several trays.
    """

    FIRST = 'first'
    FULLEST = 'fullest'
    ROUND_ROBIN = 'round_robin'


def choose_tray(choice: TrayChoice, trays: Iterable[tuple[int, int]], last: int) -> int | None:
    """Return the number of the tray for the next piece; None = all are empty.

    Args:
        choice: The rule.
        trays: (tray number, pieces) of each tray of the part.
        last: Tray of the piece before; 0 = none.
    """
    filled = {number: count for number, count in trays if count > 0}
    if not filled:
        return None
    if choice is TrayChoice.FULLEST:
        return min(filled, key=lambda number: (-filled[number], number))
    if choice is TrayChoice.ROUND_ROBIN:
        return min(filled, key=lambda number: (number <= last, number))
    return min(filled)
