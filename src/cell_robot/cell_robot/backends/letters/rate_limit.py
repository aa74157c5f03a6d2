"""Say a thing a few times, then only now and then how often it was not said: a flood must not flood the log."""

from __future__ import annotations

from collections import OrderedDict

KEYS = 256


class Throttle:
    """Admits so many texts of one kind in a period."""

    def __init__(self, burst: int, period: float) -> None:
        """Admit `burst` texts of each kind in `period` seconds."""
        self._burst, self._period = burst, period
        self._kinds: OrderedDict[str, list[float]] = OrderedDict()
        """Kind -> [start of period, texts in it, texts held back]."""

    def admit(self, kind: str, now: float) -> str | None:
        """Return what to add to the text ("" or how many were held back), None when it must not be said."""
        entry = self._kinds.setdefault(kind, [now, 0, 0])
        self._kinds.move_to_end(kind)
        if len(self._kinds) > KEYS:
            self._kinds.popitem(last=False)
        if now - entry[0] >= self._period:
            entry[0], entry[1] = now, 0
        if entry[1] >= self._burst:
            entry[2] += 1
            return None
        held, entry[2] = int(entry[2]), 0
        entry[1] += 1
        return f' (and {held} more like it)' if held else ''
