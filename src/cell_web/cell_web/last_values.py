"""Last values of the cell's latched topics, for pages that connect while a node is down."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from aiohttp import web
from cell_common.qos import latched
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from cell_interfaces import msg
from cell_web.pages import NO_STORE
from cell_web.request_session import Session

__all__ = ['PATH', 'TOPICS', 'LastValues', 'to_json']

PATH = '/last_values.json'
TOPICS: dict[str, type] = {
    'status': msg.CellStatus,
    'job': msg.JobState,
    'inventory': msg.Inventory,
    'robot/state': msg.RobotState,
    'alarms': msg.AlarmList,
    'weighing/job': msg.WeighJobList,
    'weighing/bags': msg.BagList,
    'weighing/scales': msg.ScaleList,
    'weighing/delivery': msg.DeliveryState,
}
"""Latched topics of the page and their types."""
# Three beats a second of each node, more than one round of all.
HEARTBEATS = 30


class LastValues:
    """Keeps the newest message of each topic and the time of each node's last heartbeat.

    A latched value is stored by the node that publishes it: while that node is down, a new subscriber receives nothing.
    Messages stay serialized until a page asks for them.
    """

    def __init__(self, node: Node) -> None:
        """Subscribe to the topics of the page and to `heartbeat`."""
        self._messages: dict[str, bytes] = {}
        self._heartbeats: dict[str, float] = {}
        for name, kind in TOPICS.items():
            node.create_subscription(kind, name, partial(self._messages.__setitem__, name), latched(), raw=True)
        node.create_subscription(String, 'heartbeat', self._on_heartbeat, HEARTBEATS)

    def add_routes(self, router: web.UrlDispatcher, require_session: Callable[[web.Request], Session]) -> None:
        """Serve the values at `/last_values.json`, limited to the topics of the session's role.

        Args:
            router: Router of the gateway's application.
            require_session: Returns the session of a request, or raises HTTPUnauthorized.
        """

        async def serve(request: web.Request) -> web.Response:
            allowed = require_session(request).role.topics
            return web.json_response(self.snapshot(allowed), headers={'Cache-Control': NO_STORE})

        router.add_get(PATH, serve)

    def snapshot(self, topics: frozenset[str]) -> dict[str, object]:
        """Return the values of some topics as rosbridge writes them, and the age of each node's heartbeat in seconds."""
        values = {name: to_json(message) for name, message in self.messages(topics).items()}
        return {'values': values, 'heartbeat_age_s': self.heartbeat_ages()}

    def messages(self, topics: Collection[str] = tuple(TOPICS)) -> dict[str, Any]:
        """Return the newest message of some topics; one that never came is left out.

        Args:
            topics: Names as in TOPICS.
        """
        return {name: deserialize_message(data, TOPICS[name]) for name, data in list(self._messages.items()) if name in topics}

    def heartbeat_ages(self) -> dict[str, float]:
        """Return the seconds since the last heartbeat of each node that ever sent one."""
        now = time.monotonic()
        return {name: now - received for name, received in list(self._heartbeats.items())}

    def _on_heartbeat(self, heartbeat: String) -> None:
        self._heartbeats[heartbeat.data] = time.monotonic()


def to_json(value: Any) -> Any:
    """Return a message as rosbridge writes it: objects, lists, bytes as base64, NaN and infinity as null."""
    if hasattr(value, 'get_fields_and_field_types'):
        fields = value.get_fields_and_field_types()
        return {
            name: base64.b64encode(bytes(getattr(value, name))).decode()
            if kind.startswith(('sequence<uint8', 'uint8['))
            else to_json(getattr(value, name))
            for name, kind in fields.items()
        }
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, bytes):
        return value[0]
    return [to_json(entry) for entry in value]
