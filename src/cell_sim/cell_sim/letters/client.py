"""The UR controller's end of the letters link: dials the robot node, runs the program, can be told to misbehave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cell_common.catalogue import EVENT_LETTERS

from cell_sim.faults import Faults
from cell_sim.letters.program import LINE_LIMIT, LetterCommand, LetterExecutor, LetterMovement, parse_line
from cell_sim.net.tcp_client import ReconnectingTcpClient
from cell_sim.ur_controller.states import RuntimeState
from cell_sim.world.world import ImpossibleMoveError

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
class LettersSettings:
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


class LettersClient:
    """A UR controller that runs the program; survives every loss of the link as the real one does."""

    def __init__(
        self,
        program: LetterExecutor,
        host: str,
        port: int,
        *,
        framing: str = 'line',
        bare_reply: str = 'ack',
        remove_part: Callable[[], None] = lambda: None,
        state: Callable[[], RuntimeState] = _always_playing,
    ) -> None:
        """Make a controller that is not running yet.

        Args:
            program: Moves the arm.
            host: Where the robot node listens.
            port: Its TCP port.
            framing: `line` or `bare`.
            bare_reply: In framing `bare`: `ack` at the end of a movement, or `ack_done`, one at each end.
            remove_part: Takes the part out of the gripper (fault `empty_hand`).
            state: What the controller does with the program: paused it is silent, stopped it has no connection.
        """
        self._state = state
        self._program, self._framing, self._take_away = program, framing, remove_part
        self._bare = ('ack', 'done') if bare_reply == 'ack_done' else ('', 'ack')
        self.faults = Faults(FAULTS)
        self._link = ReconnectingTcpClient('the robot program', host, port, self._run_session)
        self.connected = self._link.connected
        self._busy = False
        self._mute_until = 0.0

    async def start(self) -> None:
        """Begin to dial the robot node."""
        self._link.start()
        if self._state is not _always_playing:
            self._link.spawn(self._follow_program_state())

    async def stop(self) -> None:
        """End the program and close the link."""
        await self._link.stop()

    def inject(self, fault: str, value: float) -> str:
        """Arm a fault; `disconnect`, `silent` and `empty_hand` act at once.

        Raises:
            UnknownFaultError: There is no such fault.
        """
        text = self.faults.inject(fault, value)
        if seconds := self.faults.take('disconnect'):
            self._link.disconnect_for(seconds)
        if seconds := self.faults.take('silent'):
            self._mute_until = self._now() + seconds
        if self.faults.take('clear'):
            self.faults.clear()
            self._mute_until = self._now()
        if self.faults.take('empty_hand'):
            self._take_away()
        return text

    async def _run_session(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        beat = self._link.spawn(self._heartbeat()) if self._framing == 'line' else None
        try:
            while (command := await self._receive(reader)) is not None:
                self._link.spawn(self._execute(command))
        finally:
            if beat is not None:
                beat.cancel()

    async def _receive(self, reader: asyncio.StreamReader) -> LetterCommand | None:
        if self._framing == 'bare':
            while (byte := await reader.read(1)).isspace():
                pass
            return LetterCommand(byte.decode('latin-1')) if byte else None
        while True:
            line = await reader.readuntil(b'\n')
            if len(line) <= LINE_LIMIT and (command := parse_line(line)) is not None:
                return command
            _LOG.warning('the program does not understand %r', line[:LINE_LIMIT])

    async def _follow_program_state(self) -> None:
        """Have no connection while the program does not run, and open none while it is paused."""
        while True:
            state = self._state()
            if state == RuntimeState.STOPPED or (state != RuntimeState.PLAYING and self._link.writer is None):
                self._link.disconnect_for(2 * WATCH_S)
            await asyncio.sleep(WATCH_S)

    async def _wait_resumed(self) -> None:
        """Wait while the program is paused."""
        while self._state() not in (RuntimeState.PLAYING, RuntimeState.STOPPED):
            await asyncio.sleep(POLL_S)

    async def _execute(self, command: LetterCommand) -> None:
        link = self._link.writer
        await asyncio.sleep(REACTION_S)
        await self._wait_resumed()
        if link is None or self._link.writer is not link:
            return
        if self.faults.consume('no_ack'):
            return
        if self.faults.consume('refuse'):
            self._refuse(command, 'refused by the program')
            return
        if self._busy:
            self._refuse(command, 'busy')
            return
        try:
            movement = self._program.begin(command, self._now())
        except ImpossibleMoveError as reason:
            self._refuse(command, str(reason))
            return
        self._busy = True
        self._send_line(f'ACK {command.trigger_id}', self._bare[0])
        await self._finish_movement(command, movement)

    async def _finish_movement(self, command: LetterCommand, movement: LetterMovement) -> None:
        link, problem = self._link.writer, ''
        try:
            away = self.faults.take('drop_connection')
            await self._wait_until(movement, 0.5)
            if away:
                self._link.disconnect_for(away)
            await self._wait_until(movement, 1.0)
        finally:
            problem = movement.finish()
            self._busy = False
        await asyncio.sleep(self.faults.take('late'))
        await self._wait_resumed()
        if self.faults.consume('no_done') or self._link.writer is not link:
            return
        if problem:
            self._refuse(command, problem)
        else:
            self._send_line(f'DONE {command.trigger_id}', self._bare[1])

    async def _wait_until(self, movement: LetterMovement, share: float) -> None:
        while movement.share(self._now()) < share and self._state() != RuntimeState.STOPPED:
            await asyncio.sleep(POLL_S)

    def _refuse(self, command: LetterCommand, reason: str) -> None:
        self._send_line(f'ERR {command.trigger_id} {reason}', '')

    async def _heartbeat(self) -> None:
        while True:
            self._send_line('HB', '')
            await asyncio.sleep(HEARTBEAT_S)

    def _send_line(self, line: str, bare: str) -> None:
        text = bare if self._framing == 'bare' else line
        if text and self._now() >= self._mute_until and self._state() == RuntimeState.PLAYING:
            self._link.send(text.encode() + b'\n')

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
