"""Plays a bag: publishes its messages unchanged, at their relative times."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rosbags.rosbag2 import Reader
from rosgraph_msgs.msg import Clock
from rosidl_runtime_py.utilities import get_message

from ros2bag.qos import for_playing

ACKNOWLEDGE_S = 1.0


@dataclass(frozen=True)
class Playback:
    """Options of a playback; times in seconds."""

    rate: float = 1.0
    topics: frozenset[str] = frozenset()  # empty for all
    exclude_topics: frozenset[str] = frozenset()
    remap: dict[str, str] = field(default_factory=dict)
    clock_hz: float = 0.0  # 0 for no /clock
    start_offset_s: float = 0.0
    delay_s: float = 0.0
    duration_s: float = -1.0  # negative for the whole bag
    loop: bool = False


class Player(Node):
    """Publishes the messages of a bag.

    Messages are published from the thread of `run`, paced by monotonic time. A message that is late is published at once; none
    is dropped.
    """

    def __init__(self, path: Path, playback: Playback, **options: Any) -> None:
        """Open the bag and create its publishers.

        Args:
            path: Folder of the bag.
            playback: Options.
            options: Options of the node.

        Raises:
            rosbags.rosbag2.ReaderError: It is not a readable bag.
        """
        super().__init__('rosbag2_player', **options)
        self._playback = playback
        self._reader = Reader(path)
        self._reader.open()
        self._publishers_by_connection: dict[int, Any] = {}
        self._connections = [connection for connection in self._reader.connections if self._wants(connection.topic)]
        self._offer()
        self._clock_publisher: Any = None
        if playback.clock_hz > 0.0:
            self._clock_publisher = self.create_publisher(Clock, '/clock', QoSProfile(depth=1))
        self.count = 0

    def run(self, stop: threading.Event) -> None:
        """Play until the end, or until `stop` is set."""
        try:
            stop.wait(self._playback.delay_s)
            self._play_once(stop)
            while self._playback.loop and not stop.is_set() and self.count:
                self._play_once(stop)
            self._wait_until_acknowledged()
        finally:
            self._reader.close()

    def _wants(self, topic: str) -> bool:
        chosen = not self._playback.topics or topic in self._playback.topics
        return chosen and topic not in self._playback.exclude_topics and not (self._playback.clock_hz and topic == '/clock')

    def _offer(self) -> None:
        """Create one publisher for each topic; a topic whose type is not installed is left out."""
        by_topic: dict[str, Any] = {}
        for connection in list(self._connections):
            topic = self._playback.remap.get(connection.topic, connection.topic)
            if topic not in by_topic:
                try:
                    kind = get_message(connection.msgtype)
                except (ValueError, ImportError, AttributeError) as problem:
                    self.get_logger().warning(f"Ignoring topic '{topic}': its type {connection.msgtype} is not here: {problem}")
                    self._connections.remove(connection)
                    continue
                by_topic[topic] = self.create_publisher(kind, topic, _profile(connection))
            self._publishers_by_connection[connection.id] = by_topic[topic]

    def _play_once(self, stop: threading.Event) -> None:
        if not self._connections:
            return
        first_ns = self._reader.start_time + int(self._playback.start_offset_s * 1e9)
        last_ns = None if self._playback.duration_s < 0.0 else first_ns + int(self._playback.duration_s * 1e9)
        pace = Pace(first_ns, time.monotonic(), self._playback)
        for stamp_ns, publisher, data in self._messages(first_ns, last_ns):
            self._wait(pace, stamp_ns, stop)
            if stop.is_set():
                return
            publisher.publish(data)
            self.count += 1

    def _messages(self, first_ns: int, last_ns: int | None) -> Iterator[tuple[int, Any, bytes]]:
        for connection, stamp_ns, data in self._reader.messages(self._connections, first_ns, last_ns):
            yield stamp_ns, self._publishers_by_connection[connection.id], bytes(data)

    def _wait(self, pace: Pace, stamp_ns: int, stop: threading.Event) -> None:
        """Wait until a message is due, with ticks of the clock in between."""
        due_s = pace.due_s(stamp_ns)
        while not stop.is_set():
            now_s = time.monotonic()
            if self._clock_publisher is not None and pace.tick(now_s):
                self._clock_publisher.publish(Clock(clock=Time(nanoseconds=pace.bag_ns(now_s)).to_msg()))
            if now_s >= due_s:
                return
            stop.wait(min(due_s, pace.next_tick_s) - now_s)

    def _wait_until_acknowledged(self) -> None:
        """Wait until reliable subscribers have the last messages; a process that exits takes its unsent data with it."""
        for publisher in set(self._publishers_by_connection.values()):
            if publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE:
                publisher.wait_for_all_acked(Duration(seconds=ACKNOWLEDGE_S))


def _profile(connection: Any) -> QoSProfile:
    return for_playing(connection.ext.offered_qos_profiles)


class Pace:
    """Conversion between the bag's time and real time; arguments are monotonic, in seconds."""

    def __init__(self, first_ns: int, now_s: float, playback: Playback) -> None:
        """Start at the bag's time `first_ns` now."""
        self._first_ns = first_ns
        self._started_s = now_s
        self._rate = playback.rate
        self._period_s = 1.0 / playback.clock_hz if playback.clock_hz > 0.0 else float('inf')
        self.next_tick_s = now_s if playback.clock_hz > 0.0 else float('inf')

    def due_s(self, stamp_ns: int) -> float:
        """Return the time at which a message of the bag is to be published."""
        return self._started_s + (stamp_ns - self._first_ns) / 1e9 / self._rate

    def bag_ns(self, now_s: float) -> int:
        """Return the bag's time at a real time."""
        return self._first_ns + int((now_s - self._started_s) * self._rate * 1e9)

    def tick(self, now_s: float) -> bool:
        """Return whether the clock is to be published now; ticks that were missed are left out."""
        if now_s < self.next_tick_s:
            return False
        self.next_tick_s += self._period_s * (1 + int((now_s - self.next_tick_s) / self._period_s))
        return True
