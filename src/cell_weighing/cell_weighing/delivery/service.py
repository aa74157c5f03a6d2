"""Delivery as the node sees it: started when there is a web application, watched, ended."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from enum import IntEnum

from cell_common.alarms import MEDIUM, AlarmReporter
from cell_common.diagnostics import Health
from sqlalchemy import Engine

from cell_weighing.delivery.http_client import HttpPoster
from cell_weighing.delivery.outbox import NotDeadLetterError, Outbox, OutboxCounts
from cell_weighing.delivery.sender import DeliveryContext, DeliverySender
from cell_weighing.delivery.settings import SettingsError, WebAppSettings, read_api_key

KEY_LOOK_S = 5.0


class DeliveryRoute(IntEnum):
    """How the way to the web application is. Numbers as in cell_interfaces/DeliveryState."""

    OFF = 0
    UP = 1
    RETRYING = 2
    PAUSED = 3


def pluralize(number: int, what: str) -> str:
    """Return "1 bag is" or "2 bags are"."""
    return f'{number} {what} is' if number == 1 else f'{number} {what}s are'


class NoApplicationError(RuntimeError):
    """No web application is configured."""


class ApiKeyFile:
    """The key to the web application, read again every few seconds so that a new one needs no restart."""

    def __init__(self, settings: WebAppSettings, key_file: str) -> None:
        """Remember where the key is."""
        self._settings = settings
        self._key_file = key_file
        self._read_at = -KEY_LOOK_S
        self._key = ''
        self._lock = threading.Lock()
        self.error = ''
        """Why there is no key; "" when there is one."""

    def key(self) -> str:
        """Return the key, "" when there is none."""
        with self._lock:
            if time.monotonic() - self._read_at >= KEY_LOOK_S:
                self._read_at = time.monotonic()
                try:
                    self._key, self.error = read_api_key(self._settings, self._key_file, os.environ), ''
                except SettingsError as error:
                    self._key, self.error = '', str(error)
            return self._key


class DeliveryService:
    """The outbox and its courier; does nothing when the settings name no web application."""

    def __init__(self, engine: Engine, settings: WebAppSettings, key_file: str, complain: Callable[[str], None]) -> None:
        """Start to deliver what waits.

        Args:
            engine: The open, migrated database.
            settings: Name the web application.
            key_file: File that holds the key; "" = elsewhere, see site_settings.
            complain: Called from another thread with the reason when the database refuses.
        """
        self.outbox = Outbox(engine)
        self._url = settings.url
        self._keys = ApiKeyFile(settings, key_file)
        self._courier: DeliverySender | None = None
        if self._url:
            way = DeliveryContext(
                self.outbox, self._url, HttpPoster(self._url).post, self._keys.key, time.time_ns, random.random
            )
            self._courier = DeliverySender(way, complain)

    @property
    def enabled(self) -> bool:
        """Whether there is a web application."""
        return self._courier is not None

    def wake(self, stations: Iterable[str]) -> None:
        """Say that these stations have new parcels."""
        if self._courier:
            for station in set(stations):
                self._courier.wake(station)

    def retry(self, bag_id: int = 0) -> int:
        """Send dead parcels again and try a refused key again: a person says so.

        Args:
            bag_id: The refused bag to send again; 0 = all.

        Returns:
            How many were dead; 0 when only a pause has ended.

        Raises:
            NoApplicationError: There is no web application to send to.
            NotRefusedError: No such bag is refused, and nothing was paused.
        """
        if not self._courier:
            raise NoApplicationError('no web application is configured: give weigh_station a settings_file')
        paused = self._courier.way.paused
        if bag_id:
            self.outbox.requeue_bag(bag_id)
            revived = 1
        else:
            revived = self.outbox.requeue()
        if not revived and not paused:
            raise NotDeadLetterError('no bag is refused: there is nothing to send again')
        self._courier.way.retry_key()
        self._courier.wake_all()
        return revived

    def state(self) -> tuple[DeliveryRoute, str]:
        """Return how the way to the web application is, and for people what is wrong; "" when nothing is."""
        if not self._courier:
            return DeliveryRoute.OFF, ''
        error = self.error()
        if self._courier.way.paused:
            return DeliveryRoute.PAUSED, f'{error or "the key is not accepted"}. Correct the key, then send again.'
        if error:
            return DeliveryRoute.RETRYING, f'{error}. Bags wait and are tried again by themselves.'
        return DeliveryRoute.UP, ''

    def error(self) -> str:
        """Return what keeps parcels from being delivered now, for people; "" when nothing does."""
        if not self._courier:
            return ''
        return self._keys.error or '; '.join(sorted(set(self._courier.way.errors.values())))

    def health(self, counts: OutboxCounts) -> Health:
        """Return the delivery's health."""
        if not self._courier:
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
            return Health(
                1,
                f'{pluralize(counts.dead, "bag")} refused by the web application: see why on the page, then send again',
                values,
            )
        return Health(0, f'{pluralize(counts.waiting, "bag")} waiting', values)

    def alarm(self, alarms: AlarmReporter, counts: OutboxCounts) -> None:
        """Call people when bags do not get through, and say when they do again."""
        if error := self.error():
            alarms.raise_alarm(
                'delivery',
                MEDIUM,
                f'Bags do not reach the web application: {error}',
                consequence='They wait here and are sent in order when it works again; weighing goes on.',
                action='Check the web application, the network and the key.',
            )
        else:
            alarms.clear_alarm('delivery')
        if counts.dead:
            alarms.raise_alarm(
                'dead_letters',
                MEDIUM,
                f'{pluralize(counts.dead, "bag")} refused by the web application.',
                consequence='Refused bags are recorded here only.',
                action='See the reason beside each on the page under Weigh, put it right, then press Send again.',
            )
        else:
            alarms.clear_alarm('dead_letters')

    def close(self) -> None:
        """Let a post under way end, then stop."""
        if self._courier:
            self._courier.close()
