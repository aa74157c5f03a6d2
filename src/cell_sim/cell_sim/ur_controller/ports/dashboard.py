"""Dashboard port (29999): one reply line for each received line."""

from __future__ import annotations

import asyncio

from cell_sim.faults import FaultInjector
from cell_sim.ur_controller.dashboard import BANNER, LINE_LIMIT, DashboardCommands
from cell_sim.ur_controller.ports.port import Port


class DashboardPort(Port):
    """Serves any number of dashboard clients."""

    def __init__(self, dashboard: DashboardCommands, faults: FaultInjector, address: str, port: int) -> None:
        """Create a closed port; its faults are `refuse`, `late`, `never` and those of slow and chatty replies."""
        super().__init__(address, port)
        self._dashboard, self._faults = dashboard, faults
        self.shut_down = asyncio.Event()
        """Set when a client has shut the controller down."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reply to one client.

        Lines are executed in order; the connection closes after `quit`, `shutdown`, or a line of
        more than LINE_LIMIT bytes.
        """
        writer.write(f'{BANNER}\n'.encode())
        rest = b''
        while data := await reader.read(LINE_LIMIT):
            *lines, rest = (rest + data).split(b'\n')
            for line in lines:
                if not await self._reply(line.decode('utf-8', 'replace').strip(), writer):
                    return
            if len(rest) > LINE_LIMIT:
                return

    async def _reply(self, line: str, writer: asyncio.StreamWriter) -> bool:
        """Reply to one line; return False if the connection closes."""
        if self._faults.consume('never'):
            return True
        refused = self._faults.consume('refuse')
        reply = f'Failed to execute: {line}' if refused else self._dashboard.reply(line, asyncio.get_running_loop().time())
        if seconds := self._faults.take('late') or self._faults.value('slow_dashboard'):
            await asyncio.sleep(seconds)
        await self.wait_unstalled()
        chatty = self._faults.consume('chatty_dashboard')
        writer.write((f'\r\n  {reply.replace(" ", "  ")} \t\r\n\n' if chatty else f'{reply}\n').encode())
        await writer.drain()
        if line == 'shutdown' and not refused:
            self.shut_down.set()
        return line not in ('quit', 'shutdown')
