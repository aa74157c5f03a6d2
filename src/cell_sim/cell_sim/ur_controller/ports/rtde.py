"""RTDE port (30004): replies to requests, sends data packages when due, and drops them for slow clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from cell_robot.protocols.rtde import PacketSplitter, PacketType, RtdeError, RtdePacket, encode_packet

from cell_sim.faults import FaultInjector
from cell_sim.ur_controller.controller import Controller
from cell_sim.ur_controller.ports.port import Port, send_unless_backlogged
from cell_sim.ur_controller.rtde import InputOwnership, RtdeSession

__all__ = ['RtdePort', 'send_unless_backlogged']

READ_SIZE = 65536
REFUSABLE = (PacketType.OUTPUTS, PacketType.INPUTS, PacketType.START)


class RtdePort(Port):
    """Serves any number of RTDE clients; the controller's cycle calls `publish`.

    Attributes:
        dropped: Number of packages dropped for slow clients.
    """

    def __init__(self, controller: Controller, faults: FaultInjector, address: str, port: int) -> None:
        """Create a closed port; its faults are `rtde_refuse`, `rtde_late` and `rtde_never`."""
        super().__init__(address, port)
        self._controller, self._faults = controller, faults
        self._ownership = InputOwnership()
        self._sessions: dict[asyncio.StreamWriter, RtdeSession] = {}
        self._wanted: dict[object, Sequence[str]] = {}
        self.dropped = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reply to one client."""
        session, splitter = RtdeSession(self._controller, self._ownership), PacketSplitter()
        self._sessions[writer] = session
        try:
            with contextlib.suppress(RtdeError):
                while data := await reader.read(READ_SIZE):
                    for request in splitter.feed(data):
                        await self._reply(session, request, writer)
        finally:
            session.close()
            del self._sessions[writer]

    async def _reply(self, session: RtdeSession, request: RtdePacket, writer: asyncio.StreamWriter) -> None:
        if self._faults.consume('rtde_never'):
            return
        if seconds := self._faults.take('rtde_late'):
            await asyncio.sleep(seconds)
        await self.wait_unstalled()
        if request.kind in REFUSABLE and self._faults.consume('rtde_refuse'):
            writer.write(encode_packet(request.kind, b'\x00'))
        else:
            writer.write(session.handle(request, asyncio.get_running_loop().time()))

    def occupy(self, names: Sequence[str], owner: object) -> None:
        """Let another client own inputs, each as soon as it is free.

        Args:
            names: RTDE input names; those of connected sessions stay with them until they end.
            owner: Any object, for `vacate`.
        """
        self._wanted[owner] = names
        self._claim_wanted()

    def vacate(self, owner: object) -> None:
        """Free the inputs of another client."""
        self._wanted.pop(owner, None)
        self._ownership.release(owner)

    def publish(self, now: float) -> None:
        """Send the data packages that are due."""
        self._claim_wanted()
        if self.stalled:
            return
        for writer, session in self._sessions.items():
            package = session.due(now)
            if package and not send_unless_backlogged(writer, package):
                self.dropped += 1

    def _claim_wanted(self) -> None:
        for owner, names in self._wanted.items():
            self._ownership.claim([name for name in names if self._ownership.free(name, owner)], owner)
