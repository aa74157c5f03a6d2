"""Port 5001: the events that a page of the replaced OCR backend sends and expects."""

from __future__ import annotations

import base64
from collections.abc import Awaitable

from cell_web.socketio_gateway import events
from cell_web.socketio_gateway.cell_link import CaptureEvent, CellLink, CellResult
from cell_web.socketio_gateway.port_server import PortServer
from cell_web.socketio_gateway.server import Client, SocketIoSettings

__all__ = ['PageServer']


class PageServer(PortServer):
    """Serves pages.

    Attributes:
        frames_sent: Frames sent, all pages together.
        frames_skipped: Frames that a page did not get, because it had not taken the one before.
    """

    def __init__(self, settings: SocketIoSettings, link: CellLink) -> None:
        """Register the events.

        Args:
            settings: Address, port, and origins that may connect.
            link: Commands to the cell.
        """
        super().__init__('page', settings, link, events.stock_list, fresh_reset=True)
        self.frames_sent = 0
        self.frames_skipped = 0
        self.server.on('ping_test', self._ping)
        for name, handler in (
            ('submitPartRequest', self._submit_part_request),
            ('start_camera', self._start_camera),
            ('stop_camera', self._stop_camera),
            ('capture_component', self._capture_component),
            ('reload_required', self._reload_required),
        ):
            self.server.on(name, handler, command=True)
        self.server.on('start_robot', self._start_robot, command=True, fresh=True)
        self.server.on('set_benchmark', self._set_benchmark, command=True, fresh=True)

    # -- from the cell ----------------------------------------------------------------------------------------------

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
        """Send a benchmark that was set to all pages.

        Args:
            part_number: Its part.
            texts: Lines that were read.
            image: JPEG; sent in base64.
        """
        await self.server.emit('benchmark_set', {'image': _base64(image), 'part_number': part_number, 'texts': list(texts)})

    # -- from a page ------------------------------------------------------------------------------------------------

    async def _greet(self, client: Client) -> None:
        self._link.watch_camera(True)
        await super()._greet(client)

    async def _ping(self, client: Client, payload: object) -> None:
        await self.server.emit('pong_test', {'msg': events.parse_message('ping_test', payload)}, to=client.sid)

    async def _submit_part_request(self, client: Client, payload: object) -> None:
        await self._set_job_of('submitPartRequest', client, payload)

    async def _start_robot(self, client: Client, payload: object) -> Awaitable[None] | None:
        """Set the job that is named; returns the start."""
        try:
            job = events.parse_optional_job('start_robot', payload)
        except events.QuantityError as error:
            await self._refuse_quantity(client, error)
            raise
        if job is not None:
            result = await self._link.set_job(client.name, job.part_number, job.quantity)
            # A job that was refused must not start the robot.
            if not result.done:
                await self._report(client, result)
                return None
        return self._report_end(client, self._link.start(client.name, run_job=job is not None))

    async def _start_camera(self, client: Client, _payload: object) -> None:
        client.wants_video = True
        self._link.watch_camera(True)
        await self._report(client, await self._link.set_camera(client.name, True))

    async def _stop_camera(self, client: Client, _payload: object) -> None:
        # Only this page's video ends at once; other pages keep theirs while the camera runs.
        client.wants_video = False
        await self._report(client, await self._link.set_camera(client.name, False))

    async def _set_benchmark(self, client: Client, payload: object) -> Awaitable[None]:
        part_number = events.parse_part('set_benchmark', payload)
        return self._report_end(client, self._link.set_benchmark(client.name, part_number))

    async def _capture_component(self, client: Client, _payload: object) -> Awaitable[None]:
        return self._report_end(client, self._link.capture(client.name))

    async def _report_end(self, client: Client, work: Awaitable[CellResult]) -> None:
        await self._report(client, await work)

    async def _reload_required(self, _client: Client, payload: object) -> None:
        await self.on_reload(events.parse_part('reload_required', payload, 'part'))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode('ascii')
