"""The letters program on the controller: what urscript/letters.script and taught sub-programs make the arm do.

The native twin of that program. It moves the controller's own arm in the controller's cycle, so whatever stops a program or
an arm stops this one: paused by a protective stop it says nothing and goes on when it is resumed, ended it is gone.
Where the arm goes is taken from the recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from cell_common.catalogue import EVENT_LETTERS, Catalogue
from cell_robot.motion.poses import pose
from cell_robot.motion.recipe import Recipe, Target

from cell_sim.letters.program import LetterCommand
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.program import Machine
from cell_sim.ur_controller.states import RuntimeState
from cell_sim.world.world import ImpossibleMoveError

FILE_NAME = 'letters.urp'
FREE_TRAYS = (1, 2, 3, 4)
Work = Iterator[None]
"""Yields once in every cycle while it is under way."""


class SubprogramError(Exception):
    """The program's sub-program returned a reason instead of doing its work."""


class ArmMovement:
    """A sub-program under way."""

    def __init__(self, stages: int) -> None:
        """Begin; `stages` moves lie ahead."""
        self._stages = stages
        self.passed = 0
        """Moves that are behind it."""
        self.ended = False
        self.problem = ''

    def share(self, _now: float) -> float:
        """Return how much of it is done, by moves."""
        return 1.0 if self.ended else min(0.99, self.passed / self._stages)

    def finish(self) -> str:
        """Return why it was not carried out."""
        return self.problem


