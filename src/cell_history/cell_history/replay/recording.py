"""What a bag holds for a replay: the state at its start, what was asked, and what was decided.

Requests are read from the events that services publish (`<service>/_service_event`). Bags of older releases and of other
recorders have none; of them only the readings of scales are asked again, and the bag says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cell_common.time import NS_PER_S, to_ns
from sensor_msgs.msg import CompressedImage

from cell_history.bags.reader import BagReader
from cell_history.bags.snapshot import TOPIC, Snapshot, SnapshotError, from_json
from cell_history.bags.types import Message, UndecodableError, message_class, to_message
from cell_history.replay.decisions import DecisionRecord
from cell_history.replay.recorded_decisions import DECIDED_TOPICS, booked_sequences, recorded_decisions
from cell_history.replay.recorded_request import RecordedRequest
from cell_history.replay.routing import EVENT
from cell_interfaces.msg import BagRecord, Inventory, JobState, WeighJobList

__all__ = ['Recording', 'RecordingError']


IMAGES = 'camera/image_raw/compressed'
READINGS = 'weighing/weight'
RECEIVED, SENT = 1, 2
"""service_msgs/ServiceEventInfo: REQUEST_RECEIVED and RESPONSE_SENT, as a server publishes them."""
AT_THE_ANSWER = ('ocr/read', 'matching/match')
"""Their answer needs pictures or a reading that came after the request, so they are asked when it was answered."""
BEFORE_NS, AFTER_NS = 2 * NS_PER_S, 10 * NS_PER_S
"""How much earlier or later than its stamp a frame may have been recorded: the clocks of two machines differ."""


class RecordingError(Exception):
    """The bag cannot be replayed; the text says why and what to do."""


@dataclass
class Recording:
    """The content of a bag, without its pictures.

    Attributes:
        bag: The open bag.
        namespace: Of the recorded cell, without slashes around it.
        snapshot: State at the start that no topic carries.
        inventory: Counts at the start.
        weigh_jobs: Weigh jobs at the start.
        job: Pick job at the start.
        asked: What was asked after the start, in order.
        decided: What was decided then, in order.
        problems: What is missing or damaged, one sentence each.
    """

    bag: BagReader
    namespace: str
    snapshot: Snapshot
    inventory: Inventory = field(default_factory=Inventory)
    weigh_jobs: WeighJobList = field(default_factory=WeighJobList)
    job: JobState = field(default_factory=JobState)
    asked: list[RecordedRequest] = field(default_factory=list)
    decided: list[DecisionRecord] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, bag: BagReader) -> Recording:
        """Read a bag to its end, its pictures excepted.

        Raises:
            RecordingError: It has no state to start from.
        """
        return _RecordingParser(bag).result()

    def frames(self, stamps: list[int]) -> Iterator[CompressedImage]:
        """Yield the frames with these stamps, oldest first; those that the bag lacks are left out.

        Args:
            stamps: ROS time in nanoseconds.
        """
        if not stamps:
            return
        wanted = set(stamps)
        topic = self.full_name(IMAGES)
        for message in self.bag.messages([topic], min(stamps) - BEFORE_NS, max(stamps) + AFTER_NS):
            image = self.bag.decode_or_report(message)
            if image is None or to_ns(image.header.stamp) not in wanted:
                continue
            wanted.remove(to_ns(image.header.stamp))
            yield to_message(image, CompressedImage)
            if not wanted:
                return

    def full_name(self, name: str) -> str:
        """Return the name of a topic in the bag."""
        return f'/{self.namespace}/{name}' if self.namespace else f'/{name}'


class _RecordingParser:
    """Collects the content of a bag, message by message."""

    def __init__(self, bag: BagReader) -> None:
        self._bag = bag
        self._latest: dict[str, Message] = {}
        self._first: dict[str, Message] = {}
        self._requests: dict[tuple[str, bytes, int], tuple[int, Message]] = {}
        self._asked: list[RecordedRequest] = []
        self._published: list[tuple[int, str, Message]] = []
        self._problems: list[str] = []
        self._snapshot = self._find_snapshot()
        self._prefix = f'/{self._snapshot.namespace}/' if self._snapshot.namespace else '/'

    def result(self) -> Recording:
        names = {topic for topic in self._bag.topics if topic.startswith(self._prefix)}
        wanted = [name for name in names if self._relative(name) in _WANTED or name.endswith(EVENT)]
        for message in self._bag.messages(wanted):
            value = self._bag.decode_or_report(message)
            if value is None:
                continue
            name = self._relative(message.topic)
            if name.endswith(EVENT):
                self._event(name.removesuffix(EVENT), message.kind, value)
            else:
                self._topic(name, message.time_ns, value)
        state = {name: self._state(name) for name in _STATE}
        published = [item for item in self._published if item[1] in DECIDED_TOPICS]
        found = Recording(
            self._bag,
            self._snapshot.namespace,
            self._snapshot,
            state['inventory'],
            state['weighing/job'],
            state['job'],
            decided=[],
            problems=self._problems,
        )
        covered = _StartState(found, published)
        found.asked = sorted((item for item in self._asked if covered.is_new(item)), key=lambda item: item.at_ns)
        found.decided = recorded_decisions(found.asked, published)
        if not any(name.endswith(EVENT) for name in names):
            self._problems.append('the bag has no requests of services: only the readings of scales are decided again')
        found.problems += [problem for problem in self._bag.problems if problem not in found.problems]
        return found

    def _find_snapshot(self) -> Snapshot:
        """Return the first snapshot of the bag.

        Raises:
            RecordingError: There is none.
        """
        topics = [topic for topic in self._bag.topics if topic.endswith(f'/{TOPIC}')]
        for message in self._bag.messages(topics) if topics else ():
            value = self._bag.decode_or_report(message)
            if value is None:
                continue
            try:
                return from_json(value.data)
            except SnapshotError as error:
                raise RecordingError(f'{self._bag.path}: {error}') from error
        raise RecordingError(
            f'{self._bag.path} has no snapshot of the state at its start: record with record:=true or `cell bag record`'
        )

    def _relative(self, topic: str) -> str:
        return topic.removeprefix(self._prefix)

    def _topic(self, name: str, time_ns: int, value: Message) -> None:
        if name in _STATE and name not in self._first:
            self._first[name] = value
        elif name == READINGS:
            self._convert(name, time_ns, value)
        else:
            self._published.append((time_ns, name, value))

    def _convert(self, name: str, time_ns: int, value: Message) -> None:
        try:
            reading = to_message(value, message_class('cell_interfaces/msg/ScaleReading'))
        except UndecodableError as error:
            self._problems.append(f'{name}: {error}')
            return
        self._asked.append(RecordedRequest(to_ns(reading.received_at) or time_ns, name, reading))

    def _event(self, name: str, kind: str, value: Message) -> None:
        """Keep a request until its answer, then ask both as one."""
        info = value.info
        key = (name, bytes(info.client_gid), int(info.sequence_number))
        if info.event_type == RECEIVED and len(value.request):
            self._requests[key] = (to_ns(info.stamp), value.request[0])
            return
        if info.event_type != SENT or not len(value.response) or key not in self._requests:
            return
        received_ns, request = self._requests.pop(key)
        try:
            kinds = [message_class(kind.removesuffix('_Event') + part) for part in ('_Request', '_Response')]
            pair = to_message(request, kinds[0]), to_message(value.response[0], kinds[1])
        except UndecodableError as error:
            problem = f'{name}: {error}'
            if problem not in self._problems:
                self._problems.append(problem)
            return
        at_ns = to_ns(info.stamp) if name in AT_THE_ANSWER else received_ns
        self._asked.append(RecordedRequest(at_ns, name, *pair))

    def _state(self, name: str) -> Message:
        """Return the first value of a topic as the state at the start; an empty one if the bag lacks it."""
        kind = _STATE[name]
        if name not in self._first:
            self._problems.append(f'the bag does not hold {name} of its start: it is taken as empty')
            return kind()
        return to_message(self._first[name], kind)


class _StartState:
    """Tells which requests are contained in the state at the start already: they came while it was collected."""

    def __init__(self, recording: Recording, published: list[tuple[int, str, Message]]) -> None:
        self._sequence = int(recording.inventory.sequence)
        self._sequences = booked_sequences(published)
        self._numbered = {
            int(job.weigh_job_id): int(job.bags_completed + job.bags_out + job.bags_voided) for job in recording.weigh_jobs.jobs
        }
        self._bags: Mapping[str, BagRecord] = {
            value.reading_id: value for _, name, value in published if name == 'weighing/bag'
        }
        self._made_ns = recording.snapshot.made_ns
        self._stock_ns = to_ns(recording.inventory.stamp)
        self._weighing_ns = to_ns(recording.weigh_jobs.stamp)

    def is_new(self, item: RecordedRequest) -> bool:
        """Return whether a request changes the state, or was asked after its collection."""
        if item.name.startswith('inventory/'):
            sequence = self._sequences.get(_stock_key(item))
            return sequence > self._sequence if sequence else item.at_ns >= self._stock_ns
        if item.name == READINGS:
            bag = self._bags.get(item.request.reading_id)
            return bag is None or bag.bag_number > self._numbered.get(int(bag.weigh_job_id), -1)
        if item.name == 'weighing/start_job' and item.response.code == 0:
            return int(item.response.weigh_job_id) not in self._numbered
        if item.name.startswith('weighing/'):
            return item.at_ns >= self._weighing_ns
        return item.at_ns >= self._made_ns or item.name in AT_THE_ANSWER


def _stock_key(item: RecordedRequest) -> str:
    if item.name == 'inventory/book':
        return f'{item.request.job_id}/{item.request.piece}'
    return str(item.request.command.request_id)


_STATE: dict[str, Message] = {'inventory': Inventory, 'weighing/job': WeighJobList, 'job': JobState}
_WANTED = {*_STATE, READINGS, *DECIDED_TOPICS}
