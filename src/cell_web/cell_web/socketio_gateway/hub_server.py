"""Port 5002: the hub between an OCR backend of the replaced system and the robot.

In the replaced system the hub passed letters to the robot unchecked. Here each letter becomes an
event of the robot node, which admits it only while no job owns the robot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from cell_web.socketio_gateway import events
from cell_web.socketio_gateway.cell_link import CellLink, JobRefusal
from cell_web.socketio_gateway.hub_letters import LetterError, event_of_letter
from cell_web.socketio_gateway.server import Client, SocketIoServer, SocketIoSettings

__all__ = ['HubServer']

LOG = logging.getLogger(__name__)


class HubServer:
    """Serves backends. The `on_...` coroutines pass events of the cell on; all run on the servers' event loop.

    Attributes:
        server: Socket.IO server with its clients.
    """

    def __init__(self, settings: SocketIoSettings, link: CellLink, letters: Mapping[str, str]) -> None:
        """Prepare the server.

        Args:
            settings: Where it listens and who may connect.
            link: Reaches the cell.
            letters: Part number -> letter of the robot's program, from the catalogue.
        """
        self.server = SocketIoServer('hub', settings, self._greet)
        self._link = link
        self._letters = dict(letters)
        self._stock: dict[str, list[int]] | None = None
        for name, handler, command in (
            ('send_trigger', self._send_trigger, True),
            ('get_inventory', self._get_inventory, False),
            ('reset_inventory', self._reset_inventory, True),
            ('set_job', self._set_job, True),
        ):
            self.server.on(name, handler, command=command)

    async def on_stock(self, stock: Mapping[str, Mapping[int, int]]) -> None:
        """Send the stock to every backend when a count changed."""
        payload = events.stock_mapping(stock)
        if payload != self._stock:
            self._stock = payload
            await self.server.emit('update_inventory', payload)

    async def on_job_refused(self, refusal: JobRefusal) -> None:
        """Send a job that was refused."""
        payload = {'part_number': refusal.part_number, 'requested': refusal.requested, 'available': refusal.available}
        await self.server.emit('job_invalid', payload)

    async def on_reload(self, part_number: str) -> None:
        """Send the part whose trays are empty."""
        await self.server.emit('reload_required', {'part': part_number})

    async def _greet(self, client: Client) -> None:
        if self._stock is not None:
            await self.server.emit('update_inventory', self._stock, to=client.sid)

    async def _get_inventory(self, client: Client, _payload: object) -> None:
        if self._stock is None:
            await self.server.status(client, 'the stock is not known yet: is node inventory running?')
        else:
            await self.server.emit('update_inventory', self._stock, to=client.sid)

    async def _reset_inventory(self, client: Client, payload: object) -> None:
        result = await self._link.reset_stock(client.name)
        await self.server.status(client, result.message)
        await self._get_inventory(client, payload)

    async def _set_job(self, client: Client, payload: object) -> None:
        job = events.parse_job('set_job', payload)
        result = await self._link.set_job(client.name, job.part_number, job.quantity)
        await self.server.status(client, result.message)

    async def _send_trigger(self, client: Client, payload: object) -> None:
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
