"""TCP client of the UR program on the letters backend: connects to the robot node, executes letters, injects faults.

The robot node is the server, because a URScript program can only open sockets as a client. The
order of one trigger in framing `line` is: letter received, ACK, movement, DONE or ERR. A movement
goes on when the connection drops, as the arm of a real robot does; its report is then lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cell_common.catalogue import EVENT_LETTERS
from cell_robot.robot_modes import RuntimeState

from cell_sim.faults import FaultInjector
from cell_sim.letters.program import LINE_LIMIT, LetterCommand, LetterExecutor, LetterMovement, parse_line
from cell_sim.net.tcp_client import ReconnectingTcpClient
from cell_sim.world.world import ImpossibleMoveError

__all__ = ['FAULTS', 'LettersClient', 'LettersSettings']

# The robot node's parameter heartbeat_timeout (default 3 s) tolerates two lost ones.
HEARTBEAT_S = 1.0
REACTION_S = 0.02
"""Time that the program's loop needs to notice a letter."""
POLL_S = 0.005
STATE_POLL_S = 0.05
FAULTS = {
    'no_ack': ('the next triggers are neither acknowledged nor executed, times', 1.0),
    'no_done': ('the next triggers are acknowledged and executed, but never reported done, times', 1.0),
    'refuse': ('the next triggers are refused, times', 1.0),
    'late': ('the next trigger is reported done with a delay, seconds', 5.0),
    'drop_connection': ('the connection drops during the next movement, seconds until reconnection', 2.0),
    'disconnect': ('the connection drops now, seconds until reconnection', 2.0),
    'silent': ('no data is sent although the connection is open, seconds', 5.0),
    'clear': ('pending faults are removed and a silence ends now', 1.0),
    'empty_hand': ('the operator removes the part from the gripper now', 1.0),
}
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class LettersSettings:
    """Settings of the simulated UR program.

    Attributes:
        host: Host of the robot node.
        port: TCP port of the robot node.
        framing: `line` (letter, id and tray) or `bare` (one letter, no id).
        bare_reply: Framing `bare` only: `ack` at the end of a movement, or `ack_done`, one reply at
            each end.
        time_scale: Speed of the movements relative to a real arm.
        event_letters: Event -> letter; parts have their letters from the catalogue.
    """

    host: str = '127.0.0.1'
    port: int = 50010
    framing: str = 'line'
    bare_reply: str = 'ack'
    time_scale: float = 1.0
    event_letters: Mapping[str, str] = field(default_factory=lambda: EVENT_LETTERS)


