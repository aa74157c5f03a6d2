"""Port 5001: the events that a page of the replaced OCR backend sends and expects."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from cell_web.socketio_gateway import events
from cell_web.socketio_gateway.cell_link import CaptureEvent, CellLink, CellResult, JobRefusal
from cell_web.socketio_gateway.server import Client, SocketIoServer, SocketIoSettings

__all__ = ['PageServer']

NO_STOCK = 'the stock is not known yet: is node inventory running?'


class PageServer:
    """Serves pages. The `on_...` coroutines pass events of the cell on; all run on the servers' event loop.

    Attributes:
        server: Socket.IO server with its clients.
        frames_sent: Frames sent, all pages together.
        frames_skipped: Frames that a page did not get, because it had not taken the one before.
    """

    def __init__(self, settings: SocketIoSettings, link: CellLink) -> None:
        """Register the events.

        Args:
            settings: Address, port, and origins that may connect.
            link: Commands to the cell.
        """
        self.server = SocketIoServer('page', settings, self._greet)
        self._link = link
        self._stock: dict[str, object] | None = None
        self.frames_sent = 0
        self.frames_skipped = 0
        for name, handler, command in (
            ('ping_test', self._ping, False),
            ('get_inventory', self._get_inventory, False),
            ('reset_inventory', self._reset_inventory, True),
            ('set_job', self._set_job, True),
            ('submitPartRequest', self._submit_part_request, True),
            ('start_robot', self._start_robot, True),
            ('start_camera', self._start_camera, True),
            ('stop_camera', self._stop_camera, True),
            ('set_benchmark', self._set_benchmark, True),
            ('capture_component', self._capture_component, True),
            ('reload_required', self._reload_required, True),
        ):
            self.server.on(name, handler, command=command)

    # -- from the cell ----------------------------------------------------------------------------------------------

    async def on_stock(self, stock: Mapping[str, Mapping[int, int]]) -> None:
        """Send the stock to every page when a count changed.

        Args:
            stock: Part number -> tray -> pieces. Node inventory also publishes unchanged counts,
                which are not repeated.
        """
        payload = events.stock_list(stock)
        if payload != self._stock:
            self._stock = payload
            await self.server.emit('update_inventory', payload)

    async def on_frame(self, jpeg: bytes) -> None:
        """Send a frame to every page that has taken the one before; encoded once for all.

        Without a page that wants video the camera's topic is unsubscribed.

        Args:
            jpeg: Camera frame.
        """
        clients = [client for client in self.server.clients.values() if client.wants_video]
        if not clients:
            self._link.watch_camera(False)
        ready = [client.sid for client in clients if self.server.keeps_up(client)]
        self.frames_skipped += len(clients) - len(ready)
        if ready:
            self.frames_sent += len(ready)
            await self.server.emit('video_frame', {'frame': _base64(jpeg)}, to=ready)

    async def on_capture(self, capture: CaptureEvent) -> None:
        """Send a component that was read and judged."""
        payload = {
            'image': _base64(capture.image),
            'texts': list(capture.texts),
            'match': capture.match,
            'score': round(capture.score, 4),
        }
        await self.server.emit('component_captured', payload)

    async def on_benchmark(self, part_number: str, texts: tuple[str, ...], image: bytes) -> None:
        """Send a benchmark that was set."""
        await self.server.emit('benchmark_set', {'image': _base64(image), 'part_number': part_number, 'texts': list(texts)})

    async def on_job_refused(self, refusal: JobRefusal) -> None:
        """Send a job that was refused."""
        payload = {
            'part_number': refusal.part_number,
            'requested': refusal.requested,
            'available': refusal.available,
        }
        await self.server.emit('job_invalid', payload)

    async def on_reload(self, part_number: str) -> None:
        """Send the part whose trays are empty."""
        await self.server.emit('reload_required', {'part': part_number})

    # -- from a page ------------------------------------------------------------------------------------------------

    async def _greet(self, client: Client) -> None:
        self._link.watch_camera(True)
        if self._stock is not None:
            await self.server.emit('update_inventory', self._stock, to=client.sid)

    async def _ping(self, client: Client, payload: object) -> None:
        await self.server.emit('pong_test', {'msg': events.parse_message('ping_test', payload)}, to=client.sid)

    async def _get_inventory(self, client: Client, _payload: object) -> None:
        if self._stock is None:
            await self.server.status(client, NO_STOCK)
        else:
            await self.server.emit('update_inventory', self._stock, to=client.sid)

    async def _reset_inventory(self, client: Client, payload: object) -> None:
        result = await self._link.reset_stock(client.name)
        await self._report(client, result)
        await self._get_inventory(client, payload)

    async def _set_job(self, client: Client, payload: object) -> None:
        job = events.parse_job('set_job', payload)
        await self._report(client, await self._link.set_job(client.name, job.part_number, job.quantity))

    async def _submit_part_request(self, client: Client, payload: object) -> None:
        job = events.parse_job('submitPartRequest', payload)
        await self._report(client, await self._link.set_job(client.name, job.part_number, job.quantity))

    async def _start_robot(self, client: Client, payload: object) -> None:
        job = events.parse_optional_job('start_robot', payload)
        if job is not None:
            result = await self._link.set_job(client.name, job.part_number, job.quantity)
            if not result.done:
                await self._report(client, result)
                return
        await self._report(client, await self._link.start(client.name, run_job=job is not None))

    async def _start_camera(self, client: Client, _payload: object) -> None:
        client.wants_video = True
        self._link.watch_camera(True)
        await self._report(client, await self._link.set_camera(client.name, True))

    async def _stop_camera(self, client: Client, _payload: object) -> None:
        # Only this page's video ends at once; other pages keep theirs while the camera runs.
        client.wants_video = False
        await self._report(client, await self._link.set_camera(client.name, False))

    async def _set_benchmark(self, client: Client, payload: object) -> None:
        part_number = events.parse_part('set_benchmark', payload)
        await self._report(client, await self._link.set_benchmark(client.name, part_number))

    async def _capture_component(self, client: Client, _payload: object) -> None:
        await self._report(client, await self._link.capture(client.name))

    async def _reload_required(self, _client: Client, payload: object) -> None:
        await self.on_reload(events.parse_part('reload_required', payload, 'part'))

    async def _report(self, client: Client, result: CellResult) -> None:
        await self.server.status(client, result.message)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode('ascii')
