"""Carries parcels from the outbox to the web application, one lane a station: in order, and never held up by another station.

The lanes know no network and no clock: `post` and `clock` are given, so a test runs an hour of outage in a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cell_weighing.delivery.outbox import Outbox
from cell_weighing.delivery.policy import DeliveryItem, DeliveryVerdict, HttpResult, classify, explain, retry_delay

IDLE_S = 5.0
"""How long a lane that waits for its bell waits at most before it looks again."""


class Wait(NamedTuple):
    """How long a lane is to wait before its next step."""

    seconds: float
    until_rung: bool
    """A new parcel ends the wait."""


NOW, IDLE = Wait(0.0, False), Wait(IDLE_S, True)


@dataclass
class DeliveryContext:
    """What the lanes share: the way to the web application and how it is."""

    outbox: Outbox
    url: str
    post: Callable[[DeliveryItem, str], HttpResult]
    """Post a parcel with a key; never raises."""
    key: Callable[[], str]
    """Return the key as it is now, "" when there is none."""
    clock: Callable[[], int]
    """UTC, nanoseconds."""
    random_fn: Callable[[], float]
    rejected_key: str | None = field(default=None, repr=False)
    """The key that the web application does not accept: everything is paused while it is the one we have."""
    errors: dict[str, str] = field(default_factory=dict)
    """What is wrong at the moment, by station."""

    def can_send(self) -> bool:
        """Whether anything may be posted: there is a key, and it is not the refused one."""
        key = self.key()
        if key and key != self.rejected_key:
            self.rejected_key = None
            return True
        return False

    @property
    def paused(self) -> bool:
        """Whether nothing is posted because there is no key, or a refused one."""
        key = self.key()
        return not key or key == self.rejected_key

    def retry_key(self) -> None:
        """Try the refused key again: a person says so."""
        self.rejected_key = None


class StationQueue:
    """The parcels of one station, one after the other."""

    def __init__(self, station: str, way: DeliveryContext) -> None:
        """Begin with nothing known."""
        self._station = station
        self._way = way
        self._attempts = 0

    def step(self) -> Wait:
        """Try the first parcel once, and return how long to wait before the next step."""
        way = self._way
        if not way.can_send():
            way.errors[self._station] = f'{way.url} does not accept the key' if way.rejected_key else 'there is no key'
            return IDLE
        item = way.outbox.next(self._station)
        if item is None:
            way.errors.pop(self._station, None)
            return IDLE
        key, posted_ns = way.key(), way.clock()
        answer = way.post(item, key)
        verdict = classify(answer)
        if verdict is DeliveryVerdict.DONE:
            way.outbox.mark_delivered(item, answer, posted_ns, way.clock())
            way.errors.pop(self._station, None)
            self._attempts = 0
            return NOW
        error = explain(answer, way.url)
        way.outbox.mark_failed(item, answer, posted_ns, error, dead=verdict is DeliveryVerdict.DEAD_LETTER)
        if verdict is DeliveryVerdict.DEAD_LETTER:
            self._attempts = 0
            return NOW
        way.errors[self._station] = error
        if verdict is DeliveryVerdict.PAUSE:
            way.rejected_key = key
            return IDLE
        self._attempts += 1
        return Wait(retry_delay(self._attempts, answer, way.random_fn), False)


class DeliverySender:
    """Runs a thread for each station that has parcels."""

    def __init__(self, way: DeliveryContext, complain: Callable[[str], None]) -> None:
        """Start; `complain` is called from a lane's thread with the reason when the database refuses."""
        self.way = way
        self._complain = complain
        self._ending = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._bells: dict[str, threading.Event] = {}
        for station in way.outbox.stations():
            self.wake(station)

    def wake(self, station: str) -> None:
        """Say that a station has a new parcel."""
        if station not in self._threads:
            self._bells[station] = threading.Event()
            self._threads[station] = threading.Thread(target=self._run, args=(station,), name=f'courier {station}', daemon=True)
            self._threads[station].start()
        self._bells[station].set()

    def wake_all(self) -> None:
        """Let every lane look again now: dead parcels were revived, or the key was changed."""
        for station in {*self.way.outbox.stations(), *self._threads}:
            self.wake(station)

    def close(self, timeout: float = 12.0) -> None:
        """Let the post under way end, then stop."""
        self._ending.set()
        for bell in self._bells.values():
            bell.set()
        for thread in self._threads.values():
            thread.join(timeout)

    def _run(self, station: str) -> None:
        lane, bell = StationQueue(station, self.way), self._bells[station]
        while not self._ending.is_set():
            bell.clear()
            try:
                pause = lane.step()
            except SQLAlchemyError as error:
                self._complain(str(error.__cause__ or error))
                pause = Wait(IDLE_S, False)
            if pause.seconds:
                (bell if pause.until_rung else self._ending).wait(pause.seconds)
