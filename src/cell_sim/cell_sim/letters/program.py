r"""Rules of the UR program of the letters backend.

Framing `line`: `<letter> <id> [tray]\n` is received. `ACK <id>\n` and then `DONE <id>\n` or `ERR <id> <reason>\n` is sent,
and `HB\n` every second. Framing `bare`: one letter is received and `ack\n` is sent at the end of the movement, or `ack\n`
at its start and `done\n` at its end.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cell_common.catalogue import EVENT_LETTERS, Catalogue

from cell_sim.world.world import ImpossibleMoveError, World

__all__ = ['LetterCommand', 'TimedProgram', 'parse_line']

DURATIONS: Mapping[str, float] = {'PART': 1.6, 'PLACE': 1.2, 'REJECT': 1.2, 'START_PROGRAM': 0.5, 'HOME': 0.8, 'BENCHMARK': 1.6}
"""Duration of each movement, seconds."""
LINE_LIMIT = 256
"""Longest line in bytes that a string variable of a UR program has to hold."""
_COMMAND = re.compile(rb'([A-Za-z0-9]) ([A-Za-z0-9_-]{1,64})(?: ([0-4]))?\r?\n')


@dataclass(frozen=True)
class LetterCommand:
    """One letter from the robot node.

    Attributes:
        letter: One ASCII letter or digit.
        trigger_id: Correlation id, 1 to 64 characters of A-Z, a-z, 0-9, _ and -; "" in framing
            `bare`.
        tray: 1..255; 0 = the program chooses.
    """

    letter: str
    trigger_id: str = ''
    tray: int = 0


class LetterMovement(Protocol):
    """Movement in progress; it continues without a connection.

    `share` may be called at any rate. `finish` is called exactly once, also when the client stops
    early.
    """

    def share(self, now: float) -> float:
        """Return the completed share, 0..1; 1 after any end."""
        ...

    def finish(self) -> str:
        """Apply the effect of the movement, once; return an error message, "" on success."""
        ...


class LetterExecutor(Protocol):
    """Moves the arm for a letter. Implemented by `TimedProgram`, and by the simulated controller's `ControllerExecutor`."""

    def begin(self, command: LetterCommand, now: float) -> LetterMovement:
        """Start the movement of a letter.

        Args:
            command: Letter with its id and tray.
            now: Seconds of any steady clock, the same one as for `LetterMovement.share`.

        Returns:
            The movement, which has started.

        Raises:
            ImpossibleMoveError: The movement makes no sense now; the arm has not moved.
        """
        ...


@dataclass(frozen=True)
class TimedMovement:
    """Movement that is simulated by its duration only.

    Attributes:
        begun: Start, seconds.
        duration: Seconds, above 0.
        end: Applies the effect to the world.
    """

    begun: float
    duration: float
    end: Callable[[], None]

    def share(self, now: float) -> float:
        """Return the completed share, 0..1."""
        return min(1.0, (now - self.begun) / self.duration)

    def finish(self) -> str:
        """Apply the effect to the world."""
        self.end()
        return ''


def parse_line(line: bytes) -> LetterCommand | None:
    """Return the command of a complete line, or None if it is no command.

    Args:
        line: Bytes with their line end, LF or CR LF.
    """
    match = _COMMAND.fullmatch(line)
    if match is None:
        return None
    letter, trigger_id, tray = match.groups()
    return LetterCommand(letter.decode(), trigger_id.decode(), int(tray or 0))


class TimedProgram:
    """Letters program without an arm: refuses impossible letters, and moves the world's parts after each duration."""

    def __init__(
        self, world: World, catalogue: Catalogue, time_scale: float = 1.0, event_letters: Mapping[str, str] = EVENT_LETTERS
    ) -> None:
        """Store the letters and durations.

        Args:
            world: Parts that the arm moves.
            catalogue: Letters of the parts.
            time_scale: Speed relative to a real arm.
            event_letters: Event -> letter.
        """
        self._world = world
        self._events = {letter: event for event, letter in event_letters.items()}
        self._parts = {part.letter: part.part_number for part in catalogue.parts.values()}
        self._durations = {event: seconds / time_scale for event, seconds in DURATIONS.items()}

    def begin(self, command: LetterCommand, now: float) -> LetterMovement:
        """Start the movement of a letter.

        A pick changes the world at its start: the part is in the gripper while the arm carries it
        to the camera. PLACE and REJECT change it at their end.

        Args:
            command: Letter; parts come from the catalogue, events from `event_letters`.
            now: Seconds of any steady clock.

        Raises:
            ImpossibleMoveError: The movement makes no sense now; the arm has not moved.
        """
        # Parts come first; the robot node refuses a letter that stands for a part and for an event.
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
        """Start an event and return the effect of its end."""
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