class LettersProgram:
    """The running program."""

    name = 'letters'

    def __init__(self, recipe: Recipe) -> None:
        """Begin with nothing to do."""
        self._recipe = recipe
        self._work: Work | None = None
        self._called: Callable[[Machine], Work] | None = None
        self._movement = ArmMovement(1)
        self._seconds = 0.0
        self._reference = False
        """The piece in the gripper is the known-good one."""
        self._slots: Counter[tuple[str, int]] = Counter()
        self.doing = ''
        """Event and id of the trigger that is being carried out, also while the program is paused; "" = none."""

    def begin(self, event: str, part_number: str, tray: int, trigger_id: str = '') -> ArmMovement:
        """Call a sub-program.

        Raises:
            ImpossibleMoveError: There is none.
        """
        if part_number and part_number not in self._recipe.parts:
            raise ImpossibleMoveError('no sub-program for this letter')
        self._called = (lambda machine: self._pick(machine, part_number, tray)) if part_number else self._events()[event]
        self._movement = ArmMovement(1 if event in ('START_PROGRAM', 'HOME') else 5)
        self.doing = f'{event or part_number} {trigger_id}'
        return self._movement

    def step(self, machine: Machine, _now: float, seconds: float) -> bool:
        """Do one cycle of the sub-program."""
        self._seconds = seconds
        if self._called is not None:
            machine.motion.tcp = self._recipe.cell.tool
            self._work, self._called = self._called(machine), None
        if self._work is not None:
            try:
                next(self._work)
            except StopIteration:
                self._end('')
            except SubprogramError as reason:
                self._end(str(reason))
        return True

    def _end(self, problem: str) -> None:
        self._work, self.doing = None, ''
        self._movement.problem, self._movement.ended = problem, True

    def _events(self) -> Mapping[str, Callable[[Machine], Work]]:
        return {
            'START_PROGRAM': self._home,
            'HOME': self._home,
            'BENCHMARK': self._benchmark,
            'PLACE': lambda machine: self._put(machine, 'place'),
            'REJECT': lambda machine: self._put(machine, 'reject'),
        }

    def _pick(self, machine: Machine, part_number: str, tray: int) -> Work:
        if self._holds(machine):
            raise SubprogramError('gripper is not empty')
        if machine.registers.digital_outputs >> self._recipe.gripper.close_output & 1:
            yield from self._grip(machine, closed=False)
        trays = self._recipe.parts[part_number]
        for number in (tray,) if tray else FREE_TRAYS:
            if number not in trays:
                continue
            slots = trays[number].slots
            slot = slots[self._slots[part_number, number] % len(slots)]
            yield from self._reach(machine, slot)
            yield from self._grip(machine, closed=True)
            yield from self._lift(machine, slot)
            if self._holds(machine):
                self._slots[part_number, number] += 1
                break
            yield from self._grip(machine, closed=False)
        else:
            raise SubprogramError(f'tray {tray} is empty' if tray else 'all trays are empty')
        yield from self._swing(machine, self._recipe.waypoints['camera'])

    def _benchmark(self, machine: Machine) -> Work:
        if not self._holds(machine):
            nest = self._recipe.targets['benchmark']
            yield from self._reach(machine, nest)
            yield from self._grip(machine, closed=True)
            yield from self._lift(machine, nest)
            self._reference = True
        yield from self._swing(machine, self._recipe.waypoints['camera'])

    def _put(self, machine: Machine, name: str) -> Work:
        if not self._holds(machine):
            raise SubprogramError('gripper is empty')
        target = self._recipe.targets[name]
        yield from self._reach(machine, target)
        yield from self._grip(machine, closed=False)
        yield from self._lift(machine, target)
        yield from self._swing(machine, self._recipe.waypoints['home'])

    def _home(self, machine: Machine) -> Work:
        if self._reference and self._holds(machine):
            nest = self._recipe.targets['benchmark']
            yield from self._reach(machine, nest)
            yield from self._grip(machine, closed=False)
            yield from self._lift(machine, nest)
        self._reference = False
        yield from self._swing(machine, self._recipe.waypoints['home'])

    def _reach(self, machine: Machine, target: Target) -> Work:
        cell = self._recipe.cell
        yield from self._swing(machine, cell.solve(target.above, self._recipe.waypoints['camera']))
        speeds = self._recipe.speeds
        machine.motion.move_line(pose(target.pose), speeds.approach, speeds.linear_acceleration)
        yield from self._arrive(machine)

    def _lift(self, machine: Machine, target: Target) -> Work:
        speeds = self._recipe.speeds
        machine.motion.move_line(pose(target.above), speeds.approach, speeds.linear_acceleration)
        yield from self._arrive(machine)

    def _swing(self, machine: Machine, joints: tuple[float, ...]) -> Work:
        speeds = self._recipe.speeds
        machine.motion.move_joints(joints, speeds.joint, speeds.joint_acceleration)
        yield from self._arrive(machine)

    def _arrive(self, machine: Machine) -> Work:
        while machine.motion.moving:
            yield
        self._movement.passed += 1

    def _grip(self, machine: Machine, *, closed: bool) -> Work:
        gripper, registers = self._recipe.gripper, machine.registers
        registers.set_output(gripper.close_output, closed)
        if gripper.open_output is not None:
            registers.set_output(gripper.open_output, not closed)
        left = gripper.close_time if closed else gripper.open_time
        while left > 0.0:
            yield
            left -= self._seconds
        self._movement.passed += 1

    def _holds(self, machine: Machine) -> bool:
        """Return what the sensor says; without one the gripper is believed."""
        gripper, registers = self._recipe.gripper, machine.registers
        if gripper.part_input is None:
            return bool(registers.digital_outputs >> gripper.close_output & 1)
        return bool(registers.digital_inputs >> gripper.part_input & 1)


class ControllerMotions:
    """Lets letters be carried out by the program that a controller is running."""

    def __init__(
        self, controller: Callable[[], Controller], catalogue: Catalogue, event_letters: Mapping[str, str] = EVENT_LETTERS
    ) -> None:
        """Know the letters; `controller` returns the controller once it is switched on."""
        self._controller = controller
        self._events = {letter: event for event, letter in event_letters.items()}
        self._parts = {part.letter: part.part_number for part in catalogue.parts.values()}

    @property
    def state(self) -> RuntimeState:
        """What the program is doing: STOPPED also while another program runs."""
        controller = self._controller()
        return controller.runtime if isinstance(controller.program, LettersProgram) else RuntimeState.STOPPED

    def begin(self, command: LetterCommand, _now: float) -> ArmMovement:
        """Begin what a letter asks for.

        Raises:
            ImpossibleMoveError: The program knows no such letter.
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
