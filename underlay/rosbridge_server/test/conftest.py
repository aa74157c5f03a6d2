"""A server in a ROS domain of its own, and WebSocket clients that talk to it over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading

import aiohttp
import pytest
import rclpy
from domain_coordinator import domain_id
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor, ShutdownException, SingleThreadedExecutor
from rclpy.parameter import Parameter
from ros2cli.helpers import wait_for
from rosbridge_server.websocket_node import RosbridgeWebsocketNode

DEADLINE_S = 30.0


def wait_until(condition, timeout=DEADLINE_S):
    """Wait for a condition and return its value."""
    found = []
    assert wait_for(lambda: bool(found.append(condition()) or found[-1]), timeout, 0.01), 'not in time'
    return found[-1]


class Peer:
    """A WebSocket client; it reads from the socket only while `receive` waits."""

    def __init__(self, port):
        self.loop = asyncio.new_event_loop()
        self.http = self.run(self._session())
        self.socket = self.run(self.http.ws_connect(f'http://127.0.0.1:{port}/', max_msg_size=0))

    async def _session(self):
        return aiohttp.ClientSession()

    def run(self, work):
        return self.loop.run_until_complete(asyncio.wait_for(work, DEADLINE_S))

    def send(self, **message):
        self.text(json.dumps(message))

    def text(self, text):
        self.run(self.socket.send_str(text))

    def receive(self, op=None, timeout=DEADLINE_S):
        """Return the next message, or the next with this op."""
        while True:
            frame = self.run(self.socket.receive(timeout))
            assert frame.type == aiohttp.WSMsgType.TEXT, frame
            message = json.loads(frame.data)
            if op in (None, message['op']):
                return message

    def nothing(self, timeout=0.3):
        """Return whether nothing comes for a while."""
        with contextlib.suppress(asyncio.TimeoutError):
            return self.run(self.socket.receive(timeout)) is None
        return True

    def subscribe(self, topic, **more):
        """Subscribe and wait until the server has."""
        self.send(op='set_level', level='info')
        self.send(op='subscribe', topic=topic, **more)
        status = self.receive('status')
        assert status['level'] == 'info', status
        self.send(op='set_level', level='error')

    def close(self):
        self.run(self.socket.close())
        self.run(self.http.close())
        self.loop.close()


class Bench:
    """The server's node and a node of the test, spun in threads."""

    until = staticmethod(wait_until)

    def __init__(self, domain):
        self.context = rclpy.Context()
        self.context.init(domain_id=domain)
        self.closers = []
        self.node = rclpy.create_node('test', context=self.context)
        self.spin(self.node, MultiThreadedExecutor(3, context=self.context))

    def spin(self, node, executor):
        executor.add_node(node)

        def work():
            with contextlib.suppress(ExternalShutdownException, ShutdownException):
                executor.spin()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def close():
            executor.shutdown()
            thread.join(DEADLINE_S)
            node.destroy_node()

        self.closers.append(close)

    def serve(self, backlog_limit=16_000_000, **parameters):
        """Start a server and return its node."""
        values = {'port': 0, 'address': '127.0.0.1', **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        node = RosbridgeWebsocketNode(context=self.context, parameter_overrides=overrides, backlog_limit=backlog_limit)
        self.spin(node, SingleThreadedExecutor(context=self.context))
        return node

    def peer(self, server):
        peer = Peer(server.port)
        self.closers.append(peer.close)
        return peer

    def close(self):
        for closer in reversed(self.closers):
            closer()
        self.context.try_shutdown()


@pytest.fixture
def bench():
    with domain_id() as domain:
        bench = Bench(int(domain))
        yield bench
        bench.close()


@pytest.fixture
def server(bench):
    return bench.serve()


@pytest.fixture
def peer(bench, server):
    return bench.peer(server)
