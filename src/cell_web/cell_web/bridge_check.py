"""End-to-end check of rosbridge: requests from the gateway through rosbridge to nodes, and their responses back.

A bridge that accepts sockets and sends nothing would pass every check of its port. Each node answers requests for its
parameters, so no node needs code for this.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from cell_common.timeouts import with_timeout

__all__ = ['BridgeCheck', 'BridgeHealth', 'CheckSettings']

log = logging.getLogger(__name__)
CONNECT_S = 5.0
PARAMETER = 'use_sim_time'
"""Every node of ROS 2 has it."""


@dataclass(frozen=True)
class CheckSettings:
    """Settings of the check.

    Attributes:
        url: URL of rosbridge.
        headers: Headers of the handshake; they prove who connects.
        nodes: Full names of the nodes that are asked, the gateway's own first.
        period_s: Seconds between two requests.
        timeout_s: Age in seconds of the last response at which a node counts as unreachable.
    """

    url: str
    headers: Mapping[str, str]
    nodes: Sequence[str]
    period_s: float = 2.0
    timeout_s: float = 10.0


@dataclass(frozen=True)
class BridgeHealth:
    """Result of the check.

    Attributes:
        ok: All nodes answered lately.
        message: Fact and remedy; "" = ok.
        round_trip_s: Seconds of the last round trip to each node that has answered.
        age_s: Seconds since the last response of each node; infinity = never.
        starting: The check has just begun, so a missing response means nothing yet.
    """

    ok: bool
    message: str = ''
    round_trip_s: Mapping[str, float] = field(default_factory=dict)
    age_s: Mapping[str, float] = field(default_factory=dict)
    starting: bool = False


class BridgeCheck:
    """Asks the nodes again and again over one connection; connects again when rosbridge is silent. Used from one event loop.

    `health` may be read from any thread.
    """

    def __init__(self, settings: CheckSettings, now: Callable[[], float] = time.monotonic) -> None:
        """Store the settings; `run` starts the check.

        Args:
            settings: Address, nodes and times.
            now: Steady clock, seconds.
        """
        self._settings = settings
        self._now = now
        self._started = now()
        self._sent: dict[str, tuple[str, float]] = {}
        self._answered: dict[str, float] = {}
        self._round_trip: dict[str, float] = {}
        self._refused: dict[str, str] = {}
        self._connection = 'not connected yet'

    def health(self) -> BridgeHealth:
        """Return the state of the bridge now."""
        now = self._now()
        ages = {node: now - self._answered[node] if node in self._answered else math.inf for node in self._settings.nodes}
        silent = [node for node, age in ages.items() if age > self._settings.timeout_s]
        starting = now - self._started < self._settings.timeout_s
        return BridgeHealth(not silent, self._message(silent), dict(self._round_trip), ages, starting)

    def _message(self, silent: Sequence[str]) -> str:
        """Return what fails: the connection, the bridge, or single nodes behind it."""
        if not silent:
            return ''
        if self._connection:
            return f'rosbridge at {self._settings.url}: {self._connection}: is rosbridge_websocket running?'
        if len(silent) == len(self._settings.nodes) and not any(node in self._refused for node in silent):
            return f'rosbridge at {self._settings.url} accepts connections and sends nothing: restart rosbridge_websocket'
        reasons = [
            f'{node} does not answer' + (f' ({self._refused[node]})' if node in self._refused else '') for node in silent
        ]
        return f'over rosbridge {", ".join(reasons)}: is the node running?'

    async def run(self) -> None:
        """Check until canceled."""
        while True:
            try:
                await self._check_over_one_connection()
            except WSServerHandshakeError as error:
                self._connection = f'refuses this gateway ({error.status})'
            except asyncio.TimeoutError:
                self._connection = f'no handshake within {CONNECT_S:g} s'
            except (ClientError, OSError) as error:
                self._connection = f'cannot be reached ({error})'
            await asyncio.sleep(self._settings.period_s)

    async def _check_over_one_connection(self) -> None:
        """Connect and ask until the connection ends or nothing has come for the timeout."""
        async with ClientSession() as session:
            connection = await with_timeout(
                session.ws_connect(self._settings.url, headers=self._settings.headers, heartbeat=None), CONNECT_S
            )
            self._connection = ''
            self._sent.clear()
            self._refused.clear()
            reading = asyncio.create_task(self._read(connection))
            last_answer_s = self._now()
            try:
                while not reading.done():
                    await self._ask(connection)
                    await asyncio.wait([reading], timeout=self._settings.period_s)
                    last_answer_s = max([last_answer_s, *self._answered.values()])
                    if self._now() - last_answer_s > self._settings.timeout_s and not self._refused:
                        log.warning('rosbridge has sent nothing for %g s: connecting again', self._settings.timeout_s)
                        break
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                await with_timeout(connection.close(), CONNECT_S)

    async def _ask(self, connection: ClientWebSocketResponse) -> None:
        """Send one request to each node whose last one was answered or is too old."""
        for node in self._settings.nodes:
            identity, sent_at = self._sent.get(node, ('', -math.inf))
            if identity and self._now() - sent_at < self._settings.timeout_s:
                continue
            identity = f'check {node} {self._now():.6f}'
            self._sent[node] = (identity, self._now())
            request = {
                'op': 'call_service',
                'id': identity,
                'service': f'{node}/get_parameters',
                'args': {'names': [PARAMETER]},
            }
            await with_timeout(connection.send_str(json.dumps(request)), CONNECT_S)

    async def _read(self, connection: ClientWebSocketResponse) -> None:
        async for message in connection:
            if message.type is WSMsgType.TEXT:
                self._on_answer(json.loads(message.data))

    def _on_answer(self, answer: object) -> None:
        """Note the response of a node; other messages are ignored."""
        if not isinstance(answer, dict) or answer.get('op') != 'service_response':
            return
        for node, (identity, sent_at) in self._sent.items():
            if identity != '' and answer.get('id') == identity:
                self._sent[node] = ('', sent_at)
                if answer.get('result') is True:
                    self._answered[node] = self._now()
                    self._round_trip[node] = self._now() - sent_at
                    self._refused.pop(node, None)
                else:
                    self._refused[node] = str(answer.get('values'))[:200]