class LettersClient:
    """UR controller that runs the letters program; it reconnects after every loss of the connection.

    Attributes:
        faults: Pending faults, see FAULTS.
        connected: Set while the robot node is connected.
    """

    def __init__(
        self,
        executor: LetterExecutor,
        settings: LettersSettings,
        *,
        remove_part: Callable[[], None] = lambda: None,
        state: Callable[[], RuntimeState] | None = None,
    ) -> None:
        """Create a stopped client.

        Args:
            executor: Moves the arm.
            settings: Address of the robot node and framing.
            remove_part: Removes the part from the gripper (fault `empty_hand`).
            state: Returns the state of the program: paused it sends no data, stopped it has no connection.
                None = it always runs.
        """
        self._executor, self._framing, self._remove_part = executor, settings.framing, remove_part
        self._program_state = state
        self._bare = ('ack', 'done') if settings.bare_reply == 'ack_done' else ('', 'ack')
        self.faults = FaultInjector(FAULTS)
        self._link = ReconnectingTcpClient('robot program', settings.host, settings.port, self._run_session)
        self.connected = self._link.connected
        self._busy = False
        self._silent_until = 0.0

    async def start(self) -> None:
        """Start to connect to the robot node."""
        self._link.start()
        if self._program_state is not None:
            self._link.spawn(self._follow_program_state())

    async def stop(self) -> None:
        """End the program and close the connection."""
        await self._link.stop()

    def inject(self, fault: str, value: float) -> str:
        """Inject a fault; `disconnect`, `silent`, `clear` and `empty_hand` take effect now.

        Args:
            fault: Key of FAULTS.
            value: Count or seconds, see FAULTS; 0 = the default.

        Returns:
            Description of the effect.

        Raises:
            UnknownFaultError: No such fault exists.
        """
        text = self.faults.inject(fault, value)
        if seconds := self.faults.take('disconnect'):
            self._link.disconnect_for(seconds)
        if seconds := self.faults.take('silent'):
            self._silent_until = self._now() + seconds
        if self.faults.take('clear'):
            self.faults.clear()
            self._silent_until = self._now()
        if self.faults.take('empty_hand'):
            self._remove_part()
        return text

    async def _run_session(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heartbeat = self._link.spawn(self._send_heartbeats()) if self._framing == 'line' else None
        try:
            while (command := await self._receive(reader)) is not None:
                self._link.spawn(self._execute(command))
        finally:
            if heartbeat is not None:
                heartbeat.cancel()

    async def _receive(self, reader: asyncio.StreamReader) -> LetterCommand | None:
        if self._framing == 'bare':
            # A line end may follow the letter, depending on the settings of the robot node.
            while (byte := await reader.read(1)).isspace():
                pass
            return LetterCommand(byte.decode('latin-1')) if byte else None
        while True:
            line = await reader.readuntil(b'\n')
            if len(line) <= LINE_LIMIT and (command := parse_line(line)) is not None:
                return command
            _LOG.warning('robot program: ignored a line that is no command: %r', line[:LINE_LIMIT])

    def _state(self) -> RuntimeState:
        return RuntimeState.PLAYING if self._program_state is None else self._program_state()

    async def _follow_program_state(self) -> None:
        """Close the connection while the program is stopped, and open none while it is paused."""
        while True:
            state = self._state()
            if state == RuntimeState.STOPPED or (state != RuntimeState.PLAYING and self._link.writer is None):
                self._link.disconnect_for(2 * STATE_POLL_S)
            await asyncio.sleep(STATE_POLL_S)

    async def _wait_resumed(self) -> None:
        """Wait while the program is paused."""
        while self._state() not in (RuntimeState.PLAYING, RuntimeState.STOPPED):
            await asyncio.sleep(POLL_S)

    async def _execute(self, command: LetterCommand) -> None:
        """Answer one letter: silently ignored, refused, or acknowledged and executed."""
        writer = self._link.writer
        await asyncio.sleep(REACTION_S)
        await self._wait_resumed()
        # The letter came over a connection that is gone: the robot node has reported it as unknown
        # already.
        if writer is None or self._link.writer is not writer:
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
            movement = self._executor.begin(command, self._now())
        except ImpossibleMoveError as error:
            self._refuse(command, str(error))
            return
        self._busy = True
        self._send_line(f'ACK {command.trigger_id}', self._bare[0])
        await self._finish_movement(command, movement)

    async def _finish_movement(self, command: LetterCommand, movement: LetterMovement) -> None:
        """Wait for the end of a movement and report it, with the faults that are due."""
        writer, message = self._link.writer, ''
        try:
            # Taken at the start, so that a fault injected during this movement waits for the next
            # one.
            offline_s = self.faults.take('drop_connection')
            await self._wait_until(movement, 0.5)
            if offline_s:
                self._link.disconnect_for(offline_s)
            await self._wait_until(movement, 1.0)
        finally:
            # In `finally`: a client that stops must still leave the world as the movement would
            # have.
            message = movement.finish()
            self._busy = False
        await asyncio.sleep(self.faults.take('late'))
        await self._wait_resumed()
        # A report on a later connection would be taken for an unknown trigger; a real program has
        # lost its socket, too.
        if self.faults.consume('no_done') or self._link.writer is not writer:
            return
        if message:
            self._refuse(command, message)
        else:
            self._send_line(f'DONE {command.trigger_id}', self._bare[1])

    async def _wait_until(self, movement: LetterMovement, share: float) -> None:
        while movement.share(self._now()) < share and self._state() != RuntimeState.STOPPED:
            await asyncio.sleep(POLL_S)

    def _refuse(self, command: LetterCommand, reason: str) -> None:
        self._send_line(f'ERR {command.trigger_id} {reason}', '')

    async def _send_heartbeats(self) -> None:
        while True:
            self._send_line('HB', '')
            await asyncio.sleep(HEARTBEAT_S)

    def _send_line(self, line: str, bare: str) -> None:
        text = bare if self._framing == 'bare' else line
        if text and self._now() >= self._silent_until and self._state() == RuntimeState.PLAYING:
            self._link.send(text.encode() + b'\n')

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
