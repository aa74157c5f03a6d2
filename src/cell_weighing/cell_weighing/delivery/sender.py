"""Sends bags from the outbox to the web application, one queue and one thread per station.

Bags of a station are sent in order, and a station never waits for another one. The queues get `post`, `clock` and `random_fn`
as arguments, so a test runs an hour of outage within a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from cell_weighing.delivery.outbox import Outbox
from cell_weighing.delivery.policy import (
    DeliveryItem,
    DeliveryVerdict,
    HttpResult,
    classify,
    explain,
    explain_wrong_address,
    retry_delay,
)

IDLE_S = 5.0
"""Longest time between two looks at the outbox, seconds."""
NOT_FOUND_RUN = 3
"""Bags in a row that an address which has taken bags may answer with 404 before it counts as wrong."""


class Wait(NamedTuple):
    """Time until the next step of a queue."""

    seconds: float
    until_woken: bool
    """A new bag ends the wait early."""


NOW, IDLE = Wait(0.0, False), Wait(IDLE_S, True)


class AddressCheck:
    """Tells a wrong address from a bag whose place is unknown: both are answered with 404.

    An address that has taken a bag is right until several bags in a row, of any station, are
    answered with 404. An address that has taken none is wrong from its first 404. Used by several
    threads.

    Attributes:
        wrong: Whether delivery is paused because of the address; the first accepted bag ends it.
    """

    def __init__(self) -> None:
        """Start without a proof that the address is right; one answer of another kind gives it."""
        self._lock = threading.Lock()
        self._proven = False
        self._run: list[DeliveryItem] = []
        self.wrong = False

    def accepted(self) -> None:
        """Record that the address took a bag, or rejected one for a reason of its own."""
        with self._lock:
            self._proven, self.wrong, self._run = True, False, []

    def not_found(self, item: DeliveryItem) -> list[DeliveryItem] | None:
        """Record a 404.

        Args:
            item: The bag that was answered with it.

        Returns:
            None: the bag itself is unknown there. Otherwise the address is wrong, and these earlier
                dead letters are no fault of their bags.
        """
        with self._lock:
            if self._proven and len(self._run) + 1 < NOT_FOUND_RUN:
                self._run.append(item)
                return None
            self._proven, self.wrong = False, True
            earlier, self._run = self._run, []
            return earlier


@dataclass
class DeliveryContext:
    """Collaborators and connection state that all queues share.

    Attributes:
        outbox: Waiting bags and ledger.
        url: Address of the web application.
        post: Posts a bag with an API key; never raises.
        key: Returns the current API key, "" = none.
        clock: Returns UTC, nanoseconds since 1970.
        random_fn: Returns a random number from 0 to 1.
        rejected_key: The key that the web application rejected: delivery is paused while it is the
            current one.
        errors: Current error of each station.
        address: Check of the address by its answers.
    """

    outbox: Outbox
    url: str
    post: Callable[[DeliveryItem, str], HttpResult]
    key: Callable[[], str]
    clock: Callable[[], int]
    random_fn: Callable[[], float]
    rejected_key: str | None = field(default=None, repr=False)
    errors: dict[str, str] = field(default_factory=dict)
    address: AddressCheck = field(default_factory=AddressCheck)

    def can_send(self) -> bool:
        """Whether bags may be posted: there is a key, and it was not rejected."""
        key = self.key()
        if key and key != self.rejected_key:
            self.rejected_key = None
            return True
        return False

    @property
    def paused(self) -> bool:
        """Whether delivery waits for a valid key or a right address."""
        key = self.key()
        return not key or key == self.rejected_key or self.address.wrong

    def retry_key(self) -> None:
        """Allow the rejected key again, on an operator's command."""
        self.rejected_key = None


