"""Port 5002: the hub between an OCR backend of the replaced system and the robot.

In the replaced system the hub passed letters to the robot unchecked. Here each letter becomes an
event of the robot node, which admits it only while no job owns the robot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from cell_web.socketio_gateway import events
from cell_web.socketio_gateway.cell_link import CellLink
from cell_web.socketio_gateway.hub_letters import LetterError, event_of_letter
from cell_web.socketio_gateway.port_server import PortServer
from cell_web.socketio_gateway.server import Client, SocketIoSettings

__all__ = ['HubServer']

LOG = logging.getLogger(__name__)


class HubServer(PortServer):
    """Serves backends."""

    def __init__(self, settings: SocketIoSettings, link: CellLink, letters: Mapping[str, str]) -> None:
        """Prepare the server.

        Args:
            settings: Where it listens and who may connect.
            link: Reaches the cell.
            letters: Part number -> letter of the robot's program, from the catalogue.
        """
        super().__init__('hub', settings, link, events.stock_mapping)
        self._letters = dict(letters)
        self.server.on('send_trigger', self._send_trigger, command=True)

    async def _send_trigger(self, client: Client, payload: object) -> None:
        """Trigger the robot for a letter: `ack` when the program takes it, `status` when it does not.

        Raises:
            PayloadError: The payload is invalid, or no part has the letter.
        """
        request = events.parse_trigger(payload)
        try:
            event = event_of_letter(request.letter, request.part_number, self._letters)
        except LetterError as error:
            raise events.PayloadError(str(error)) from error
        acknowledged = asyncio.Event()

        async def acknowledge() -> None:
            await acknowledged.wait()
            LOG.info('hub port: %s (%s) acknowledged to %s', request.letter, request.event, client.address)
            await self.server.emit('ack', {'event': request.event}, to=client.sid)

        # `ack` is sent while the movement still runs: old backends wait for it before they go on.
        waiting = asyncio.create_task(acknowledge())
        try:
            result = await self._link.trigger(client.name, event, acknowledged.set)
            if result.done:
                acknowledged.set()
            if acknowledged.is_set():
                await waiting
            if not result.done:
                await self.server.status(client, result.message)
        finally:
            waiting.cancel()
