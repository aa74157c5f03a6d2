"""Faults of an indicator's lines: split, merged, garbled, preceded by noise. Bytes in, bytes out.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

from cell_sim.faults import FaultInjector
from cell_sim.scales.indicator import DASHES, Indicator

__all__ = ['FAULTS', 'FLOOD_LIMIT', 'LineCorruptor', 'line_of']

FLOOD_LIMIT = 100_000
"""Upper limit of a flood, lines."""
FAULTS = {
    'split': ('the next lines arrive byte by byte, times', 1.0),
    'glue': ('lines are held back and arrive together, lines', 2.0),
    'noise': ('a line of noise precedes each of the next lines, times', 1.0),
    'garble': ('one character of each of the next lines is replaced by a byte that is not ASCII, times', 1.0),
    'cut': ('the connection drops in the middle of the next line, seconds until reconnection', 1.0),
    'endless': ('a very long line precedes the next line, bytes', 5000.0),
    'wrong_unit': ('the unit key was pressed: the next lines are in pounds, times', 1.0),
    'dashes': ('the next lines have dashes instead of digits, times', 1.0),
    'motion': ('the next lines were printed too early, in motion, times', 1.0),
    'clock_jump': ('the clock of the indicator is set back, seconds', 3600.0),
    'power_cycle': ('the indicator loses power without closing its connection, seconds until it is back', 2.0),
    'half_open': ('lines do not get through and arrive late, seconds', 3.0),
    'disconnect': ('the connection closes, seconds until reconnection', 2.0),
    'duplicate_id': ('another indicator with the same id connects and prints, lines', 1.0),
    'flood': ('the PRINT key is stuck: lines at the highest possible rate, at most 100000, lines', 1000.0),
}


def line_of(indicator: Indicator, now: float, faults: FaultInjector, *, settled: bool = True) -> bytes:
    """Return the line that the indicator prints or replies now, with the pending faults of its display.

    Faults of the display change a weight before it is formatted; faults of the wire
    (`LineCorruptor`) change the bytes. The order is that of the real path.

    Args:
        indicator: Indicator to print.
        now: Time, seconds.
        faults: Pending faults; each fault that takes effect is used up.
        settled: SMA only: False prints dashes.
    """
    indicator.shift_clock(-faults.take('clock_jump'))
    shown = indicator.show(now, unit='lb' if faults.consume('wrong_unit') else '')
    if faults.consume('dashes'):
        shown = replace(shown, weight=DASHES)
    if faults.consume('motion') and shown.weight != DASHES:
        places = len(shown.weight.partition('.')[2])
        # 7 % too light, as if PRINT had been pressed before the bag was full.
        early = f'{Decimal(shown.weight) * Decimal("0.93"):.{places}f}'
        shown = replace(shown, weight=early, status='M', moving=True)
    return indicator.format_line(shown, now, settled=settled)


class LineCorruptor:
    """Turns lines into the chunks that are written to the socket.

    One instance belongs to one indicator: lines that are held back by `glue` wait here.
    """

    def __init__(self, faults: FaultInjector, seed: str) -> None:
        """Create a corruptor for one connection.

        Args:
            faults: Pending faults of the indicator.
            seed: Seed of the noise.
        """
        self._faults = faults
        self._rng = random.Random(f'wire/{seed}')
        self._held: list[bytes] = []
        self._hold = 0

    def chunks(self, line: bytes) -> list[bytes]:
        """Return the chunks to write for a line, with a short pause between them; none while lines are held back."""
        before = b''
        if self._faults.consume('garble'):
            line = self._corrupt(line)
        if self._faults.consume('noise'):
            before = self.noise(self._rng.randint(3, 40)) + b'\r\n'
        if length := self._faults.take('endless'):
            before += b'7' * int(length) + b'\r\n'
        if lines := self._faults.take('glue'):
            self._hold = int(lines)
        if self._hold:
            self._held.append(before + line)
            self._hold -= 1
            if self._hold:
                return []
            whole, self._held = b''.join(self._held), []
            return [whole]
        whole = before + line
        return [whole[at : at + 1] for at in range(len(whole))] if self._faults.consume('split') else [whole]

    def _corrupt(self, line: bytes) -> bytes:
        """Return the line with one character replaced; its line end stays."""
        # SMA replies begin with LF, which stays as well.
        at = self._rng.randrange(len(line.strip(b'\r\n'))) + len(line) - len(line.lstrip(b'\n'))
        return line[:at] + bytes([self._rng.randrange(128, 256)]) + line[at + 1 :]

    def noise(self, length: int) -> bytes:
        """Return random bytes without line ends, as on a disturbed line.

        Args:
            length: Number of bytes.
        """
        return bytes(self._rng.choice([byte for byte in range(256) if byte not in (10, 13)]) for _ in range(length))