class StationQueue:
    """The bags of one station, sent one after the other.

    Order within a station matters: the application numbers the bags of a job as they arrive. A bag
    that waits for a retry therefore holds back the ones behind it.
    """

    def __init__(self, station: str, context: DeliveryContext) -> None:
        """Store the station and the shared context."""
        self._station = station
        self._context = context
        self._attempts = 0

    def step(self) -> Wait:
        """Post the first bag once, and return the time until the next step.

        Raises:
            SQLAlchemyError: The outbox cannot be read or written.
        """
        context = self._context
        if not context.can_send():
            missing = f'{context.url} does not accept the key' if context.rejected_key else 'there is no key'
            context.errors[self._station] = missing
            return IDLE
        item = context.outbox.next(self._station)
        if item is None:
            context.errors.pop(self._station, None)
            return IDLE
        return self._send(item)

    def _send(self, item: DeliveryItem) -> Wait:
        """Post one bag, store the outcome, and return the time until the next step."""
        context = self._context
        key, posted_ns = context.key(), context.clock()
        result = context.post(item, key)
        verdict = classify(result)
        if verdict is DeliveryVerdict.NOT_FOUND:
            earlier = context.address.not_found(item)
            if earlier is not None:
                return self._pause_for_address(item, result, posted_ns, earlier)
            verdict = DeliveryVerdict.DEAD_LETTER
        elif verdict in (DeliveryVerdict.DONE, DeliveryVerdict.DEAD_LETTER):
            context.address.accepted()
        if verdict is DeliveryVerdict.DONE:
            context.outbox.mark_delivered(item, result, posted_ns, context.clock())
            context.errors.pop(self._station, None)
            self._attempts = 0
            return NOW
        error = explain(result, context.url)
        if verdict is DeliveryVerdict.DEAD_LETTER and item.unanswered:
            error = f'Look there first: an earlier request had no answer, so the bag may be recorded. {error}'
        context.outbox.mark_failed(item, result, posted_ns, error, dead=verdict is DeliveryVerdict.DEAD_LETTER)
        if verdict is DeliveryVerdict.DEAD_LETTER:
            self._attempts = 0
            return NOW
        context.errors[self._station] = error
        if verdict is DeliveryVerdict.PAUSE:
            context.rejected_key = key
            return IDLE
        self._attempts += 1
        return Wait(retry_delay(self._attempts, result, context.random_fn), False)

    def _pause_for_address(self, item: DeliveryItem, result: HttpResult, posted_ns: int, earlier: list[DeliveryItem]) -> Wait:
        """Let the bag wait, and the bags before it that were taken for unknown ones; then ask again now and then."""
        context = self._context
        error = explain_wrong_address(result, context.url)
        context.outbox.mark_failed(item, result, posted_ns, error, dead=False)
        if earlier:
            context.outbox.requeue([bag.reading_id for bag in earlier])
        context.errors[self._station] = error
        self._attempts += 1
        return Wait(retry_delay(self._attempts, result, context.random_fn), False)


class DeliverySender:
    """Runs one thread for each station that has bags to send.

    Attributes:
        context: Shared by all queues.
    """

    def __init__(self, context: DeliveryContext, on_error: Callable[[str], object]) -> None:
        """Start a thread for each station of the outbox.

        Args:
            context: Shared by all queues.
            on_error: Called from a queue's thread with the message of a database error.

        Raises:
            SQLAlchemyError: The outbox cannot be read.
        """
        self.context = context
        self._on_error = on_error
        self._stopping = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._wake_events: dict[str, threading.Event] = {}
        for station in context.outbox.stations():
            self.wake(station)

    def wake(self, station: str) -> None:
        """Wake the thread of a station that has a new bag; start the thread if there is none.

        Args:
            station: Name of the station. Called in the node's thread only, so no lock guards the
                threads.
        """
        if station not in self._threads:
            self._wake_events[station] = threading.Event()
            thread = threading.Thread(target=self._run, args=(station,), name=f'delivery {station}', daemon=True)
            self._threads[station] = thread
            thread.start()
        self._wake_events[station].set()

    def wake_all(self) -> None:
        """Wake every thread: dead letters were requeued, or the key was changed."""
        for station in {*self.context.outbox.stations(), *self._threads}:
            self.wake(station)

    def close(self, timeout: float = 12.0) -> None:
        """Finish the requests in progress, and stop.

        Args:
            timeout: Longest wait for each thread, seconds.
        """
        self._stopping.set()
        for event in self._wake_events.values():
            event.set()
        for thread in self._threads.values():
            thread.join(timeout)

    def _run(self, station: str) -> None:
        """Send the bags of one station until `close`; the body of its thread."""
        queue, wake_event = StationQueue(station, self.context), self._wake_events[station]
        while not self._stopping.is_set():
            # Before the step: a bag that is stored during the step sets the event again, and is not
            # slept over.
            wake_event.clear()
            try:
                wait = queue.step()
            except SQLAlchemyError as error:
                self._on_error(str(error.__cause__ or error))
                wait = Wait(IDLE_S, False)
            if wait.seconds:
                # A new bag must not cut a back-off short: it waits behind the one that failed.
                (wake_event if wait.until_woken else self._stopping).wait(wait.seconds)
