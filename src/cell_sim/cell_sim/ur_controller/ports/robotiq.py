"""Port of a Robotiq gripper's URCap (63352): text lines; `ack` has no line end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cell_sim.ur_controller.ports.port import Port

PORT = 63352
LINE_LIMIT = 256


class RobotiqPort(Port):
    """Serves any number of clients of one gripper."""

    def __init__(self, answer: Callable[[str], str], address: str, port: int = PORT) -> None:
        """Create a closed port; `answer` returns the answer to one line."""
        super().__init__(address, port)
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        rest = b''
        while data := await reader.read(LINE_LIMIT):
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                await self.wait_unstalled()
                writer.write(self._answer(line.decode('ascii', 'replace')).encode())
                await writer.drain()
            if len(rest) > LINE_LIMIT:
                return
