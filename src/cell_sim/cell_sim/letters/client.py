"""The UR controller's end of the letters link: dials the robot node, runs the program, can be told to misbehave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cell_common.catalogue import EVENT_LETTERS

from cell_sim.faults import Faults
from cell_sim.letters.program import LINE_LIMIT, Command, Motions, Movement, parse_line
from cell_sim.net.tcp_client import Dialler
from cell_sim.ur_controller.states import RuntimeState
from cell_sim.world.world import Impossible

HEARTBEAT_S = 1.0
REACTION_S = 0.02
"""Time the program's loop takes to see a letter."""
POLL_S = 0.005
WATCH_S = 0.05
FAULTS = {
    'no_ack': ('the next triggers are neither acknowledged nor carried out, times', 1.0),
    'no_done': ('the next triggers are acknowledged and carried out, but never reported done, times', 1.0),
    'refuse': ('the next triggers are refused, times', 1.0),
    'late': ('the next trigger is reported done so many seconds late', 5.0),
    'drop_connection': ('the link breaks while the next trigger is carried out, seconds until it comes back', 2.0),
    'disconnect': ('the link breaks now, seconds until it comes back', 2.0),
    'silent': ('nothing is sent though the link stands, seconds', 5.0),
    'clear': ('armed faults are forgotten and a silence ends now', 1.0),
    'empty_hand': ('a person takes the part out of the gripper now', 1.0),
}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RobotSettings:
    """How the robot of the world behaves."""

    host: str = '127.0.0.1'
    port: int = 50010
    """Of the robot node."""
    framing: str = 'line'
    bare_reply: str = 'ack'
    time_scale: float = 1.0
    event_letters: Mapping[str, str] = field(default_factory=lambda: EVENT_LETTERS)


def _always_playing() -> RuntimeState:
    return RuntimeState.PLAYING


class RobotProgram:
    """A UR controller that runs the program; survives every loss of the link as the real one does."""

    def __init__(
        self,
        program: Motions,
        host: str,
        port: int,
        *,
        framing: str = 'line',
        bare_reply: str = 'ack',
        take_away: Callable[[], None] = lambda: None,
        state: Callable[[], RuntimeState] = _always_playing,
    ) -> None:
        """Make a controller that is not running yet.

        Args:
            program: Moves the arm.
            host: Where the robot node listens.
            port: Its TCP port.
            framing: `line` or `bare`.
            bare_reply: In framing `bare`: `ack` at the end of a movement, or `ack_done`, one at each end.
            take_away: Takes the part out of the gripper (fault `empty_hand`).
            state: What the controller does with the program: paused it is silent, stopped it has no connection.
        """
        self._state = state
        self._program, self._framing, self._take_away = program, framing, take_away
        self._bare = ('ack', 'done') if bare_reply == 'ack_done' else ('', 'ack')
        self.faults = Faults(FAULTS)
        self._link = Dialler('the robot program', host, port, self._talk)
        self.connected = self._link.connected
        self._busy = False
        self._mute_until = 0.0

    async def start(self) -> None:
        """Begin to dial the robot node."""
        self._link.start()
        if self._state is not _always_playing:
            self._link.spawn(self._watch())

    async def stop(self) -> None:
        """End the program and close the link."""
        await self._link.stop()

    def inject(self, fault: str, value: float) -> str:
        """Arm a fault; `disconnect`, `silent` and `empty_hand` act at once.

        Raises:
            UnknownFault: There is no such fault.
        """
        text = self.faults.arm(fault, value)
        if seconds := self.faults.amount('disconnect'):
            self._link.leave(seconds)
        if seconds := self.faults.amount('silent'):
            self._mute_until = self._now() + seconds
        if self.faults.amount('clear'):
            self.faults.disarm()
            self._mute_until = self._now()
        if self.faults.amount('empty_hand'):
            self._take_away()
        return text

    async def _talk(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        beat = self._link.spawn(self._heartbeat()) if self._framing == 'line' else None
        try:
            while (command := await self._receive(reader)) is not None:
                self._link.spawn(self._obey(command))
        finally:
            if beat is not None:
                beat.cancel()

    async def _receive(self, reader: asyncio.StreamReader) -> Command | None:
        if self._framing == 'bare':
            while (byte := await reader.read(1)).isspace():
                pass
            return Command(byte.decode('latin-1')) if byte else None
        while True:
            line = await reader.readuntil(b'\n')
            if len(line) <= LINE_LIMIT and (command := parse_line(line)) is not None:
                return command
            _LOG.warning('the program does not understand %r', line[:LINE_LIMIT])

    async def _watch(self) -> None:
        """Have no connection while the program does not run, and open none while it is paused."""
        while True:
            state = self._state()
            if state == RuntimeState.STOPPED or (state != RuntimeState.PLAYING and self._link.writer is None):
                self._link.leave(2 * WATCH_S)
            await asyncio.sleep(WATCH_S)

    async def _resumed(self) -> None:
        """Wait while the program is paused."""
        while self._state() not in (RuntimeState.PLAYING, RuntimeState.STOPPED):
            await asyncio.sleep(POLL_S)

    async def _obey(self, command: Command) -> None:
        link = self._link.writer
        await asyncio.sleep(REACTION_S)
        await self._resumed()
        if link is None or self._link.writer is not link:
            return
        if self.faults.once('no_ack'):
            return
        if self.faults.once('refuse'):
            self._refuse(command, 'refused by the program')
            return
        if self._busy:
            self._refuse(command, 'busy')
            return
        try:
            movement = self._program.begin(command, self._now())
        except Impossible as reason:
            self._refuse(command, str(reason))
            return
        self._busy = True
        self._say(f'ACK {command.trigger_id}', self._bare[0])
        await self._carry_out(command, movement)

    async def _carry_out(self, command: Command, movement: Movement) -> None:
        link, problem = self._link.writer, ''
        try:
            away = self.faults.amount('drop_connection')
            await self._until(movement, 0.5)
            if away:
                self._link.leave(away)
            await self._until(movement, 1.0)
        finally:
            problem = movement.finish()
            self._busy = False
        await asyncio.sleep(self.faults.amount('late'))
        await self._resumed()
        if self.faults.once('no_done') or self._link.writer is not link:
            return
        if problem:
            self._refuse(command, problem)
        else:
            self._say(f'DONE {command.trigger_id}', self._bare[1])

    async def _until(self, movement: Movement, share: float) -> None:
        while movement.share(self._now()) < share and self._state() != RuntimeState.STOPPED:
            await asyncio.sleep(POLL_S)

    def _refuse(self, command: Command, reason: str) -> None:
        self._say(f'ERR {command.trigger_id} {reason}', '')

    async def _heartbeat(self) -> None:
        while True:
            self._say('HB', '')
            await asyncio.sleep(HEARTBEAT_S)

    def _say(self, line: str, bare: str) -> None:
        text = bare if self._framing == 'bare' else line
        if text and self._now() >= self._mute_until and self._state() == RuntimeState.PLAYING:
            self._link.send(text.encode() + b'\n')

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
