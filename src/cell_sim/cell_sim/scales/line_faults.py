"""How a line of an indicator goes wrong on its way: cut, glued, drowned in noise. Bytes in, bytes out."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

from cell_sim.faults import Faults
from cell_sim.scales.indicator import DASHES, Indicator

FLOOD_LIMIT = 100_000
"""Lines; a flood ends, whatever was asked for."""
FAULTS = {
    'split': ('the next lines come in chunks, byte by byte, times', 1.0),
    'glue': ('so many lines are held back and come all at once, lines', 2.0),
    'noise': ('a line of noise comes before each of the next lines, times', 1.0),
    'garble': ('characters of the next lines are hit on the way and no longer ASCII, times', 1.0),
    'cut': ('the link ends in the middle of the next line, seconds until it comes back', 1.0),
    'endless': ('a line without end comes before the next line, bytes', 5000.0),
    'wrong_unit': ('somebody pressed the unit key: the next lines are in pounds, times', 1.0),
    'dashes': ('the next lines have dashes for digits, times', 1.0),
    'motion': ('the next lines were printed too early, in motion, times', 1.0),
    'clock_jump': ('somebody set the clock of the indicator back, seconds', 3600.0),
    'power_cycle': ('the indicator loses its power without a word on the link, seconds until it is back', 2.0),
    'half_open': ('lines do not get through and come late, seconds', 3.0),
    'disconnect': ('the link is closed, seconds until it comes back', 2.0),
    'duplicate_id': ('another indicator with the same id connects and prints, lines', 1.0),
    'flood': ('the PRINT key is stuck: lines as fast as the link takes them, at most 100000, lines', 1000.0),
}


def line_of(indicator: Indicator, now: float, faults: Faults, *, settled: bool = True) -> bytes:
    """Return the line that the indicator prints or answers now, its display's faults included."""
    indicator.clock_offset -= faults.take('clock_jump')
    shown = indicator.show(now, unit='lb' if faults.consume('wrong_unit') else '')
    if faults.consume('dashes'):
        shown = replace(shown, weight=DASHES)
    if faults.consume('motion') and shown.weight != DASHES:
        places = len(shown.weight.partition('.')[2])
        early = f'{Decimal(shown.weight) * Decimal("0.93"):.{places}f}'
        shown = replace(shown, weight=early, status='M', moving=True)
    return indicator.format_line(shown, now, settled=settled)


class LineCorruptor:
    """Turns lines into the chunks that are written to the socket."""

    def __init__(self, faults: Faults, seed: str) -> None:
        """Serve one indicator's link; `seed` gives its noise."""
        self._faults = faults
        self._rng = random.Random(f'wire/{seed}')
        self._held: list[bytes] = []
        self._hold = 0

    def chunks(self, line: bytes) -> list[bytes]:
        """Return what is to be written for a line, with a short pause after each piece; nothing while it is held back."""
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
        """Return the line with one of its characters hit; its end comes through."""
        at = self._rng.randrange(len(line.strip(b'\r\n'))) + len(line) - len(line.lstrip(b'\n'))
        return line[:at] + bytes([self._rng.randrange(128, 256)]) + line[at + 1 :]

    def noise(self, length: int) -> bytes:
        """Return bytes as a disturbed line gives them, without line ends."""
        return bytes(self._rng.choice([byte for byte in range(256) if byte not in (10, 13)]) for _ in range(length))
