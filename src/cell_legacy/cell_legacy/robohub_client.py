"""Socket.IO client of the hub that stands between the OCR backend and the robot.

Kept for scripts. In the cell, action `robot/trigger` moves the robot and reports how each step ended.
"""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Mapping

try:
    import socketio
except ImportError:  # a script that uses none of this module can import it all the same
    socketio = None

__all__ = ['EVENT_LETTERS', 'RoboHubClient']

EVENT_LETTERS = {'program_started': 'D', 'START_PROGRAM': 'D'}
"""Logical event name -> letter of the UR program."""
NAMESPACE = '/'
RECONNECT_DELAY_S = 0.5
RECONNECT_DELAY_MAX_S = 5.0
CONNECT_TIMEOUT_S = 5.0
SHORTEST_TIMEOUT_S = 0.05
"""Of one request: a timeout of 0 is an error in requests."""
LOG = logging.getLogger(__name__)


class RoboHubClient:
    """One connection to the hub; it reconnects with back-off, and before each emit.

    Runs with python-socketio 4 (hubs of Engine.IO 3) and 5 (hubs of Engine.IO 4): the release of the script's environment
    must suit the hub. The cell's own hub port serves both. Several threads may use one client.

    Attributes:
        sio: The `socketio.Client`.
        hub_url: Address of the hub.
        acks: Event -> True once the hub acknowledged it; False while it has not.
        event_letters: Logical event name -> letter; add the site's own events here.
    """

    def __init__(self, hub_url: str = 'http://127.0.0.1:5002', event_letters: Mapping[str, str] | None = None) -> None:
        """Prepare the client; `connect` connects.

        Args:
            hub_url: Address of the hub.
            event_letters: Letters of the site's own events, in addition to those of the program's start.

        Raises:
            RuntimeError: python-socketio is not installed.
        """
        if socketio is None:
            raise RuntimeError('RoboHubClient needs python-socketio: pip install "python-socketio[client]"')
        self.hub_url = hub_url
        self.acks: dict[str, bool] = {}
        self.event_letters = {**EVENT_LETTERS, **(event_letters or {})}
        options = {}
        if 'handle_sigint' in inspect.signature(socketio.Client).parameters:
            options['handle_sigint'] = False  # else a client that is not made in the main thread is an error
        # socketio's own reconnection does not take `_using`: it and a send closed each other's connection.
        self.sio = socketio.Client(reconnection=False, **options)
        self._acknowledged = threading.Condition()
        self._using = threading.RLock()
        self._closed = threading.Event()
        self.sio.on('ack', self._on_ack, namespace=NAMESPACE)
        self.sio.on('disconnect', self._on_disconnect, namespace=NAMESPACE)

    def connect(self, timeout: float = CONNECT_TIMEOUT_S) -> bool:
        """Connect to the hub's root namespace.

        Args:
            timeout: For the connection and each step of its handshake, seconds. It includes the wait for another thread that
                is connecting.

        Returns:
            True when connected; False when the hub cannot be reached, with the reason in the log.
        """
        if self.connected:
            return True
        deadline = time.monotonic() + timeout
        if not self._using.acquire(timeout=max(timeout, 0.0)):
            LOG.warning('hub %s: no connection within %g s; another thread is still connecting', self.hub_url, timeout)
            return False
        try:
            self._closed.clear()
            return self.connected or self._connect(max(deadline - time.monotonic(), SHORTEST_TIMEOUT_S))
        finally:
            self._using.release()

    def _connect(self, timeout: float) -> bool:
        """Connect; call it only while holding `_using`."""
        usual = getattr(self.sio.eio, 'request_timeout', None)
        try:
            # Else a port that accepts connections and never answers takes engineio's own 5 s.
            self.sio.eio.request_timeout = timeout
            # A half-open transport makes `connect` raise; it is closed first.
            if self.sio.connected or self.sio.eio.state != 'disconnected':
                self.sio.disconnect()
            if not self._reader_ended(timeout):
                LOG.warning('hub %s: the former connection does not end; is the hub overloaded?', self.hub_url)
                return False
            self.sio.connect(self.hub_url, namespaces=[NAMESPACE], **self._wait(timeout))
        except (socketio.exceptions.ConnectionError, ValueError, OSError) as error:
            LOG.warning('hub %s: no connection (%s); is the hub running?', self.hub_url, error)
        finally:
            if usual is not None:
                self.sio.eio.request_timeout = usual
        return self.connected

    @property
    def connected(self) -> bool:
        """Return whether the root namespace is connected."""
        namespaces = self.sio.namespaces
        # Release 4 lists other namespaces only: the root is connected with the transport.
        rooted = NAMESPACE in namespaces or not isinstance(namespaces, dict)
        return bool(self.sio.connected and rooted and self.sio.eio.state == 'connected')

    def send_trigger(self, event_name: str) -> bool:
        """Send the letter of a logical event, e.g. "START_PROGRAM".

        Returns:
            True when it was handed to the connection; False when the hub cannot be reached.

        Raises:
            ValueError: No letter is known for the event.
        """
        letter = self.event_letters.get(event_name)
        if letter is None:
            known = ', '.join(sorted(self.event_letters))
            raise ValueError(f'event {event_name!r} has no letter: use one of {known}, or add it to event_letters')
        return self._emit(letter, event_name, '')

    def send_part_code(self, letter: str, part_number: str | None = '') -> bool:
        """Send a part's letter; the hub acknowledges event `PART_<part number>`. None is no part number.

        Returns:
            True when it was handed to the connection; False when the hub cannot be reached.

        Raises:
            ValueError: The letter is not one letter A to Z, in upper or lower case.
        """
        if not isinstance(letter, str) or len(letter) != 1 or not letter.isascii() or not letter.isalpha():
            raise ValueError(f'letter {letter!r} of part {part_number!r} must be one letter A to Z')
        number = '' if part_number is None else str(part_number)
        return self._emit(letter, f'PART_{number}', number)

    def wait_for_ack(self, event: str, timeout: float = 10) -> bool:
        """Wait until the hub acknowledged an event.

        Returns:
            True when it did within the timeout, seconds. False means unknown: the robot may have acted all the same.
        """
        with self._acknowledged:
            return self._acknowledged.wait_for(lambda: self.acks.get(event, False), timeout)

    def disconnect(self) -> None:
        """Close the connection. It stays closed until `connect` or the next send."""
        self._closed.set()
        with self._using:
            self._closed.set()
            self.sio.disconnect()

    def _wait(self, timeout: float) -> dict[str, float | bool]:
        """Return the arguments that make `connect` wait for the namespace; release 4 has none and need not wait."""
        known = inspect.signature(self.sio.connect).parameters
        return {'wait': True, 'wait_timeout': timeout} if 'wait_timeout' in known else {}

    def _reader_ended(self, timeout: float) -> bool:
        """Wait until the reading thread of the former connection has ended.

        `socketio.Client.disconnect` does not wait for it. It looks at the state of the client, not of its connection: when
        the next connection is made before it has looked, it takes that one for its own and closes it (python-engineio 3).

        Returns:
            False when it still runs after the timeout, seconds.
        """
        reader = getattr(self.sio.eio, 'read_loop_task', None)
        if reader is None or reader is threading.current_thread():
            return True
        reader.join(timeout)
        return not reader.is_alive()

    def _emit(self, letter: str, event: str, part_number: str) -> bool:
        with self._acknowledged:
            # Before the emit: an acknowledgement that comes at once must not be overwritten.
            self.acks[event] = False
        # Held from the connection to the emit: no other thread of the script may close or replace the connection meanwhile.
        with self._using:
            if not self.connect():
                return False
            data = {'trigger': letter, 'event': event, 'part_number': part_number}
            try:
                self.sio.emit('send_trigger', data, namespace=NAMESPACE)
            except socketio.exceptions.SocketIOError as error:
                LOG.warning('hub %s: trigger %s (%s) was not sent: %s', self.hub_url, letter, event, error)
                return False
            # engineio drops a packet without a word when the hub has just closed the connection.
            if not self.connected:
                LOG.warning('hub %s: trigger %s (%s): the connection ended meanwhile', self.hub_url, letter, event)
                return False
        LOG.info('hub %s: trigger %s sent, event %s', self.hub_url, letter, event)
        return True

    def _on_disconnect(self, *_reason: object) -> None:
        if not self._closed.is_set():
            threading.Thread(target=self._reconnect, name='hub-reconnect', daemon=True).start()

    def _reconnect(self) -> None:
        """Connect again with back-off, until connected or closed."""
        delay = RECONNECT_DELAY_S
        while not self._closed.wait(delay):
            with self._using:
                # Looked at again under the lock: `connect` would open what the script has just closed.
                if self.connected or self._closed.is_set() or self._connect(CONNECT_TIMEOUT_S):
                    return
            delay = min(2.0 * delay, RECONNECT_DELAY_MAX_S)

    def _on_ack(self, *data: object) -> None:
        event = data[0].get('event') if data and isinstance(data[0], dict) else None
        if not isinstance(event, str):
            LOG.warning('hub %s: acknowledgement without an event: %.200r', self.hub_url, data)
            return
        LOG.info('hub %s: event %s acknowledged', self.hub_url, event)
        with self._acknowledged:
            self.acks[event] = True
            self._acknowledged.notify_all()
