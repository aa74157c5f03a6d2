"""Delivery as the node uses it: start, wake, retry, health and alarms."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from enum import IntEnum

from cell_common.alarms import AlarmReporter
from cell_common.diagnostics import Health
from sqlalchemy import Engine

from cell_weighing.delivery.http_client import HttpPoster, HttpRoute
from cell_weighing.delivery.outbox import NotDeadLetterError, Outbox, OutboxCounts
from cell_weighing.delivery.sender import DeliveryContext, DeliverySender
from cell_weighing.delivery.settings import SettingsError, WebAppSettings, read_api_key

KEY_PERIOD_S = 5.0
"""Time between two reads of the API key."""


class DeliveryRoute(IntEnum):
    """State of the connection to the web application. Numbers as in cell_interfaces/DeliveryState."""

    OFF = 0
    UP = 1
    RETRYING = 2
    PAUSED = 3


def pluralize(number: int, noun: str) -> str:
    """Return "1 bag" or "2 bags"."""
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'


class NoApplicationError(RuntimeError):
    """No web application is configured."""


class ApiKeyFile:
    """The API key, read every few seconds so that a new key needs no restart. Thread-safe.

    Attributes:
        error: Why there is no key; "" when there is one.
    """

    def __init__(self, settings: WebAppSettings, key_file: str) -> None:
        """Store the sources of the key; see `read_api_key`."""
        self._settings = settings
        self._key_file = key_file
        self._read_at = -KEY_PERIOD_S
        self._key = ''
        self._lock = threading.Lock()
        self.error = ''

    def key(self) -> str:
        """Return the key, "" when there is none."""
        with self._lock:
            if time.monotonic() - self._read_at >= KEY_PERIOD_S:
                self._read_at = time.monotonic()
                try:
                    self._key, self.error = read_api_key(self._settings, self._key_file, os.environ), ''
                except SettingsError as error:
                    self._key, self.error = '', str(error)
            return self._key


class DeliveryService:
    """The outbox and its sender; without a web application nothing is sent.

    Attributes:
        outbox: Waiting bags and ledger.
    """

    def __init__(
        self,
        engine: Engine,
        settings: WebAppSettings,
        key_file: str,
        on_error: Callable[[str], object],
        route: HttpRoute | None = None,
    ) -> None:
        """Start to deliver the waiting bags.

        Args:
            engine: The open, migrated database.
            settings: Address of the web application.
            key_file: File with the API key; "" = other sources, see `read_api_key`.
            on_error: Called from another thread with the message of a database error.
            route: Certificate authority and proxy; None = public authorities, no proxy.

        Raises:
            SQLAlchemyError: The outbox cannot be read.
        """
        self.outbox = Outbox(engine)
        self._url = settings.url
        self._keys = ApiKeyFile(settings, key_file)
        self._sender: DeliverySender | None = None
        if self._url:
            post = HttpPoster(self._url, route=route).post
            context = DeliveryContext(self.outbox, self._url, post, self._keys.key, time.time_ns, random.random)
            self._sender = DeliverySender(context, on_error)

    @property
    def enabled(self) -> bool:
        """Whether a web application is configured."""
        return self._sender is not None

    def wake(self, stations: Iterable[str]) -> None:
        """Send the new bags of these stations."""
        if self._sender:
            for station in set(stations):
                self._sender.wake(station)

    def retry(self, bag_id: int = 0) -> int:
        """Send dead letters again and allow a rejected key again, on an operator's command.

        Args:
            bag_id: The dead letter; 0 = all.

        Returns:
            Number of dead letters; 0 when only a pause has ended.

        Raises:
            NoApplicationError: No web application is configured.
            NotDeadLetterError: The bag is not a dead letter, or there are none and delivery is not paused.
        """
        if not self._sender:
            raise NoApplicationError('no web application is configured: give weigh_station a settings_file')
        paused = self._sender.context.paused
        if bag_id:
            self.outbox.requeue_bag(bag_id)
            requeued = 1
        else:
            requeued = self.outbox.requeue()
        if not requeued and not paused:
            raise NotDeadLetterError('no bag has been rejected: there is nothing to resend')
        self._sender.context.retry_key()
        self._sender.wake_all()
        return requeued

    def state(self) -> tuple[DeliveryRoute, str]:
        """Return the state of the connection, and a message for the operator; "" when it works."""
        if not self._sender:
            return DeliveryRoute.OFF, ''
        error = self.error()
        if self._sender.context.address.wrong:
            return DeliveryRoute.PAUSED, f'{error or "the address is wrong"}. Correct the address; bags wait and none is lost.'
        if self._sender.context.paused:
            return DeliveryRoute.PAUSED, f'{error or "the key is not accepted"}. Correct the key, then press Resume delivery.'
        if error:
            return DeliveryRoute.RETRYING, f'{error}. Bags wait and are retried automatically.'
        return DeliveryRoute.UP, ''

    def error(self) -> str:
        """Return why bags cannot be delivered now; "" when they can."""
        if not self._sender:
            return ''
        return self._keys.error or '; '.join(sorted(set(self._sender.context.errors.values())))

    def health(self, counts: OutboxCounts) -> Health:
        """Return the diagnostic state of the delivery."""
        if not self._sender:
            return Health(0, 'no web application is configured (parameter settings_file)')
        values = {
            'waiting': str(counts.waiting),
            'delivered': str(counts.delivered),
            'dead letters': str(counts.dead),
            'url': self._url,
        }
        if error := self.error():
            return Health(1, f'{pluralize(counts.waiting, "bag")} waiting: {error}', values)
        if counts.dead:
            rejected = pluralize(counts.dead, 'bag')
            return Health(
                1,
                f'{rejected} rejected by the web application: see the reason on the page, correct the cause, then press Resend',
                values,
            )
        return Health(0, f'{pluralize(counts.waiting, "bag")} waiting', values)

    def update_alarms(self, alarms: AlarmReporter, counts: OutboxCounts) -> None:
        """Raise or clear the delivery alarms.

        Args:
            alarms: Reporter of the node; repeated calls are filtered there.
            counts: Bags by state.
        """
        if error := self.error():
            alarms.raise_known('delivery', error=error)
        else:
            alarms.clear_alarm('delivery')
        if counts.dead:
            alarms.raise_known('dead_letters', bags=pluralize(counts.dead, 'bag'))
        else:
            alarms.clear_alarm('dead_letters')

    def close(self) -> None:
        """Finish the requests in progress, and stop."""
        if self._sender:
            self._sender.close()
