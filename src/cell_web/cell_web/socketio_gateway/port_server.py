"""Events that ports 5001 and 5002 share: the stock, jobs, resets, refused jobs and empty trays.

An event without fields ignores its payload: some clients send null, others {} or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cell_web.socketio_gateway import events
from cell_web.socketio_gateway.cell_link import CellLink, CellResult, JobRefusal
from cell_web.socketio_gateway.server import Client, SocketIoServer, SocketIoSettings

__all__ = ['PortServer']

NO_STOCK = 'the stock is not known yet: is node inventory running?'
Stock = Mapping[str, Mapping[int, int]]


class PortServer:
    """Base of the servers of both ports. The `on_...` coroutines pass events of the cell on, on the servers' event loop.

    Attributes:
        server: Socket.IO server with its clients.
    """

    def __init__(
        self,
        name: str,
        settings: SocketIoSettings,
        link: CellLink,
        stock_payload: Callable[[Stock], object],
        *,
        fresh_reset: bool,
    ) -> None:
        """Prepare the server.

        Args:
            name: For logs and the audit, e.g. "page".
            settings: Where it listens and who may connect.
            link: Reaches the cell.
            stock_payload: Returns the payload of `update_inventory` on this port.
            fresh_reset: Whether `reset_inventory` is refused right after a connection.
        """
        self.server = SocketIoServer(name, settings, self._greet)
        self._link = link
        self._stock_payload = stock_payload
        self._stock: object = None
        self._counts: Stock = {}
        self.server.on('get_inventory', self._get_inventory)
        self.server.on('reset_inventory', self._reset_inventory, command=True, fresh=fresh_reset)
        self.server.on('set_job', self._set_job, command=True)

    async def on_stock(self, stock: Stock) -> None:
        """Send the stock to every client when a count changed.

        Args:
            stock: Part number -> tray -> pieces. Node inventory also publishes unchanged counts,
                which are not repeated.
        """
        self._counts = stock
        payload = self._stock_payload(stock)
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
            await self.server.status(client, NO_STOCK)
        await self._greet(client)

    async def _reset_inventory(self, client: Client, payload: object) -> None:
        before = self._stock
        result = await self._link.reset_stock(client.name)
        await self._report(client, result)
        # The counts of the answer: the event of the change may arrive after it, and the last known ones are then old.
        if result.stock is not None:
            await self.on_stock(result.stock)
        # Counts that changed meanwhile have been sent to every client.
        if self._stock is before:
            await self._get_inventory(client, payload)

    async def _set_job(self, client: Client, payload: object) -> None:
        await self._set_job_of('set_job', client, payload)

    async def _set_job_of(self, event: str, client: Client, payload: object) -> None:
        try:
            job = events.parse_job(event, payload)
        except events.QuantityError as error:
            await self._refuse_quantity(client, error)
            raise
        await self._report(client, await self._link.set_job(client.name, job.part_number, job.quantity))

    async def _refuse_quantity(self, client: Client, error: events.QuantityError) -> None:
        """Send `job_invalid` to the client whose quantity the cell's services could not take."""
        available = sum(self._counts.get(error.part_number, {}).values())
        payload = {'part_number': error.part_number, 'requested': error.requested, 'available': available}
        await self.server.emit('job_invalid', payload, to=client.sid)

    async def _report(self, client: Client, result: CellResult) -> None:
        await self.server.status(client, result.message)
