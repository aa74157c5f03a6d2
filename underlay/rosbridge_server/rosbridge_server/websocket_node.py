"""The node `rosbridge_websocket`: the rosbridge protocol v2 over WebSocket, with the parameters of rosbridge_server."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import sys
import threading
from types import FrameType
from typing import Any

import rclpy
import rclpy.utilities
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import Int32

from rosbridge_server.calls import Callers
from rosbridge_server.protocol import Globs
from rosbridge_server.publications import Publications
from rosbridge_server.ros_thread import RosThread
from rosbridge_server.server import Endpoint, Server
from rosbridge_server.session_state import Bridge
from rosbridge_server.subscriptions import Subscriptions

FIRST_TRY_S = 2.0
BACKLOG_LIMIT = 16_000_000
SECRET_VARIABLE = 'ROSBRIDGE_SECRET'
"""Environment variable with the secret that clients must send. Not a parameter: every node could read that."""

PARAMETERS: dict[str, tuple[Any, str]] = {
    'port': (9090, 'TCP port, 0 for one that is free.'),
    'address': ('', 'Address to listen on; empty for all.'),
    'url_path': ('/', 'Path of the WebSocket.'),
    'retry_startup_delay': (2.0, 'Time between attempts to open the port [s].'),
    'allowed_origins': ('', 'Pages that may connect, such as [http://panel:8080], [*] for all; empty for none.'),
    'certfile': ('', 'TLS certificate chain, PEM file.'),
    'keyfile': ('', 'Key of the TLS certificate, PEM file.'),
    'use_compression': (False, 'Offer permessage-deflate.'),
    'max_message_size': (10_000_000, 'Largest message taken from a client [bytes].'),
    'unregister_timeout': (10.0, 'Time that an unused publisher is kept [s].'),
    'default_call_service_timeout': (5.0, 'Longest wait for a service without a timeout of its own, 0 without end [s].'),
    'topics_glob': ('', 'Topics that clients may use, such as [/cell/*]; empty for all.'),
    'services_glob': ('', 'Services that clients may call; empty for all.'),
    'actions_glob': ('', 'Actions that clients may send goals to; empty for all.'),
    'params_glob': ('', 'For rosapi; without effect here.'),
    'websocket_ping_interval': (0.0, 'Time between pings, 0 for none [s].'),
    'websocket_ping_timeout': (30.0, 'Accepted; a ping is answered within half its interval or the client is gone [s].'),
    'call_services_in_new_thread': (True, 'Accepted; calls are always concurrent.'),
    'send_action_goals_in_new_thread': (True, 'Accepted; goals are always concurrent.'),
    'fragment_timeout': (600, 'Accepted; fragments are not supported.'),
    'delay_between_messages': (0.0, 'Accepted; there is no delay.'),
    'bson_only_mode': (False, 'Must be false; BSON is not supported.'),
}


class RosbridgeWebsocketNode(Node):
    """Serves WebSocket clients; nodes see its subscriptions, publishers and calls as those of one node."""

    def __init__(self, **options: Any) -> None:
        """Declare the parameters and start the server.

        Raises:
            ValueError: A parameter asks for something that is not supported.
        """
        backlog_limit = int(options.pop('backlog_limit', BACKLOG_LIMIT))
        super().__init__('rosbridge_websocket', **options)
        values = self._declare()
        if values['bson_only_mode']:
            raise ValueError('parameter bson_only_mode: BSON is not supported by this server, set it to false')
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._count = self.create_publisher(Int32, 'client_count', latched)
        self._count.publish(Int32(data=0))
        self.port = 0
        self._listening = threading.Event()
        loop = asyncio.new_event_loop()
        self._ros = RosThread(self, loop)
        bridge = Bridge(
            ros=self._ros,
            subscriptions=Subscriptions(self, loop, self._ros.post),
            publications=Publications(self),
            callers=Callers(self, self._ros),
            topics=Globs(values['topics_glob']),
            services=Globs(values['services_glob']),
            actions=Globs(values['actions_glob']),
            call_timeout_s=values['default_call_service_timeout'],
            unregister_timeout_s=values['unregister_timeout'],
            backlog_limit=backlog_limit,
        )
        self._callers = bridge.callers
        self._server = Server(loop, _endpoint(values), bridge, self.get_logger().warning, self._clients_changed)
        self._server.start(self._on_port)
        self._listening.wait(FIRST_TRY_S)

    @property
    def connections(self) -> int:
        """Number of open connections."""
        return self._server.connections

    def destroy_node(self) -> None:
        """Close all connections, then end the node."""
        self._server.stop()
        self._callers.close()
        super().destroy_node()

    def _declare(self) -> dict[str, Any]:
        values = {}
        for name, (default, description) in PARAMETERS.items():
            descriptor = ParameterDescriptor(description=description, dynamic_typing=isinstance(default, (int, float)))
            values[name] = self.declare_parameter(name, default, descriptor).value
        return values

    def _on_port(self, port: int) -> None:
        self.port = port
        self.declare_parameter('actual_port', port, ParameterDescriptor(description='TCP port that is open.', read_only=True))
        self.get_logger().info(f'Rosbridge WebSocket server started on port {port}')
        self._listening.set()

    def _clients_changed(self, count: int) -> None:
        self._ros.post(lambda: self._count.publish(Int32(data=count)))


def _endpoint(values: dict[str, Any]) -> Endpoint:
    tls = None
    if values['certfile'] and values['keyfile']:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(values['certfile'], values['keyfile'])
    return Endpoint(
        address=values['address'],
        port=int(values['port']),
        path=values['url_path'] or '/',
        max_message_size=int(values['max_message_size']),
        ping_interval_s=float(values['websocket_ping_interval']),
        use_compression=bool(values['use_compression']),
        retry_delay_s=float(values['retry_startup_delay']),
        tls=tls,
        origins=tuple(Globs(values['allowed_origins']).patterns),
        secret=os.environ.get(SECRET_VARIABLE, ''),
    )


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: rclpy's handler, which calls this one, has done it; the default would raise KeyboardInterrupt anywhere."""


def main(args: list[str] | None = None) -> None:
    """Spin the node until SIGINT or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _noted)
    # rclpy's own handlers shut the context down and wake the executor at once; a handler in Python would wait for it.
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.ALL)
    try:
        node = RosbridgeWebsocketNode()
    except (ValueError, OSError) as problem:
        rclpy.logging.get_logger('rosbridge_websocket').fatal(f'cannot start: {problem}')
        sys.exit(1)
    try:
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except ExternalShutdownException:
        pass
    finally:
        node.destroy_node()
        rclpy.utilities.try_shutdown()
