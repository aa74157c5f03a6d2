"""The RTDE port (30004): answers requests, sends data packages when they are due, and drops them for slow readers."""

from __future__ import annotations

import asyncio
import contextlib

from cell_robot.rtde.framing import FrameSplitter, RtdeError

from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.rtde import Ownership, RtdeSession
from cell_sim.ur_controller.server_port import Port, send_unless_behind

READ_SIZE = 65536


class RtdePort(Port):
    """Serves any number of clients; the controller's cycle calls `publish`."""

    def __init__(self, controller: Controller, address: str, port: int) -> None:
        """Be closed."""
        super().__init__(address, port)
        self._controller = controller
        self._ownership = Ownership()
        self._sessions: dict[asyncio.StreamWriter, RtdeSession] = {}
        self.dropped = 0
        """Packages that slow readers did not get."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        session, splitter = RtdeSession(self._controller, self._ownership), FrameSplitter()
        self._sessions[writer] = session
        try:
            with contextlib.suppress(RtdeError):
                while data := await reader.read(READ_SIZE):
                    for request in splitter.feed(data):
                        await self.unstalled()
                        writer.write(session.handle(request, asyncio.get_running_loop().time()))
        finally:
            session.close()
            del self._sessions[writer]

    def publish(self, now: float) -> None:
        """Send the data packages that are due."""
        if self.stalled:
            return
        for writer, session in self._sessions.items():
            package = session.due(now)
            if package and not send_unless_behind(writer, package):
                self.dropped += 1
