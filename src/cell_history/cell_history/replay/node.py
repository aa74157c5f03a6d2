"""Node `replay`: plays a recording to a page and to the tools of ROS, and decides at the recorded moments.

Recorded decisions are played below `recorded/`. Requests are decided again in this process, in the order of the recording, and
the clock waits for each decision. No device is opened, nothing is delivered, and nothing of a live cell is read or written.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import rclpy
from cell_common.heartbeat import HeartbeatPublisher
from cell_common.parameters import declare_parameters
from cell_common.qos import events, latched
from cell_common.ros_time import to_msg
from cell_common.runner import StartError, node_main
from cell_common.time import seconds_to_ns
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from cell_history.bags.definitions import installed_hash
from cell_history.bags.reader import BagError, BagMessage, BagReader
from cell_history.bags.types import Message, UndecodableError, message_class, to_message
from cell_history.replay.decide_again import ReplaySession, SessionOptions
from cell_history.replay.decisions import DecisionRecord, to_lines
from cell_history.replay.differences import compare
from cell_history.replay.pace import Pace
from cell_history.replay.parameters import ReplayParameters
from cell_history.replay.recorded_request import RecordedRequest
from cell_history.replay.recording import Recording, RecordingError
from cell_history.replay.routing import played_as
from cell_interfaces.msg import JobState, Replay

__all__ = ['ReplayNode']

TICK_S = 0.02
"""Period of /clock."""
STATUS_S = 1.0
DECISIONS = 'decisions.jsonl'
ACKNOWLEDGED_S = 2.0
"""How long the end waits for subscribers to acknowledge."""


class ReplayNode(Node):
    """Publishes /clock, the recorded topics, the new decisions, and `replay`.

    One thread plays; nothing else runs in this node but its parameters.

    Attributes:
        ended: Set when the recording was played and is not begun again.
    """

    def __init__(self, **options: Any) -> None:
        """Open the recording and start to play.

        Raises:
            StartError: The recording cannot be replayed.
        """
        super().__init__('replay', **options)
        self._settings = declare_parameters(self, ReplayParameters)
        self.ended = threading.Event()
        self._stop = threading.Event()
        self._next_tick_s = self._next_status_s = 0.0
        self._topic_publishers: dict[str, Message] = {}
        self._clock_topic = self.create_publisher(Clock, '/clock', QoSProfile(depth=1))
        self._status = self.create_publisher(Replay, 'replay', latched())
        HeartbeatPublisher(self)
        try:
            self._options = self._session_options()
            self._bag = BagReader(Path(self._settings.bag))
        except (BagError, RecordingError, OSError) as error:
            raise StartError(str(error)) from error
        try:
            self._recording = Recording.read(self._bag)
            self._folder = self._make_folder()  # last: a start that fails leaves none behind
        except (RecordingError, OSError) as error:
            self._bag.close()
            raise StartError(str(error)) from error
        for problem in self._recording.problems:
            self.get_logger().warning(problem)
        self._state = Replay(
            bag=Path(self._settings.bag).name,
            rate=self._settings.rate,
            started_at=to_msg(self._bag.start_ns),
            ended_at=to_msg(self._bag.end_ns),
            message=' '.join(self._recording.problems),
        )
        self._thread = threading.Thread(target=self._play, name='replay', daemon=True)
        self._thread.start()

    def destroy_node(self) -> None:
        """Stop, and delete the folder unless it is kept."""
        self._stop.set()
        self._thread.join()
        self._bag.close()
        if not self._settings.keep:
            shutil.rmtree(self._folder, ignore_errors=True)
        super().destroy_node()

    def _make_folder(self) -> Path:
        """Return the folder of this replay.

        Raises:
            OSError: It cannot be made.
            RecordingError: It holds files already.
        """
        if not self._settings.state_dir:
            return Path(tempfile.mkdtemp(prefix='cell-replay-'))
        folder = Path(self._settings.state_dir).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RecordingError(f'{folder} is not empty: give a replay a folder of its own (state_dir)')
        return folder

    def _session_options(self) -> SessionOptions:
        file = self._settings.catalogue_file
        text = Path(file).expanduser().read_text(encoding='utf-8') if file else ''
        return SessionOptions(catalogue=text, engine=self._settings.engine)

    def _play(self) -> None:
        """Play until the end, or until the node is destroyed; an error ends the replay and is shown."""
        try:
            while not self._stop.is_set():
                self._state.round += 1
                self._play_once()
                if not self._settings.loop:
                    break
        except (RecordingError, BagError, OSError) as error:
            self.get_logger().error(str(error))
            self._state.message = str(error)
        self._state.state = Replay.ENDED
        self._status.publish(self._state)
        for publisher in self._topic_publishers.values():
            if not self._stop.is_set() and publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE:
                publisher.wait_for_all_acked(Duration(seconds=ACKNOWLEDGED_S))
        self.ended.set()
        if self._settings.exit_at_end and not self._stop.is_set():
            rclpy.utilities.try_shutdown(context=self.context)

    def _play_once(self) -> None:
        """Play the recording once, with the state of its start."""
        decided: list[DecisionRecord] = []
        begin_ns = self._bag.start_ns + seconds_to_ns(self._settings.start)
        with ReplaySession(self._recording, self._options) as session:
            for topic, message in session.state_messages(self._bag.start_ns):
                self._publish(topic, message)
            pace = Pace(begin_ns, time.monotonic(), self._settings.rate)
            for moment_ns, item in _merged(self._recording.asked, self._bag.messages()):
                due_ns = max(begin_ns, moment_ns)
                self._wait(pace, due_ns)
                if self._stop.is_set():
                    return
                if isinstance(item, RecordedRequest):
                    answer = session.decide(item)
                    decided += answer.decisions
                    for topic, message in answer.messages:
                        self._publish(topic, message)
                    pace.hold(due_ns, time.monotonic())
                elif moment_ns >= begin_ns or self._is_latched(item):
                    self._forward(item, session)
            self._show_problems(session.problems)
        self._finish(decided)

    def _show_problems(self, problems: Iterable[str]) -> None:
        """Log what could not be decided again, and show it on the page; once, however often the recording is played."""
        for problem in problems:
            if problem not in self._state.message:
                self.get_logger().warning(problem)
                self._state.message = f'{self._state.message} {problem}'.strip()

    def _finish(self, decided: list[DecisionRecord]) -> None:
        """Store the decisions of a round, and count what differs."""
        (self._folder / DECISIONS).write_text(to_lines(decided), encoding='utf-8')
        different = {(item.kind, item.key) for item in compare(self._recording.decided, decided)}
        self._state.decided, self._state.different = len(decided), len(different)
        self.get_logger().info(f'{len(decided)} decisions, {len(different)} differ from the recorded ones')

    def _wait(self, pace: Pace, moment_ns: int) -> None:
        """Wait until a moment of the recording, with ticks of the clock and of the state in between."""
        while not self._stop.is_set():
            now_s = time.monotonic()
            reached = now_s >= pace.due_s(moment_ns)
            current = moment_ns if reached else pace.moment_ns(now_s)
            self._tick(current, now_s)
            if reached:
                return
            self._stop.wait(min(TICK_S, pace.due_s(moment_ns) - now_s))

    def _tick(self, moment_ns: int, now_s: float) -> None:
        if now_s >= self._next_tick_s:
            self._next_tick_s = now_s + TICK_S
            self._clock_topic.publish(Clock(clock=to_msg(moment_ns)))
        if now_s >= self._next_status_s:
            self._next_status_s = now_s + STATUS_S
            self._state.stamp = to_msg(moment_ns)
            self._status.publish(self._state)

    def _is_latched(self, message: BagMessage) -> bool:
        """Return whether a message holds until the next one, so that it matters although its time is skipped."""
        return any(offer.durability.name == 'TRANSIENT_LOCAL' for offer in self._bag.offers(message.topic))

    def _forward(self, message: BagMessage, session: ReplaySession) -> None:
        """Publish a recorded message under its name in the replay."""
        name = played_as(message.topic, self._recording.namespace)
        if not name:
            return
        try:
            data = self._content(message)
        except UndecodableError as error:
            self.get_logger().warning(f'{message.topic}: {error}', once=True)
            return
        self._publisher(name, message_class(message.kind), message.topic).publish(data)
        if name == 'recorded/job':
            # The page shows the verdict of the job's state: that of this replay, as far as there is one.
            job = to_message(self._bag.decode(message), JobState)
            again = session.match_of(job.last_match.request_id)
            job.last_match = again if again is not None else job.last_match
            self._publish('job', job)

    def _content(self, message: BagMessage) -> Message:
        """Return the bytes as recorded; a message of an older definition is converted.

        Raises:
            UndecodableError: The type is unknown here.
        """
        if self._bag.digests(message.topic) == {installed_hash(message.kind)}:
            return message.data
        return to_message(self._bag.decode(message), message_class(message.kind))

    def _publish(self, name: str, message: Message) -> None:
        self._publisher(name, type(message)).publish(message)

    def _publisher(self, name: str, kind: type, recorded: str = '') -> Message:
        """Return the publisher of a topic, made at its first message.

        Args:
            name: Relative to the namespace, or absolute.
            kind: Message class.
            recorded: Full name in the bag, whose quality of service is offered; "" = a decision of this replay.
        """
        if name not in self._topic_publishers:
            self._topic_publishers[name] = self.create_publisher(kind, name, self._profile(name, recorded))
        return self._topic_publishers[name]

    def _profile(self, name: str, recorded: str) -> QoSProfile:
        if not recorded:
            return latched() if name in ('inventory', 'weighing/job', 'weighing/bags', 'job') else events()
        offers = self._bag.offers(recorded)
        profile = QoSProfile(depth=max([10, *(offer.depth for offer in offers)]))
        if offers and all(offer.reliability.name == 'BEST_EFFORT' for offer in offers):
            profile.reliability = ReliabilityPolicy.BEST_EFFORT
        if any(offer.durability.name == 'TRANSIENT_LOCAL' for offer in offers):
            profile.durability = DurabilityPolicy.TRANSIENT_LOCAL
        return profile


def _merged(asked: list[RecordedRequest], messages: Iterator[BagMessage]) -> Iterator[tuple[int, RecordedRequest | BagMessage]]:
    """Yield requests and messages by their moments; a request comes before a message of the same moment."""
    waiting = list(reversed(asked))
    for message in messages:
        while waiting and waiting[-1].at_ns <= message.time_ns:
            item = waiting.pop()
            yield item.at_ns, item
        yield message.time_ns, message
    for item in reversed(waiting):
        yield item.at_ns, item


main = node_main(ReplayNode)

if __name__ == '__main__':
    main()
