"""Node `recorder`: writes topics into bags that can be replayed, and cuts clips.

All callbacks run in one thread. Messages are written as they arrive, serialized. A clip is written in a thread of its own.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cell_common.alarms import AlarmReporter
from cell_common.diagnostics import Diagnostics, Health
from cell_common.parameters import declare_parameters
from cell_common.runner import StartError, node_main
from cell_common.time import NS_PER_S, now_ns
from cell_common.timers import create_steady_timer
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message, serialize_message
from rclpy.subscription import Subscription
from std_msgs.msg import String

from cell_history.bags.definitions import DefinitionError
from cell_history.bags.snapshot import TOPIC, to_json
from cell_history.bags.types import Message, UndecodableError, message_class
from cell_history.bags.writer import BagWriteError, BagWriter
from cell_history.recorder.causes import CauseFinder
from cell_history.recorder.clips import Cause, Clip, ClipBuffer, ClipMessage, to_line
from cell_history.recorder.limits import Limits, StoredBag
from cell_history.recorder.offered_qos import DEPTH, compatible_profile, stored_profiles
from cell_history.recorder.parameters import RecorderParameters
from cell_history.recorder.selection import CLIP_TOPICS, wants
from cell_history.recorder.snapshot_collector import SnapshotCollector
from cell_interfaces.msg import AlarmEvent, InventoryEvent, JobState, RobotState

__all__ = ['RecorderNode']

LOOK_S = 0.5
"""Period of the check for new topics, and for the limits."""
FLUSH_S = 5.0
"""A power cut costs no more than this."""
MEGABYTE = 1_000_000
CLIPS, INDEX = 'clips', 'clips.jsonl'
BURST = 64


@dataclass
class _Topic:
    """A topic that is recorded, or kept for clips."""

    kind: str
    profile: QoSProfile
    recorded: bool
    subscription: Subscription | None = None
    last: bytes | None = None
    """Last value of a latched topic, which is the state at the start of the next bag."""


class RecorderNode(Node):
    """Records what parameter `what` says; see docs/look-back.md."""

    def __init__(self, **options: Any) -> None:
        """Begin to record.

        Args:
            options: Arguments of rclpy's Node.

        Raises:
            StartError: The folder cannot be used.
        """
        super().__init__('recorder', **options)
        self._settings = settings = declare_parameters(self, RecorderParameters)
        self._folder = Path(settings.folder).expanduser()
        self._limits = Limits(
            settings.split_size * MEGABYTE,
            settings.split_time,
            settings.total_size * MEGABYTE,
            settings.least_free * MEGABYTE,
        )
        self._topics: dict[str, _Topic] = {}
        self._refused: set[str] = set()
        self._writer: BagWriter | None = None
        self._began_s = self._flushed_s = time.monotonic()
        self._number = self._clip_number = 0
        self._counts: Counter[str] = Counter()
        self._error = ''
        self._causes = CauseFinder()
        self._buffer = ClipBuffer(settings.clip_before, settings.clip_after, settings.clip_memory * MEGABYTE)
        self._collector = SnapshotCollector(self, settings.catalogue_file, settings.background_file)
        self._alarms = AlarmReporter(self)
        self._pool = ThreadPoolExecutor(1, 'clips')
        self._triggers = self._make_triggers()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartError(f'parameter folder: {error}') from error
        Diagnostics(self).add('recording', self._health)
        self._look()
        create_steady_timer(self, LOOK_S, self._look)

    def destroy_node(self) -> None:
        """End the bag with all that has arrived, and write the clip that is being collected."""
        for name, topic in self._topics.items():
            self._take(name, topic, DEPTH)
        if clip := self._buffer.finished(2**63 - 1):
            self._store_clip(clip)
        self._pool.shutdown()
        self._end()
        super().destroy_node()

    @property
    def bag(self) -> Path | None:
        """Folder of the bag that is being written; None while nothing is recorded: the last bag can then be read."""
        return self._writer.path if self._writer else None

    @property
    def counts(self) -> Mapping[str, int]:
        """Messages that were written since the start, by full name of the topic; 0 for any other name."""
        return self._counts

    def _make_triggers(self) -> dict[str, tuple[type, Callable[[Message], Cause | None]]]:
        """Return full topic name -> message class and function that finds a cause."""
        found = self._causes
        names: dict[str, tuple[type, Callable[[Message], Cause | None]]] = {
            'inventory/events': (InventoryEvent, found.of_booking),
            'alarms/events': (AlarmEvent, found.of_alarm),
            'robot/state': (RobotState, found.of_robot),
            'job': (JobState, found.of_job),
        }
        return {self.resolve_topic_name(name): trigger for name, trigger in names.items()} if self._settings.clips else {}

    def _look(self) -> None:
        """Begin, split or end the bag as the limits say, subscribe to new topics, and store a clip that is due."""
        room = self._limits.has_room(shutil.disk_usage(self._folder).free, recording=self._writer is not None)
        if not room:
            self._stop(f'less than {self._settings.least_free} MB are free at {self._folder}: free space')
        elif self._writer is None:
            self._begin()
        elif self._limits.splits(self._writer.size, time.monotonic() - self._began_s):
            self._end()
            self._begin()
        for name, kinds in self.get_topic_names_and_types():
            if name in self._topics:
                self._adapt(name)
            elif name not in self._refused:
                self._subscribe_if_wanted(name, kinds)
        if time.monotonic() - self._flushed_s > FLUSH_S:
            self._flushed_s = time.monotonic()
            self._guarded(lambda writer: writer.flush())
        if clip := self._buffer.finished(now_ns(self)):
            self._store_clip(clip)

    def _begin(self) -> None:
        """Begin a bag with the state of now: the last values of latched topics, then the snapshot."""
        self._number += 1
        moment = datetime.now(timezone.utc)
        path = self._folder / f'{moment:%Y%m%dT%H%M%S}_{self._settings.what}_{self._number:04d}'
        try:
            self._writer = BagWriter(path)
        except BagWriteError as error:
            self._stop(str(error))
            return
        self._began_s = time.monotonic()
        self._error = ''
        self._alarms.clear_alarm('disk')
        start_ns = now_ns(self)
        for name, topic in self._topics.items():
            if topic.recorded and topic.last is not None:
                self._write(name, topic, topic.last, start_ns)
        self._start_snapshot()
        self._delete_old()

    def _start_snapshot(self) -> None:
        """Collect the snapshot of the bag that was begun, as a task of the executor; before the node is spun it waits."""
        if self.executor is not None:
            self.executor.create_task(self._write_snapshot, self._writer)
            return

        def retry() -> None:
            self.destroy_timer(timer)
            self._start_snapshot()

        timer = create_steady_timer(self, 0.0, retry)

    async def _write_snapshot(self, writer: BagWriter) -> None:
        """Collect the snapshot and write it into a bag, unless that has ended meanwhile."""
        if writer is not self._writer:  # ended meanwhile, perhaps with the node
            return
        snapshot = await self._collector.collect()
        for sentence in snapshot.missing:
            self.get_logger().warning(f'snapshot: {sentence}')
        if writer is not self._writer:
            return
        name = self.resolve_topic_name(TOPIC)
        data = serialize_message(String(data=to_json(snapshot)))

        def write(open_writer: BagWriter) -> None:
            if not open_writer.has(name):
                open_writer.add(name, 'std_msgs/msg/String')
            open_writer.write(name, snapshot.made_ns, data)
            open_writer.flush()

        self._guarded(write)

    def _end(self) -> None:
        """End the bag."""
        self._guarded(lambda writer: writer.close())
        self._writer = None

    def _stop(self, error: str) -> None:
        """Stop recording with an alarm; it begins again by itself when there is room."""
        if self._writer is not None:
            try:
                self._writer.close()
            except BagWriteError as failed:
                self.get_logger().error(str(failed))
            self._writer = None
        if error != self._error:
            self._error = error
            self.get_logger().error(f'nothing is recorded: {error}')
            self._alarms.raise_known('disk', error=error)

    def _guarded(self, work: Callable[[BagWriter], None]) -> None:
        """Do something with the bag; an error of the disk stops the recording."""
        if self._writer is None:
            return
        try:
            work(self._writer)
        except BagWriteError as error:
            self._stop(str(error))

    def _subscribe_if_wanted(self, name: str, kinds: list[str]) -> None:
        """Subscribe to a topic that is recorded or belongs into clips; one that cannot be is reported once."""
        namespace = self.get_namespace().strip('/')
        recorded = wants(name, kinds, namespace, self._settings.what)
        in_clips = self._settings.clips and name in {self.resolve_topic_name(topic) for topic in CLIP_TOPICS}
        if not (recorded or in_clips) or not self.count_publishers(name):
            return
        try:
            if len(kinds) > 1:
                raise UndecodableError(f'it has more than one type: {", ".join(kinds)}')
            message_class(kinds[0])
        except UndecodableError as error:
            self._refused.add(name)
            self.get_logger().warning(f'{name} is not recorded: {error}')
            return
        topic = self._topics[name] = _Topic(kinds[0], compatible_profile(self.get_publishers_info_by_topic(name)), recorded)
        self._subscribe(name, topic)

    def _adapt(self, name: str) -> None:
        """Subscribe again when a new publisher offers less than the subscription asks for."""
        topic, publishers = self._topics[name], self.get_publishers_info_by_topic(name)
        profile = compatible_profile(publishers)
        if publishers and profile != topic.profile and topic.subscription is not None:
            topic.profile = profile
            self.destroy_subscription(topic.subscription)
            self._subscribe(name, topic)

    def _subscribe(self, name: str, topic: _Topic) -> None:
        def received(data: bytes, info: dict[str, int]) -> None:
            self._on_message(name, topic, data, int(info['received_timestamp']))
            self._take(name, topic, BURST)  # cheaper than a turn of the executor for each message

        callback: Any = received
        topic.subscription = self.create_subscription(message_class(topic.kind), name, callback, topic.profile, raw=True)

    def _take(self, name: str, topic: _Topic, most: int) -> None:
        """Process messages of a topic that have arrived meanwhile.

        Args:
            name: Full name of the topic.
            topic: Its subscription.
            most: Largest number of messages.
        """
        if topic.subscription is None:
            return
        handle, kind = topic.subscription.handle, message_class(topic.kind)
        with handle:
            for _ in range(most):
                taken = handle.take_message(kind, True)  # the second argument: serialized
                if taken is None:
                    return
                self._on_message(name, topic, taken[0], int(taken[1]['received_timestamp']))

    def _on_message(self, name: str, topic: _Topic, data: bytes, received_ns: int) -> None:
        """Write a message, keep it for a clip, and look whether it is the cause of one."""
        simulated = self.get_parameter('use_sim_time').value
        time_ns = now_ns(self) if simulated else received_ns
        if topic.profile.durability == DurabilityPolicy.TRANSIENT_LOCAL:
            topic.last = data
        if topic.recorded and self._writer is not None:
            self._write(name, topic, data, time_ns)
        if not self._settings.clips:
            return
        self._buffer.add(ClipMessage(time_ns, name, topic.kind, data))
        if name in self._triggers:
            kind, find = self._triggers[name]
            if cause := find(deserialize_message(data, kind)):
                self._buffer.cut(cause)

    def _write(self, name: str, topic: _Topic, data: bytes, time_ns: int) -> None:
        def write(writer: BagWriter) -> None:
            if not writer.has(name):
                writer.add(name, topic.kind, stored_profiles(self.get_publishers_info_by_topic(name)))
            writer.write(name, time_ns, data)
            self._counts[name] += 1

        try:
            self._guarded(write)
        except DefinitionError as error:
            topic.recorded = False
            self.get_logger().warning(f'{name} is not recorded: {error}')

    def _store_clip(self, clip: Clip) -> None:
        self._clip_number += 1
        moment = datetime.fromtimestamp(clip.causes[0].at_ns / NS_PER_S, timezone.utc)
        name = f'{moment:%Y%m%dT%H%M%S}_{clip.causes[0].kind}_{self._clip_number:04d}'
        self._pool.submit(self._write_clip, name, clip)

    def _write_clip(self, name: str, clip: Clip) -> None:
        """Write a clip and its line of the index; runs in the thread of the pool."""
        folder = self._folder / CLIPS
        try:
            folder.mkdir(exist_ok=True)
            writer = BagWriter(folder / name)
            for message in clip.messages:
                if not writer.has(message.topic):
                    writer.add(message.topic, message.kind)
                writer.write(message.topic, message.time_ns, message.data)
            writer.close()
            with (folder / INDEX).open('a', encoding='utf-8') as index:
                index.write(f'{to_line(name, clip)}\n')
        except (BagWriteError, DefinitionError, OSError) as error:
            self.get_logger().error(f'a clip is not stored: {error}')

    def _delete_old(self) -> None:
        """Delete the oldest bags beyond the total size; clips are kept."""
        current = self._writer.path.name if self._writer else ''
        bags = [
            StoredBag(path.name, sum(file.stat().st_size for file in path.iterdir()))
            for path in self._folder.iterdir()
            if path.is_dir() and path.name not in (CLIPS, current)
        ]
        for name in self._limits.to_delete(bags):
            shutil.rmtree(self._folder / name, ignore_errors=True)
            self.get_logger().info(f'deleted {name}: the recordings are larger than {self._settings.total_size} MB')

    def _health(self) -> Health:
        bag = self.bag.name if self.bag else ''
        values = {'messages': str(self._counts.total()), 'bag': bag, 'clips': str(self._clip_number)}
        return Health(1, f'nothing is recorded: {self._error}', values) if self._error else Health(0, '', values)


main = node_main(RecorderNode)

if __name__ == '__main__':
    main()
