"""Records topics into a bag, as serialized bytes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.storage_mcap import McapWriter
from rosidl_runtime_py.utilities import get_message

from ros2bag.definitions import DefinitionError, definition
from ros2bag.qos import RECORD_DEPTH, for_recording, recorded
from ros2bag.selection import Selection

STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
FLUSH_S = 5.0  # a power cut costs no more than this; `mcap recover` mends the file
BURST = 64


@dataclass(eq=False)
class Recorded:
    """One topic of the bag."""

    kind: Any
    connection: Any
    profile: QoSProfile
    subscription: Any = None

    def take(self) -> tuple[bytes, dict[str, Any]] | None:
        """Return a message that has arrived, with the middleware's information about it; None if there is none."""
        taken: tuple[bytes, dict[str, Any]] | None = self.subscription.handle.take_message(self.kind, True)
        return taken


class Recorder(Node):
    """Subscribes to selected topics as they appear, and writes their messages.

    Each message is stamped with the time at which the middleware received it, not with that of this callback. With simulated
    time it is the time of /clock.
    """

    def __init__(
        self,
        path: Path,
        selection: Selection,
        storage: str = 'mcap',
        *,
        poll_s: float = 0.1,
        node_name: str = 'rosbag2_recorder',
        **options: Any,
    ) -> None:
        """Open the bag.

        Args:
            path: Folder to make.
            selection: Topics to record.
            storage: `mcap` or `sqlite3`.
            poll_s: Time between looks at the graph, in s.
            node_name: Name of the node.
            options: Options of the node.

        Raises:
            rosbags.rosbag2.WriterError: The folder is there already.
        """
        super().__init__(node_name, **options)
        self._selection = selection
        self._recorded: dict[str, Recorded] = {}
        self._refused: set[str] = set()
        self._writer = Writer(path, version=Writer.VERSION_LATEST, storage_plugin=STORAGES[storage])
        self._writer.open()
        self._flushed_s = time.monotonic()
        self.count = 0
        self.create_timer(poll_s, self._look)
        self._look()

    def run(self, stop: threading.Event) -> None:
        """Record until `stop` is set or ROS is shut down, then close the bag."""
        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(self)
        try:
            while not stop.is_set() and self.context.ok():
                executor.spin_once(timeout_sec=0.1)
        except ExternalShutdownException:
            pass
        finally:
            executor.shutdown()
            for entry in self._recorded.values():
                self._take(entry, RECORD_DEPTH)  # what has arrived by now belongs to the bag
            self._writer.close()

    @property
    def topics(self) -> list[str]:
        """Topics that are being recorded, sorted."""
        return sorted(self._recorded)

    def _look(self) -> None:
        """Look at the graph: subscribe to new topics, adapt to new publishers, flush now and then."""
        for topic, kinds in self.get_topic_names_and_types():
            if topic in self._recorded:
                self._adapt(topic)
            elif topic not in self._refused and self._selection.wants(topic) and self.count_publishers(topic):
                self._begin(topic, kinds)
        if time.monotonic() - self._flushed_s > FLUSH_S:
            self._flush()

    def _begin(self, topic: str, kinds: list[str]) -> None:
        """Start to record a topic; one whose type is unknown or ambiguous is reported once and left out."""
        try:
            if len(kinds) > 1:
                raise DefinitionError(f'it has more than one type: {", ".join(kinds)}')
            text, digest = definition(kinds[0])
            kind = get_message(kinds[0])
        except (DefinitionError, ValueError, ImportError, AttributeError) as problem:
            self._refused.add(topic)
            self.get_logger().warning(f"Topic '{topic}' is not recorded: {problem}")
            return
        offers = self._offers(topic)
        connection = self._writer.add_connection(
            topic, kinds[0], msgdef=text, rihs01=digest, offered_qos_profiles=[recorded(offer) for offer in offers]
        )
        self._recorded[topic] = Recorded(kind, connection, for_recording(offers))
        self._subscribe(topic)
        self.get_logger().info(f"Subscribed to topic '{topic}'")

    def _adapt(self, topic: str) -> None:
        """Subscribe again when the subscription is not compatible with a new publisher."""
        entry = self._recorded[topic]
        offers = self._offers(topic)
        profile = for_recording(offers)
        if offers and profile != entry.profile:
            entry.profile = profile
            self.destroy_subscription(entry.subscription)
            self._subscribe(topic)

    def _subscribe(self, topic: str) -> None:
        entry = self._recorded[topic]

        def received(data: bytes, info: dict[str, Any]) -> None:
            self._write(entry, data, info)
            self._take(entry, BURST)  # cheaper than a turn of the executor for each message

        callback: Any = received
        entry.subscription = self.create_subscription(entry.kind, topic, callback, entry.profile, raw=True)

    def _take(self, entry: Recorded, most: int) -> None:
        """Write messages that have arrived meanwhile, at most `most`."""
        with entry.subscription.handle:
            for _ in range(most):
                if (taken := entry.take()) is None:
                    return
                self._write(entry, *taken)

    def _offers(self, topic: str) -> list[QoSProfile]:
        return [publisher.qos_profile for publisher in self.get_publishers_info_by_topic(topic)]

    def _write(self, entry: Recorded, data: bytes, info: dict[str, Any]) -> None:
        simulated = self.get_parameter('use_sim_time').value
        stamp = self.get_clock().now().nanoseconds if simulated else int(info['received_timestamp'])
        self._writer.write(entry.connection, stamp, data)
        self.count += 1

    def _flush(self) -> None:
        """Write buffered messages to the disk, so that a killed recorder loses FLUSH_S at most."""
        self._flushed_s = time.monotonic()
        storage: Any = self._writer.storage
        if not isinstance(storage, McapWriter):
            storage.conn.commit()
        elif storage.chunk.msgs:
            storage.close_chunk()
            storage.bio.flush()
