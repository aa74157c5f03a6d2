"""Letters program on the controller: native counterpart of urscript/letters.script with its taught sub-programs.

It moves the arm of the controller in the controller's cycle, so a stop of the program or of the arm stops it as well. A
protective stop pauses it; after a resume it continues. The poses come from the recipe.

Pure: no ROS, sockets, files or clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from cell_common.catalogue import EVENT_LETTERS, Catalogue
from cell_robot.motion import ApproachTarget, CellRecipe, matrix_to_pose
from cell_robot.robot_modes import RuntimeState

from cell_sim.letters.program import LetterCommand
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.program import Machine
from cell_sim.world.world import ImpossibleMoveError

__all__ = ['FILE_NAME', 'ControllerExecutor', 'LettersProgram']

FILE_NAME = 'letters.urp'
Subprogram = Iterator[None]
"""Yields once in every cycle until it ends."""


class SubprogramError(Exception):
    """A sub-program refused its command; the text is the reason."""


class ArmMovement:
    """Sub-program in progress.

    Attributes:
        passed: Number of completed moves.
        ended: Whether the sub-program has ended.
        message: Error message; "" = success, or still in progress.
    """

    def __init__(self, stages: int) -> None:
        """Create a movement of `stages` moves."""
        self._stages = stages
        self.passed = 0
        self.ended = False
        self.message = ''

    def finish_with(self, message: str) -> None:
        """Mark the movement as ended; `message` "" = success.

        Args:
            message: Reason for which the program refused the command.
        """
        self.message, self.ended = message, True

    def share(self, _now: float) -> float:
        """Return the completed share of the moves."""
        # Below 1 until the end: the last move may be complete while the gripper still opens.
        return 1.0 if self.ended else min(0.99, self.passed / self._stages)

    def finish(self) -> str:
        """Return the error message, "" on success."""
        return self.message


class LettersProgram:
    """The letters program while it runs.

    A sub-program is a generator that yields once per cycle, which keeps the order of moves as
    readable as in URScript. A paused program is not stepped, so a pause needs no code here.

    Attributes:
        name: Name that the controller shows as the running program.
        doing: Event and id of the trigger in progress, also while the program is paused; "" = none.
    """

    name = 'letters'

    def __init__(self, recipe: CellRecipe) -> None:
        """Create an idle program.

        Args:
            recipe: Taught poses, speeds and gripper.
        """
        self._recipe = recipe
        self._running: Subprogram | None = None
        self._requested: Callable[[Machine], Subprogram] | None = None
        self._movement = ArmMovement(1)
        self._seconds = 0.0
        self._reference = False
        """The part in the gripper is the known-good one."""
        self._slots: Counter[tuple[str, int]] = Counter()
        self.doing = ''

    def begin(self, event: str, part_number: str, tray: int, trigger_id: str = '') -> ArmMovement:
        """Start a sub-program.

        It starts in the next cycle, because only the cycle knows the machine. A sub-program in
        progress would be replaced: the caller sends one letter at a time.

        Args:
            event: Event that is not a part; "" for a part.
            part_number: Part to pick; "" for an event.
            tray: 1..255; 0 = the first tray with a part.
            trigger_id: Id of the trigger, for `doing`.

        Returns:
            Movement whose share grows with each completed move.

        Raises:
            ImpossibleMoveError: No sub-program exists for the part.
        """
        if part_number and part_number not in self._recipe.parts:
            raise ImpossibleMoveError('no sub-program for this letter')
        self._requested = (lambda machine: self._pick(machine, part_number, tray)) if part_number else self._events()[event]
        self._movement = ArmMovement(1 if event in ('START_PROGRAM', 'HOME') else 5)
        self.doing = f'{event or part_number} {trigger_id}'
        return self._movement

    def step(self, machine: Machine, _now: float, seconds: float) -> bool:
        """Run one cycle of the sub-program."""
        self._seconds = seconds
        if self._requested is not None:
            # Set with each command: another program may have changed it.
            machine.motion.tcp = self._recipe.cell.tool
            self._running, self._requested = self._requested(machine), None
        if self._running is not None:
            try:
                next(self._running)
            except StopIteration:
                self._end('')
            except SubprogramError as error:
                self._end(str(error))
        return True

    def _end(self, message: str) -> None:
        self._running, self.doing = None, ''
        self._movement.finish_with(message)

    def _events(self) -> Mapping[str, Callable[[Machine], Subprogram]]:
        return {
            'START_PROGRAM': self._home,
            'HOME': self._home,
            'BENCHMARK': self._benchmark,
            'PLACE': lambda machine: self._put_down(machine, 'place'),
            'REJECT': lambda machine: self._put_down(machine, 'reject'),
        }

    @property
    def _close_output(self) -> int:
        """Output that closes the gripper.

        Raises:
            SubprogramError: The gripper has none.
        """
        if (output := self._recipe.gripper.close_output) is None:
            raise SubprogramError('the letters program needs a gripper on digital outputs')
        return output

    def _pick(self, machine: Machine, part_number: str, tray: int) -> Subprogram:
        """Pick from the first tray that has a part, and show it to the camera."""
        if self._holds(machine):
            raise SubprogramError('gripper is not empty')
        if machine.registers.digital_outputs >> self._close_output & 1:
            yield from self._grip(machine, closed=False)
        trays = self._recipe.parts[part_number]
        for number in (tray,) if tray else sorted(trays):
            if number not in trays:
                continue
            slots = trays[number].slots
            # Slots are used in turn. The count rises only with a gripped part, so an empty grip is
            # repeated at the same slot.
            slot = slots[self._slots[part_number, number] % len(slots)]
            yield from self._approach(machine, slot)
            yield from self._grip(machine, closed=True)
            yield from self._retract(machine, slot)
            if self._holds(machine):
                self._slots[part_number, number] += 1
                break
            yield from self._grip(machine, closed=False)
        else:
            raise SubprogramError(f'tray {tray} is empty' if tray else 'all trays are empty')
        yield from self._move_joints(machine, self._recipe.waypoints['camera'])

    def _benchmark(self, machine: Machine) -> Subprogram:
        if not self._holds(machine):
            nest = self._recipe.targets['benchmark']
            yield from self._approach(machine, nest)
            yield from self._grip(machine, closed=True)
            yield from self._retract(machine, nest)
            self._reference = True
        yield from self._move_joints(machine, self._recipe.waypoints['camera'])

    def _put_down(self, machine: Machine, name: str) -> Subprogram:
        if not self._holds(machine):
            raise SubprogramError('gripper is empty')
        target = self._recipe.targets[name]
        yield from self._approach(machine, target)
        yield from self._grip(machine, closed=False)
        yield from self._retract(machine, target)
        yield from self._move_joints(machine, self._recipe.waypoints['home'])

    def _home(self, machine: Machine) -> Subprogram:
        """Move home; a reference part goes back to its nest first."""
        if self._reference and self._holds(machine):
            nest = self._recipe.targets['benchmark']
            yield from self._approach(machine, nest)
            yield from self._grip(machine, closed=False)
            yield from self._retract(machine, nest)
        self._reference = False
        yield from self._move_joints(machine, self._recipe.waypoints['home'])

    def _approach(self, machine: Machine, target: ApproachTarget) -> Subprogram:
        cell = self._recipe.cell
        yield from self._move_joints(machine, cell.solve(target.above, self._recipe.waypoints['camera']))
        speeds = self._recipe.speeds
        machine.motion.move_line(matrix_to_pose(target.pose), speeds.approach, speeds.linear_acceleration)
        yield from self._wait_standstill(machine)

    def _retract(self, machine: Machine, target: ApproachTarget) -> Subprogram:
        speeds = self._recipe.speeds
        machine.motion.move_line(matrix_to_pose(target.above), speeds.approach, speeds.linear_acceleration)
        yield from self._wait_standstill(machine)

    def _move_joints(self, machine: Machine, joints: tuple[float, ...]) -> Subprogram:
        speeds = self._recipe.speeds
        machine.motion.move_joints(joints, speeds.joint, speeds.joint_acceleration)
        yield from self._wait_standstill(machine)

    def _wait_standstill(self, machine: Machine) -> Subprogram:
        while machine.motion.moving:
            yield
        self._movement.passed += 1

    def _grip(self, machine: Machine, *, closed: bool) -> Subprogram:
        gripper, registers = self._recipe.gripper, machine.registers
        registers.set_output(self._close_output, closed)
        if gripper.open_output is not None:
            registers.set_output(gripper.open_output, not closed)
        left = gripper.close_time if closed else gripper.open_time
        while left > 0.0:
            yield
            left -= self._seconds
        self._movement.passed += 1

    def _holds(self, machine: Machine) -> bool:
        """Return the gripper sensor, or the gripper output if there is no sensor."""
        gripper, registers = self._recipe.gripper, machine.registers
        if gripper.part_input is None:
            return bool(registers.digital_outputs >> self._close_output & 1)
        return bool(registers.digital_inputs >> gripper.part_input & 1)


class ControllerExecutor:
    """Executes letters by the letters program that runs on a controller."""

    def __init__(
        self, controller: Callable[[], Controller], catalogue: Catalogue, event_letters: Mapping[str, str] = EVENT_LETTERS
    ) -> None:
        """Store the letters.

        Args:
            controller: Returns the controller; called after it has started.
            catalogue: Letters of the parts.
            event_letters: Event -> letter.
        """
        self._controller = controller
        self._events = {letter: event for event, letter in event_letters.items()}
        self._parts = {part.letter: part.part_number for part in catalogue.parts.values()}

    @property
    def state(self) -> RuntimeState:
        """State of the letters program: STOPPED also while another program runs."""
        controller = self._controller()
        return controller.runtime if isinstance(controller.program, LettersProgram) else RuntimeState.STOPPED

    def begin(self, command: LetterCommand, _now: float) -> ArmMovement:
        """Start the movement of a letter.

        Args:
            command: Letter with its id and tray.

        Raises:
            ImpossibleMoveError: The letter is unknown, or the program has ended.
        """
        program = self._controller().program
        if not isinstance(program, LettersProgram):
            raise ImpossibleMoveError('the program has ended')
        if command.letter in self._parts:
            return program.begin('', self._parts[command.letter], command.tray, command.trigger_id)
        event = self._events.get(command.letter)
        if event is None:
            raise ImpossibleMoveError(f'unknown letter {command.letter}')
        return program.begin(event, '', 0, command.trigger_id)
