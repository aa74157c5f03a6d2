"""The dashboard's port (29999): one reply line to each line, while the connection stands."""

from __future__ import annotations

import asyncio

from cell_sim.faults import Faults
from cell_sim.ur_controller.dashboard import BANNER, LINE_LIMIT, DashboardCommands
from cell_sim.ur_controller.ports.port import Port


class DashboardPort(Port):
    """Serves any number of clients."""

    def __init__(self, dashboard: DashboardCommands, faults: Faults, address: str, port: int) -> None:
        """Be closed; `faults` may hold `refuse`, `late` and `never`."""
        super().__init__(address, port)
        self._dashboard, self._faults = dashboard, faults
        self.shut_down = asyncio.Event()
        """Set when a client has asked the controller to shut down."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """ReplyFunction one client."""
        writer.write(f'{BANNER}\n'.encode())
        rest = b''
        while data := await reader.read(LINE_LIMIT):
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                if not await self._answer(line.decode('utf-8', 'replace').strip(), writer):
                    return
            if len(rest) > LINE_LIMIT:
                return

    async def _answer(self, line: str, writer: asyncio.StreamWriter) -> bool:
        """ReplyFunction one line and return whether the connection stays."""
        if self._faults.consume('never'):
            return True
        refused = self._faults.consume('refuse')
        reply = f'Failed to execute: {line}' if refused else self._dashboard.reply(line, asyncio.get_running_loop().time())
        if seconds := self._faults.take('late'):
            await asyncio.sleep(seconds)
        await self.wait_unstalled()
        writer.write(f'{reply}\n'.encode())
        await writer.drain()
        if line == 'shutdown' and not refused:
            self.shut_down.set()
        return line not in ('quit', 'shutdown')
