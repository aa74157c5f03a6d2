"""The one model of what is physically there: trays, the part in the gripper, the place bin, the reject tray.

It knows no network and no clock: time is an argument (seconds of any steady clock). Everything that a device of the
simulated cell sees or does goes through it, so that camera, robot and trays can never contradict each other.
"""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cell_sim.faults import UnknownFaultError
from cell_sim.world.parts import PhysicalPart, TrayMix

Observer = Callable[..., None]
"""Called with a word for what happened and its facts as keyword arguments."""


class ImpossibleMoveError(Exception):
    """The arm cannot do that now; the text says why, as the robot's program would."""


class ViewPhase(enum.Enum):
    """What the camera can set_visibility of the part in the gripper."""

    AWAY = 'away'
    MOVING = 'moving'
    STILL = 'still'


class ArmMove(enum.Enum):
    """What the arm does with the part."""

    SHOW = 'show'
    LEAVE = 'leave'


REFERENCE = 'reference/'
"""Begins the serial of known-good pieces, which lie in a nest and not in a tray."""
ARRIVING, STANDING = 0.55, 0.85
"""Shares of a show movement at which the part comes into view, and at which it stands still."""
GONE = 0.3
"""Share of a leave movement at which the part is out of view."""


@dataclass(frozen=True)
class CameraView:
    """What is before the camera."""

    piece: PhysicalPart | None
    phase: ViewPhase


EMPTY = CameraView(None, ViewPhase.AWAY)


def _ignore(_event: str, **_facts: object) -> None:
    """Observe nothing."""


class World:
    """Trays, gripper, place bin, reject tray. Not thread-safe: one thread owns it."""

    def __init__(self, mixture: TrayMix, observer: Observer = _ignore) -> None:
        """Make a world with empty trays.

        Args:
            mixture: Decides what is laid into the trays.
            observer: Told of every physical event (the truth log of tests).
        """
        self._mixture = mixture
        self._observer = observer
        self._trays: dict[tuple[str, int], deque[PhysicalPart]] = {}
        self._laid: Counter[tuple[str, int]] = Counter()
        self._move, self._start, self._end = ArmMove.LEAVE, 0.0, 0.0
        self.held: PhysicalPart | None = None
        self.placed: list[PhysicalPart] = []
        self.rejected: list[PhysicalPart] = []
        self.dropped: list[PhysicalPart] = []
        """Let go of where nothing is to be put down."""
        self.on_table = ''
        """Part whose trays settle in the places that several parts share; "" = nobody has set any up."""
        self._visibility: ViewPhase | None = None
        self._last_picked = next(iter(mixture.part_numbers), '')
        self._in_nest = ''

    def count(self, part_number: str, tray: int) -> int:
        """Return how many pieces lie in a tray."""
        return len(self._trays.get((part_number, tray), ()))

    def change_tray(self, part_number: str, tray: int, delta: int) -> None:
        """Lay pieces into a tray, or grip some out at its far end; an empty tray stays empty."""
        place = (part_number, tray)
        pieces = self._trays.setdefault(place, deque())
        for _ in range(delta):
            self._laid[place] += 1
            pieces.append(self._mixture.draw(part_number, tray, self._laid[place]))
        for _ in range(min(-delta, len(pieces))):
            pieces.pop()
        self._observer('tray', ordered=part_number, tray=tray, delta=delta, count=len(pieces))

    def fill(self, stock: Iterable[tuple[str, int, int]]) -> None:
        """Bring trays to the counts given, each (part number, tray, count)."""
        for part_number, tray, count in stock:
            self.change_tray(part_number, tray, count - self.count(part_number, tray))

    def pick(self, part_number: str, tray: int, now: float, duration: float) -> PhysicalPart:
        """Take the next piece out of a tray and begin to hold it up.

        Args:
            part_number: Whose trays; what lies there may be another part.
            tray: 1..4, or 0 for the first tray that is not empty.
            now: Time, seconds.
            duration: Seconds until the robot stands still before the camera and says that it is done.

        Raises:
            ImpossibleMoveError: The gripper holds a part already, or the tray is empty.
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
        """Hold up the part in the gripper once more, or the known-good piece out of the nest.

        Until a person lays another one into the nest, it is a piece of the part that was picked last.
        """
        held = self.held or self.grip_reference()
        self._begin(ArmMove.SHOW, now, duration)
        return held

    def carry_away(self, now: float, duration: float) -> PhysicalPart:
        """Begin to carry the part in the gripper away from the camera.

        Raises:
            ImpossibleMoveError: The gripper is empty.
        """
        if self.held is None:
            raise ImpossibleMoveError('gripper is empty')
        self._begin(ArmMove.LEAVE, now, duration)
        return self.held

    def release(self, into: list[PhysicalPart]) -> None:
        """Let the part fall into the place bin, into the reject tray, or to the floor (`placed`, `rejected` or `dropped`)."""
        if self.held is not None:
            into.append(self.held)
            names = ((self.placed, 'placed'), (self.rejected, 'rejected'), (self.dropped, 'dropped'))
            self._observer(next(name for place, name in names if place is into), **_facts(self.held))
            self.held = None

    def grip(self, part_number: str, tray: int) -> PhysicalPart | None:
        """Close the gripper round the next piece of a tray; returns None when there is nothing to hold."""
        pieces = self._find(part_number, tray)
        if self.held is not None or not pieces:
            return None
        self.held, self._last_picked, self._visibility = pieces.popleft(), part_number, ViewPhase.AWAY
        self._observer('picked', ordered=part_number, **_facts(self.held))
        return self.held

    def grip_reference(self) -> PhysicalPart:
        """Close the gripper round the known-good piece in the nest."""
        part_number = self._in_nest or self._last_picked
        self.held = PhysicalPart(part_number, False, REFERENCE + part_number)
        return self.held

    def set_visibility(self, phase: ViewPhase) -> None:
        """Let the place of the arm, and not the time since a movement began, tell what the camera sees of the part."""
        if phase is ViewPhase.STILL and self._visibility is not phase:
            self.settle()
        self._visibility = phase

    def place_in_nest(self, part_number: str) -> str:
        """Let a person lay a known-good piece of a part into the nest, and say so.

        Raises:
            UnknownFaultError: There is no such part.
        """
        if part_number not in self._mixture.part_numbers:
            raise UnknownFaultError(f'no part "{part_number}"; there are: {", ".join(self._mixture.part_numbers)}')
        self._in_nest = part_number
        return f'a known-good {part_number} lies in the nest'

    def return_reference(self) -> None:
        """Put a reference piece back into its nest; any other part stays in the gripper."""
        if self.held is not None and self.held.serial.startswith(REFERENCE):
            self.held = None

    def remove_part(self) -> None:
        """Let a person grip the part out of the gripper and out of the cell."""
        if self.held is not None:
            self._observer('taken_away', **_facts(self.held))
            self.held = None

    def settle(self) -> None:
        """Note that the part stands still before the camera."""
        if self.held is not None:
            self._observer('held_up', **_facts(self.held))

    def view(self, now: float) -> CameraView:
        """Return what the camera sees at a time."""
        held = self.held
        if held is None:
            return EMPTY
        if self._visibility is not None:
            return CameraView(held, self._visibility)
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
