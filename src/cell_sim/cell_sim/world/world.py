"""Physical state of the cell: trays, the part in the gripper, the output bin and the reject tray.

Every simulated device reads or changes this one model, so camera, robot and trays cannot contradict each other.
Time is an argument: seconds of any steady clock.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cell_sim.faults import UnknownFaultError
from cell_sim.world.parts import PhysicalPart, TrayMix

__all__ = ['EMPTY', 'CameraView', 'ImpossibleMoveError', 'ViewPhase', 'World']

Observer = Callable[..., None]
"""Called with the name of an event and its facts as keyword arguments."""


class ImpossibleMoveError(Exception):
    """The arm cannot execute the move now; the text is the reason that the robot program reports."""


class ViewPhase(enum.Enum):
    """Visibility of the part in the gripper.

    AWAY: outside the image. MOVING: in the image, blurred. STILL: stands before the camera,
    readable.
    """

    AWAY = 'away'
    MOVING = 'moving'
    STILL = 'still'


class ArmMove(enum.Enum):
    """Kind of the last timed movement."""

    SHOW = 'show'
    LEAVE = 'leave'


REFERENCE = 'reference/'
"""Serial prefix of known-good parts, which lie in a nest and not in a tray."""
ARRIVING, STANDING = 0.55, 0.85
"""Shares of a show movement at which the part enters the image, and at which it stands still."""
GONE = 0.3
"""Share of a leave movement at which the part has left the image."""


@dataclass(frozen=True)
class CameraView:
    """Subject of the camera.

    Attributes:
        piece: Held part, None with an empty gripper.
        phase: Its visibility; AWAY without a part.
    """

    piece: PhysicalPart | None
    phase: ViewPhase


EMPTY = CameraView(None, ViewPhase.AWAY)


def _ignore(_event: str, **_facts: object) -> None:
    """Ignore an event."""


class World:
    """Trays, gripper, output bin, reject tray. Not thread-safe: one thread owns it.

    Visibility of the held part has two sources. A robot that is simulated by durations starts timed
    movements (`pick`, `show_reference`, `carry_away`). A simulated arm reports its position with
    `set_visibility`, which from then on overrides the timed movement.

    Attributes:
        held: Part in the gripper, None if empty.
        placed: Parts in the output bin, oldest first.
        rejected: Parts in the reject tray, oldest first.
        dropped: Parts released where no part belongs.
        presented_part: Part whose trays occupy the places that several parts share; "" = none yet.
    """

    def __init__(self, mix: TrayMix, observer: Observer = _ignore) -> None:
        """Create a world with empty trays.

        Args:
            mix: Draws the parts that enter the trays.
            observer: Receives every physical event (the ground truth log of tests).
        """
        self._mix = mix
        self._observer = observer
        self._trays: dict[tuple[str, int], deque[PhysicalPart]] = {}
        self._added: Counter[tuple[str, int]] = Counter()
        self._move, self._start, self._end = ArmMove.LEAVE, 0.0, 0.0
        self.held: PhysicalPart | None = None
        self.placed: list[PhysicalPart] = []
        self.rejected: list[PhysicalPart] = []
        self.dropped: list[PhysicalPart] = []
        self.presented_part = ''
        self._visibility: ViewPhase | None = None
        self._last_picked = next(iter(mix.part_numbers), '')
        self._in_nest = ''
        self._references = 0

    def count(self, part_number: str, tray: int) -> int:
        """Return the number of parts in a tray."""
        return len(self._trays.get((part_number, tray), ()))

    def present_part(self, part_number: str) -> None:
        """Set up the trays of a part in the places that several parts share."""
        self.presented_part = part_number

    def change_tray(self, part_number: str, tray: int, delta: int) -> None:
        """Add parts to a tray, or remove parts at its far end; an empty tray stays empty.

        Args:
            part_number: Owner of the tray.
            tray: 1..255.
            delta: Parts to add; negative = to remove, at most as many as there are.
        """
        place = (part_number, tray)
        pieces = self._trays.setdefault(place, deque())
        for _ in range(delta):
            self._added[place] += 1
            pieces.append(self._mix.draw(part_number, tray, self._added[place]))
        for _ in range(min(-delta, len(pieces))):
            pieces.pop()
        self._observer('tray', ordered=part_number, tray=tray, delta=delta, count=len(pieces))

    def fill(self, stock: Iterable[tuple[str, int, int]]) -> None:
        """Bring trays to the given counts, each (part number, tray, count)."""
        for part_number, tray, count in stock:
            self.change_tray(part_number, tray, count - self.count(part_number, tray))

    def pick(self, part_number: str, tray: int, now: float, duration: float) -> PhysicalPart:
        """Take the next part out of a tray and start to show it to the camera.

        Args:
            part_number: Owner of the tray; the part in it may be another one.
            tray: 1..255, or 0 for the first tray that is not empty.
            now: Time, seconds.
            duration: Seconds until the robot stands before the camera and reports the end of the movement.

        Raises:
            ImpossibleMoveError: The gripper holds a part, or the tray is empty.
        """
        if self.held is not None:
            raise ImpossibleMoveError('gripper is not empty')
        pieces = self._find(part_number, tray)
        if not pieces:
            raise ImpossibleMoveError(f'tray {tray} is empty' if tray else 'all trays are empty')
        self.held = pieces.popleft()
        self._last_picked = part_number
        self._begin(ArmMove.SHOW, now, duration)
        self._observer('picked', ordered=part_number, **_facts(self.held))
        return self.held

    def show_reference(self, now: float, duration: float) -> PhysicalPart:
        """Show the held part again, or the known-good part from the nest.

        The nest holds a part of the last picked number unless `place_in_nest` has named another.
        """
        held = self.held or self.grip_reference()
        self._begin(ArmMove.SHOW, now, duration)
        return held

    def carry_away(self, now: float, duration: float) -> PhysicalPart:
        """Start to carry the held part away from the camera.

        Args:
            now: Time, seconds.
            duration: Seconds until the end of the movement.

        Raises:
            ImpossibleMoveError: The gripper is empty.
        """
        if self.held is None:
            raise ImpossibleMoveError('gripper is empty')
        self._begin(ArmMove.LEAVE, now, duration)
        return self.held

    def release(self, into: list[PhysicalPart]) -> None:
        """Open the gripper over `placed`, `rejected` or `dropped`.

        Args:
            into: One of these lists of this world, by identity. Nothing happens with an empty
                gripper.
        """
        if self.held is not None:
            into.append(self.held)
            names = ((self.placed, 'placed'), (self.rejected, 'rejected'), (self.dropped, 'dropped'))
            self._observer(next(name for place, name in names if place is into), **_facts(self.held))
            self.held = None

    def grip(self, part_number: str, tray: int) -> PhysicalPart | None:
        """Close the gripper at a tray; return the gripped part, or None if there is none.

        Args:
            part_number: Owner of the tray.
            tray: 1..255, or 0 for the first tray that is not empty.
        """
        pieces = self._find(part_number, tray)
        if self.held is not None or not pieces:
            return None
        # AWAY until the arm's next cycle: the visibility of the part before must not show this one.
        self.held, self._last_picked, self._visibility = pieces.popleft(), part_number, ViewPhase.AWAY
        self._observer('picked', ordered=part_number, **_facts(self.held))
        return self.held

    def grip_reference(self) -> PhysicalPart:
        """Close the gripper at the nest and return the known-good part."""
        part_number = self._in_nest or self._last_picked
        self._references += 1
        # A gripper never holds the same part in exactly the same place again.
        self.held = PhysicalPart(part_number, False, f'{REFERENCE}{part_number}/{self._references}')
        return self.held

    def set_visibility(self, phase: ViewPhase) -> None:
        """Set the visibility from the position of the arm; it then no longer follows the time of a movement.

        Args:
            phase: Visibility now. The change to STILL is recorded in the ground truth.
        """
        if phase is ViewPhase.STILL and self._visibility is not phase:
            self.settle()
        self._visibility = phase

    def place_in_nest(self, part_number: str) -> str:
        """Put a known-good part into the nest and return a description.

        Raises:
            UnknownFaultError: The part number is unknown.
        """
        if part_number not in self._mix.part_numbers:
            raise UnknownFaultError(f'no part "{part_number}"; known parts: {", ".join(self._mix.part_numbers)}')
        self._in_nest = part_number
        return f'the nest holds a known-good {part_number}'

    def return_reference(self) -> None:
        """Put a reference part back into its nest; any other part stays in the gripper."""
        if self.held is not None and self.held.serial.startswith(REFERENCE):
            self.held = None

    def remove_part(self) -> None:
        """Remove the held part from the cell, as an operator would by hand."""
        if self.held is not None:
            self._observer('taken_away', **_facts(self.held))
            self.held = None

    def settle(self) -> None:
        """Record that the held part stands still before the camera."""
        if self.held is not None:
            self._observer('held_up', **_facts(self.held))

    def view(self, now: float) -> CameraView:
        """Return the subject of the camera at a time.

        The camera's worker thread calls this method while the event loop changes the world. It only
        reads, and takes `held` once. At worst one frame has the visibility of the movement before.

        Args:
            now: Seconds, by the clock of the movements.
        """
        held = self.held
        if held is None:
            return EMPTY
        if self._visibility is not None:
            return CameraView(held, self._visibility)
        # Also protects against a division by zero: a movement of no duration has ended.
        share = 1.0 if now >= self._end else (now - self._start) / (self._end - self._start)
        if self._move is ArmMove.LEAVE:
            return CameraView(held, ViewPhase.MOVING if share < GONE else ViewPhase.AWAY)
        if share < ARRIVING:
            return CameraView(held, ViewPhase.AWAY)
        return CameraView(held, ViewPhase.MOVING if share < STANDING else ViewPhase.STILL)

    def _begin(self, move: ArmMove, now: float, duration: float) -> None:
        self._move, self._start, self._end = move, now, now + duration

    def _find(self, part_number: str, tray: int) -> deque[PhysicalPart] | None:
        wanted = [tray] if tray else sorted(number for name, number in self._trays if name == part_number)
        return next((pieces for number in wanted if (pieces := self._trays.get((part_number, number)))), None)


def _facts(piece: PhysicalPart) -> dict[str, object]:
    return {'part_number': piece.part_number, 'unreadable': piece.unreadable, 'serial': piece.serial}
