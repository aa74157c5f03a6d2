"""Messages that wait to be sent to one client, bounded in number for each subscription and in bytes for the client.

Answers and each topic have a lane of their own. Lanes take turns, so a camera cannot hold up the state of the job. A lane that
is full drops its oldest message. A lane without a length drops what has become old, once much waits: a client that does not
keep up gets data that is STALE_S old at most, and not data of a second ago.

Used in the event loop only; no lock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

UNLIMITED_QUEUE = 1000  # queue_length 0: "no queueing" by throttling, but never without end for a client that is slow
STALE_S = 0.1
"""Age in seconds beyond which a message may be dropped from a lane without a length."""
MUCH_MESSAGES, MUCH_BYTES = 50, 1_000_000
"""A lane with more than one of these is behind. A network that stalls for a moment costs a lane of few messages nothing."""


@dataclass(eq=False)
class Lane:
    """Messages of one topic (or the answers) for one client.

    Attributes:
        queue_length: Parameter of `subscribe`; 0 = no queueing by throttling.
        interval_s: Shortest time between two messages, from `throttle_rate`.
        queue: Encoded messages and when each was queued, monotonic seconds; oldest first.
        size: Bytes in the queue.
        dropped: Messages that were dropped from a lane without a length; with one, dropping is what the client asked for.
        due_s: The next message may be sent at this time or later.
        queued: The lane is in the turn order, or waits for its time.
    """

    queue_length: int = 0
    interval_s: float = 0.0
    queue: deque[tuple[bytes, float]] = field(default_factory=deque)
    size: int = 0
    dropped: int = 0
    due_s: float = 0.0  # not before this time the next message may go
    queued: bool = False  # in the turn order or waiting for its time

    @property
    def capacity(self) -> int:
        """Maximum number of messages."""
        return self.queue_length if self.queue_length > 0 else UNLIMITED_QUEUE

    def behind(self, now_s: float) -> bool:
        """Return whether the oldest message is of no use any more: much waits, and newer ones than this do."""
        much = len(self.queue) > MUCH_MESSAGES or self.size > MUCH_BYTES
        return self.queue_length == 0 and much and len(self.queue) > 1 and now_s - self.queue[0][1] > STALE_S

    def wants(self, now_s: float) -> bool:
        """Return whether a message that arrives now is of use; a throttled lane without a queue drops it.

        Called before the message is encoded, which is the expensive part.
        """
        return self.queue_length > 0 or self.interval_s <= 0.0 or (now_s >= self.due_s and not self.queue)


class Outbox:
    """All lanes of one client.

    Attributes:
        limit_bytes: Beyond this the client is too slow to keep.
        size: Bytes in all lanes.
        dropped: Messages that a newer one has replaced.
    """

    def __init__(self, limit_bytes: int) -> None:
        """Create an empty outbox that holds at most `limit_bytes`."""
        self.limit_bytes = limit_bytes
        self.size = 0
        self.dropped = 0
        self._answers = Lane(queue_length=2**31)
        self._ready: deque[Lane] = deque()
        self._waiting: list[Lane] = []

    @property
    def full(self) -> bool:
        """Whether the client has fallen too far behind to keep it: its answers can be neither sent nor dropped."""
        return self.size > self.limit_bytes

    def answer(self, payload: bytes, now_s: float) -> None:
        """Queue an answer; answers are never dropped."""
        self.put(self._answers, payload, now_s)

    def put(self, lane: Lane, payload: bytes, now_s: float) -> None:
        """Queue a message of a topic, in place of the oldest one when the lane is full.

        Args:
            lane: Lane of the topic.
            payload: Encoded message.
            now_s: Monotonic time.
        """
        while len(lane.queue) >= lane.capacity or lane.behind(now_s):
            self._drop(lane)
        lane.queue.append((payload, now_s))
        lane.size += len(payload)
        self.size += len(payload)
        if not lane.queued:
            self._enqueue(lane, now_s)

    def take(self, now_s: float) -> bytes | None:
        """Return the message to send next, or None when nothing is due.

        Args:
            now_s: Monotonic time; a throttled lane starts its interval here.
        """
        if self._waiting:
            self._wake(now_s)
        while self._ready:
            lane = self._ready.popleft()
            lane.queued = False
            if not lane.queue:
                continue
            while lane.behind(now_s):
                self._drop(lane)
            payload = self._pop(lane)
            lane.due_s = now_s + lane.interval_s
            if lane.queue:
                self._enqueue(lane, now_s)
            return payload
        return None

    def next_due(self) -> float | None:
        """Return when a throttled lane may send again, or None when no lane waits."""
        return min((lane.due_s for lane in self._waiting), default=None)

    def forget(self, lane: Lane) -> None:
        """Drop the messages of a lane, when its topic is unsubscribed."""
        self.size -= lane.size
        lane.size = 0
        lane.queue.clear()

    def _pop(self, lane: Lane) -> bytes:
        payload, _ = lane.queue.popleft()
        lane.size -= len(payload)
        self.size -= len(payload)
        return payload

    def _drop(self, lane: Lane) -> None:
        self._pop(lane)
        self.dropped += 1
        lane.dropped += lane.queue_length == 0

    def _enqueue(self, lane: Lane, now_s: float) -> None:
        lane.queued = True
        if lane.interval_s > 0.0 and now_s < lane.due_s:
            self._waiting.append(lane)
        else:
            self._ready.append(lane)

    def _wake(self, now_s: float) -> None:
        due = [lane for lane in self._waiting if lane.due_s <= now_s]
        if due:
            self._waiting = [lane for lane in self._waiting if lane.due_s > now_s]
            self._ready.extend(due)
