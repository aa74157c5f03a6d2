"""Ports that accept URScript: primary (30001) and secondary (30002) with state at 10 Hz, and real-time (30003)."""

from __future__ import annotations

import asyncio
import contextlib

from cell_sim.faults import FaultInjector
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.ports.port import Port, is_backlogged, send_unless_backlogged
from cell_sim.ur_controller.primary import (
    robot_state,
    runtime_exception_message,
    safety_mode_message,
    text_message,
    version_message,
)
from cell_sim.ur_controller.program import ProgramError
from cell_sim.ur_controller.realtime import realtime_frame
from cell_sim.ur_controller.scripts import ScriptCollector, ScriptTooLongError, program_of

READ_SIZE = 65536
STATE_PERIOD_S = 0.1
"""Period of the robot state, 10 Hz."""


class ScriptPort(Port):
    """Accepts programs, and sends the state in the controller's cycle (`publish`)."""

    def __init__(self, controller: Controller, faults: FaultInjector, address: str, port: int, *, real_time: bool) -> None:
        """Create a closed port; its faults are `script_refuse`, `script_late` and `script_never`."""
        super().__init__(address, port)
        self._controller, self._faults, self._real_time = controller, faults, real_time
        self._due = 0.0
        self._last_sent = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Run the programs of one client.

        Programs are executed in order of arrival; a refused one is reported on the pendant, not on
        the connection, as on the real ports.
        """
        controller = self._controller
        if not self._real_time:
            writer.write(version_message(controller.version) + safety_mode_message(controller) + robot_state(controller))
        collector = ScriptCollector()
        with contextlib.suppress(ScriptTooLongError):
            while data := await reader.read(READ_SIZE):
                for script in collector.feed(data):
                    if seconds := self._faults.take('script_late'):
                        await asyncio.sleep(seconds)
                    await self.wait_unstalled()
                    self._run(script)

    def publish(self, now: float) -> None:
        """Send the data that is due to all clients that are not backlogged."""
        if self.stalled or not self.writers:
            return
        if self._real_time:
            free = [writer for writer in self.writers if not is_backlogged(writer)]
            frames = realtime_frame(self._controller) if free else b''
        else:
            free, frames = [*self.writers], self._updates(now)
        if frames:
            for writer in free:
                send_unless_backlogged(writer, frames)

    def _updates(self, now: float) -> bytes:
        """Return the new messages and, when due, the robot state."""
        controller = self._controller
        new = [message for message in controller.messages if message.number > self._last_sent]
        # Also without clients in between: a new client gets later messages only.
        self._last_sent = max((message.number for message in controller.messages), default=0)
        frames = b''.join(
            (runtime_exception_message if message.runtime_exception else text_message)(message.text, controller.timestamp)
            for message in new
        )
        if now < self._due:
            return frames
        self._due = now + STATE_PERIOD_S
        return frames + robot_state(controller)

    def _run(self, script: str) -> None:
        """Run a program; in local mode these ports are read-only."""
        controller = self._controller
        if self._faults.consume('script_never'):
            return
        if self._faults.consume('script_refuse'):
            controller.report('compile error: the script was refused')
            return
        if not controller.remote:
            controller.report('A script was ignored: the controller is in local mode')
            return
        try:
            program = program_of(script)
        except ProgramError as error:
            controller.report(str(error))
            return
        if not controller.start_program(program):
            controller.report('A script was ignored: the arm cannot move now')
