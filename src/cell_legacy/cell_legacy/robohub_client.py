"""Socket.IO client of the hub that stands between the OCR backend and the robot.

Kept for scripts. In the cell, action `robot/trigger` moves the robot and reports how each step ended.
"""

from __future__ import annotations

import inspect
import logging
import threading
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
LOG = logging.getLogger(__name__)


class RoboHubClient:
    """One connection to the hub; it reconnects with back-off, and before each emit.

    Runs with python-socketio 4 (hubs of Engine.IO 3) and 5 (hubs of Engine.IO 4): the release of the script's environment
    must suit the hub. The cell's own hub port serves both.

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
        options = {'reconnection_delay': RECONNECT_DELAY_S, 'reconnection_delay_max': RECONNECT_DELAY_MAX_S}
        if 'handle_sigint' in inspect.signature(socketio.Client).parameters:
            options['handle_sigint'] = False  # else a client that is not made in the main thread is an error
        self.sio = socketio.Client(reconnection=True, **options)
        self._acknowledged = threading.Condition()
        self.sio.on('ack', self._on_ack, namespace=NAMESPACE)

    def connect(self, timeout: float = 5.0) -> bool:
        """Connect to the hub's root namespace.

        Args:
            timeout: For the connection and its handshake, seconds.

        Returns:
            True when connected; False when the hub cannot be reached, with the reason in the log.
        """
        if self.connected:
            return True
        try:
            # A half-open transport makes `connect` raise; it is closed first.
            if self.sio.connected or self.sio.eio.state != 'disconnected':
                self.sio.disconnect()
            if not self._reader_ended(timeout):
                LOG.warning('hub %s: the former connection does not end; is the hub overloaded?', self.hub_url)
                return False
            self.sio.connect(self.hub_url, namespaces=[NAMESPACE], **self._wait(timeout))
        except (socketio.exceptions.ConnectionError, ValueError, OSError) as error:
            LOG.warning('hub %s: no connection (%s); is the hub running?', self.hub_url, error)
        return self.connected

    @property
    def connected(self) -> bool:
        """Return whether the root namespace is connected."""
        namespaces = self.sio.namespaces
        # Release 4 lists other namespaces only: the root is connected with the transport.
        return bool(self.sio.connected and (NAMESPACE in namespaces or not isinstance(namespaces, dict)))

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

    def send_part_code(self, letter: str, part_number: str = '') -> bool:
        """Send a part's letter; the hub acknowledges event `PART_<part number>`.

        Returns:
            True when it was handed to the connection; False when the hub cannot be reached.

        Raises:
            ValueError: The letter is not one character.
        """
        if not isinstance(letter, str) or len(letter) != 1:
            raise ValueError(f'letter {letter!r} of part {part_number!r} must be one character')
        return self._emit(letter, f'PART_{part_number}', part_number)

    def wait_for_ack(self, event: str, timeout: float = 10) -> bool:
        """Wait until the hub acknowledged an event.

        Returns:
            True when it did within the timeout, seconds. False means unknown: the robot may have acted all the same.
        """
        with self._acknowledged:
            return self._acknowledged.wait_for(lambda: self.acks.get(event, False), timeout)

    def disconnect(self) -> None:
        """Close the connection."""
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
        if not self.connect():
            return False
        try:
            self.sio.emit('send_trigger', {'trigger': letter, 'event': event, 'part_number': part_number}, namespace=NAMESPACE)
        except socketio.exceptions.SocketIOError as error:
            LOG.warning('hub %s: trigger %s (%s) was not sent: %s', self.hub_url, letter, event, error)
            return False
        LOG.info('hub %s: trigger %s sent, event %s', self.hub_url, letter, event)
        return True

    def _on_ack(self, data: object = None) -> None:
        event = data.get('event') if isinstance(data, dict) else None
        if not isinstance(event, str):
            LOG.warning('hub %s: acknowledgement without an event: %.200r', self.hub_url, data)
            return
        LOG.info('hub %s: event %s acknowledged', self.hub_url, event)
        with self._acknowledged:
            self.acks[event] = True
            self._acknowledged.notify_all()
