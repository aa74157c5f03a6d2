"""Port 5002: the hub between an OCR backend of the replaced system and the robot.

In the replaced system the hub passed letters to the robot unchecked. Here each letter becomes an
event of the robot node, which admits it only while no job owns the robot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping

from cell_web.socketio_gateway import events
from cell_web.socketio_gateway.cell_link import CellLink
from cell_web.socketio_gateway.hub_letters import HubTrigger, LetterError, trigger_of
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
        # An old backend resets as soon as it is connected. It cannot be told from one that repeats what it gathered while it
        # was away, but python-socketio, the client library of backends, gathers nothing. So a reset and a trigger are always
        # taken as new here, unlike those of a page.
        super().__init__('hub', settings, link, events.stock_mapping, fresh_reset=False)
        self._letters = dict(letters)
        self.server.on('send_trigger', self._send_trigger, command=True)

    async def _send_trigger(self, client: Client, payload: object) -> Awaitable[None]:
        """Trigger the robot for a letter; returns the motion.

        Raises:
            PayloadError: The payload is invalid, or letter, event and part do not agree.
        """
        request = events.parse_trigger(payload)
        try:
            trigger = trigger_of(request, self._letters)
        except LetterError as error:
            raise events.PayloadError(str(error)) from error
        return self._move(client, request.letter, trigger)

    async def _move(self, client: Client, letter: str, trigger: HubTrigger) -> None:
        """Trigger the robot: `ack` when the program takes the letter, `status` when it does not."""
        acknowledged = asyncio.Event()

        async def acknowledge() -> None:
            await acknowledged.wait()
            LOG.info('hub port: %s (%s) acknowledged to %s', letter, trigger.ack, client.address)
            await self.server.emit('ack', {'event': trigger.ack}, to=client.sid)

        # `ack` is sent while the movement still runs: old backends wait for it before they go on.
        waiting = asyncio.create_task(acknowledge())
        try:
            result = await self._link.trigger(client.name, trigger.event, acknowledged.set)
            if result.done:
                acknowledged.set()
            if acknowledged.is_set():
                await waiting
            if not result.done:
                await self.server.status(client, result.message)
        finally:
            waiting.cancel()
