"""The ports that take URScript: primary (30001) and secondary (30002), which also tell the state, and real-time (30003)."""

from __future__ import annotations

import asyncio
import contextlib

from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.primary import robot_state, text_message, version_message
from cell_sim.ur_controller.program import ProgramError
from cell_sim.ur_controller.scripts import ScriptCollector, ScriptTooLong, program_of
from cell_sim.ur_controller.server_port import Port, send_unless_behind

READ_SIZE = 65536
STATE_PERIOD_S = 0.1
"""Robot state comes at 10 Hz."""


class ScriptPort(Port):
    """Takes programs; a port that tells the state does so in the controller's cycle (`publish`)."""

    def __init__(self, controller: Controller, address: str, port: int, *, tells_state: bool) -> None:
        """Be closed."""
        super().__init__(address, port)
        self._controller, self._tells_state = controller, tells_state
        self._due = 0.0
        self._told = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Run what one client sends."""
        if self._tells_state:
            writer.write(version_message(self._controller.version) + robot_state(self._controller))
        collector = ScriptCollector()
        with contextlib.suppress(ScriptTooLong):
            while data := await reader.read(READ_SIZE):
                for script in collector.feed(data):
                    self._run(script)

    def publish(self, now: float) -> None:
        """Send messages and, when it is due, the state of the arm to all who read."""
        if not self._tells_state or self.stalled:
            return
        frames = b''.join(text_message(text, self._controller.timestamp)
                          for number, text in self._controller.messages if number > self._told)
        self._told = max((number for number, _ in self._controller.messages), default=0)
        if now >= self._due:
            self._due = now + STATE_PERIOD_S
            if self.writers:
                frames += robot_state(self._controller)
        if frames:
            for writer in self.writers:
                send_unless_behind(writer, frames)

    def _run(self, script: str) -> None:
        """Run a program; in local mode these ports can only be read."""
        controller = self._controller
        if not controller.remote:
            controller.report('A script was ignored: the controller is in local mode')
            return
        try:
            program = program_of(script)
        except ProgramError as problem:
            controller.report(str(problem))
            return
        if not controller.start_program(program):
            controller.report('A script was ignored: the arm cannot move now')
