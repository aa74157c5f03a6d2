"""A hub of the replaced OCR system for tests: a real Socket.IO server on a real port that can misbehave."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import socketio
from aiohttp import web
from cell_common.background import AsyncioThread

__all__ = ['FakeHub', 'acknowledge_event', 'acknowledge_other', 'acknowledge_twice', 'drop_clients', 'relay', 'stay_silent']

DEADLINE_S = 10.0
HubPlan = Callable[['FakeHub', Mapping[str, Any]], None]
"""Reaction to one trigger; runs in the hub's event loop."""


def acknowledge_event(hub: FakeHub, payload: Mapping[str, Any]) -> None:
    """Acknowledge the trigger's event."""
    hub.send_ack(payload['event'])


def acknowledge_twice(hub: FakeHub, payload: Mapping[str, Any]) -> None:
    """Acknowledge the trigger's event two times."""
    hub.send_ack(payload['event'])
    hub.send_ack(payload['event'])


def acknowledge_other(hub: FakeHub, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a plan takes the payload
    """Acknowledge an event that nobody asked for."""
    hub.send_ack('SOMETHING_ELSE')


def stay_silent(hub: FakeHub, payload: Mapping[str, Any]) -> None:
    """Do not acknowledge."""


def drop_clients(hub: FakeHub, payload: Mapping[str, Any]) -> None:  # noqa: ARG001 - a plan takes the payload
    """Disconnect every client instead of acknowledging."""
    hub.drop_later()


def relay(hub: FakeHub, payload: Mapping[str, Any]) -> None:
    """Pass the letter to the robot's program and acknowledge the event when the program does."""
    hub.pass_on(payload['trigger'], payload['event'])


class FakeHub:
    """Context manager: a hub on `port` that follows one plan per trigger, then `otherwise`."""

    def __init__(
        self,
        port: int,
        plans: Iterable[HubPlan] = (),
        otherwise: HubPlan = acknowledge_event,
        namespace: str = '/',
        robot_port: int = 0,
    ) -> None:
        """Prepare a hub that serves one namespace; `robot_port` is where a bare UR program connects, 0 = nowhere."""
        self.url = f'http://127.0.0.1:{port}'
        self.triggers: list[Mapping[str, Any]] = []
        """Payloads of `send_trigger`, in the order of their arrival."""
        self.clients: list[str] = []
        """Session ids of the connected clients."""
        self._port, self._plans, self._otherwise, self._namespace = port, deque(plans), otherwise, namespace
        self._background = AsyncioThread('fake-hub')
        self._tasks: set[asyncio.Task[None]] = set()
        self._robot_port = robot_port
        self._program: asyncio.StreamWriter | None = None
        self._waiting: deque[str] = deque()

    def __enter__(self) -> FakeHub:
        """Open the port."""
        self._background.run(self._open(), DEADLINE_S)
        return self

    def __exit__(self, *_: object) -> None:
        """End like a killed process: connections drop, the port closes."""
        self._background.run(self._close(), DEADLINE_S)
        self._background.close()

    def ack(self, event: str) -> None:
        """Acknowledge an event to every client, from any thread."""
        self._background.run(self.emit('ack', {'event': event}), DEADLINE_S)

    def send(self, event: str, *payload: object) -> None:
        """Send any event to every client, from any thread."""
        self._background.run(self.emit(event, *payload), DEADLINE_S)

    def drop(self) -> None:
        """Disconnect every client, from any thread."""
        self._background.run(self._drop(), DEADLINE_S)

    # The methods below run in the hub's event loop.

    async def emit(self, event: str, *payload: object) -> None:
        """Send an event to every client."""
        data = payload[0] if len(payload) == 1 else payload or None
        await self._sio.emit(event, data, namespace=self._namespace)

    def send_ack(self, event: str) -> None:
        """Acknowledge an event to every client, after the current handler."""
        self._later(self.emit('ack', {'event': event}))

    def pass_on(self, letter: str, event: str) -> None:
        """Write a letter to the robot's program; without one it is lost."""
        if self._program is not None:
            self._waiting.append(event)
            self._program.write(letter.encode('ascii'))

    def drop_later(self) -> None:
        """Disconnect every client, after the current handler."""
        self._later(self._drop())

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drop(self) -> None:
        for sid in list(self.clients):
            await self._sio.disconnect(sid, namespace=self._namespace)

    async def _open(self) -> None:
        """Open the port, and the one for the robot's program if there is one."""
        self._sio = socketio.AsyncServer(async_mode='aiohttp', cors_allowed_origins='*', namespaces=[self._namespace])
        self._sio.on('connect', self._on_connect, namespace=self._namespace)
        self._sio.on('disconnect', self._on_disconnect, namespace=self._namespace)
        self._sio.on('send_trigger', self._on_trigger, namespace=self._namespace)
        application = web.Application()
        self._sio.attach(application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, '127.0.0.1', self._port, reuse_address=True).start()
        if self._robot_port:
            self._robot = await asyncio.start_server(self._serve_program, '127.0.0.1', self._robot_port)

    async def _close(self) -> None:
        if self._robot_port:
            self._robot.close()
        if self._program is not None:
            self._program.close()
        await self._runner.cleanup()

    async def _serve_program(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._program, self._waiting = writer, deque()
        while word := await reader.readline():
            if word.strip() == b'ack' and self._waiting:
                await self.emit('ack', {'event': self._waiting.popleft()})

    async def _on_connect(self, sid: str, _environ: object, _auth: object = None) -> None:
        self.clients.append(sid)

    async def _on_disconnect(self, sid: str, _reason: str = '') -> None:
        self.clients.remove(sid)

    async def _on_trigger(self, _sid: str, payload: Mapping[str, Any]) -> None:
        self.triggers.append(payload)
        plan = self._plans.popleft() if self._plans else self._otherwise
        plan(self, payload)
