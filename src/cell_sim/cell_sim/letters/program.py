r"""What the UR program does with the letters it gets: the rules, without socket and clock.

Framing `line`: `<letter> <id> [tray]\n` comes in, `ACK <id>\n` and then `DONE <id>\n` or `ERR <id> <reason>\n` goes out,
and `HB\n` every second. Framing `bare`: one letter comes in, `ack\n` goes out at the end of the
movement, or `ack\n` at its beginning and `done\n` at its end when so configured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cell_common.catalogue import EVENT_LETTERS, Catalogue

from cell_sim.world.world import ImpossibleMoveError, World

DURATIONS: Mapping[str, float] = {'PART': 1.6, 'PLACE': 1.2, 'REJECT': 1.2, 'START_PROGRAM': 0.5, 'HOME': 0.8, 'BENCHMARK': 1.6}
"""Seconds that a movement takes."""
LINE_LIMIT = 256
"""Bytes of the longest line a program's string variable is asked to hold."""
_COMMAND = re.compile(rb'([A-Za-z0-9]) ([A-Za-z0-9_-]{1,64})(?: ([0-4]))?\r?\n')


@dataclass(frozen=True)
class LetterCommand:
    """One letter from the robot node."""

    letter: str
    trigger_id: str = ''
    """Correlation id; "" in framing `bare`."""
    tray: int = 0
    """1..4; 0 = the program chooses."""


class LetterMovement(Protocol):
    """A movement that has begun; it goes on whether or not anybody still listens."""

    def share(self, now: float) -> float:
        """Return how much of it is done, 0..1; 1 when it has ended, by whatever cause."""
        ...

    def finish(self) -> str:
        """Take note of its end, once; returns why it was not carried out, "" when it was."""
        ...


class LetterExecutor(Protocol):
    """What moves the arm for a letter."""

    def begin(self, command: LetterCommand, now: float) -> LetterMovement:
        """Begin what a letter asks for.

        Raises:
            ImpossibleMoveError: It makes no sense now; nothing has moved.
        """
        ...


@dataclass(frozen=True)
class TimedMovement:
    """A movement of which only the duration is simulated."""

    begun: float
    duration: float
    """Seconds."""
    end: Callable[[], None]

    def share(self, now: float) -> float:
        """Return how much of it is done."""
        return min(1.0, (now - self.begun) / self.duration)

    def finish(self) -> str:
        """Let the world take note."""
        self.end()
        return ''


def parse_line(line: bytes) -> LetterCommand | None:
    """Return the command of a whole line, or None when it is not one."""
    match = _COMMAND.fullmatch(line)
    if match is None:
        return None
    letter, trigger_id, tray = match.groups()
    return LetterCommand(letter.decode(), trigger_id.decode(), int(tray or 0))


class TimedProgram:
    """The state machine of the program: refuses what makes no sense, moves the world's parts otherwise."""

    def __init__(
        self, world: World, catalogue: Catalogue, time_scale: float = 1.0, event_letters: Mapping[str, str] = EVENT_LETTERS
    ) -> None:
        """Bind a program to its world.

        Args:
            world: What the arm moves in.
            catalogue: Gives the letters of the parts.
            time_scale: Movements are so many times faster than real ones.
            event_letters: Event -> its letter.
        """
        self._world = world
        self._events = {letter: event for event, letter in event_letters.items()}
        self._parts = {part.letter: part.part_number for part in catalogue.parts.values()}
        self._durations = {event: seconds / time_scale for event, seconds in DURATIONS.items()}

    def begin(self, command: LetterCommand, now: float) -> LetterMovement:
        """Begin what a letter asks for.

        Raises:
            ImpossibleMoveError: It makes no sense now; nothing has moved.
        """
        if command.letter in self._parts:
            return self._pick(self._parts[command.letter], command.tray, now)
        event = self._events.get(command.letter)
        if event is None:
            raise ImpossibleMoveError(f'unknown letter {command.letter}')
        duration = self._durations[event]
        return TimedMovement(now, duration, self._start(event, now, duration))

    def _pick(self, part_number: str, tray: int, now: float) -> LetterMovement:
        duration = self._durations['PART']
        self._world.pick(part_number, tray, now, duration)
        return TimedMovement(now, duration, self._world.settle)

    def _start(self, event: str, now: float, duration: float) -> Callable[[], None]:
        world = self._world
        if event in ('PLACE', 'REJECT'):
            world.carry_away(now, duration)
            return lambda: world.release(world.placed if event == 'PLACE' else world.rejected)
        if event == 'BENCHMARK':
            world.show_reference(now, duration)
            return world.settle
        if event == 'HOME' and world.held is not None:
            world.carry_away(now, duration)
        return world.return_reference if event == 'HOME' else lambda: None
