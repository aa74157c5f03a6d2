"""A ROS context in a domain of its own, and recorders and players that run in threads."""

from __future__ import annotations

import contextlib
import threading

import pytest
import rclpy
from domain_coordinator import domain_id
from rclpy.executors import ExternalShutdownException, ShutdownException, SingleThreadedExecutor
from ros2bag.player import Playback, Player
from ros2bag.recorder import Recorder
from ros2bag.selection import Selection
from ros2cli.helpers import wait_for

DEADLINE_S = 30.0


class Bench:
    """A node of the test, spun in a thread, and what is recorded and played beside it."""

    def __init__(self, domain, folder):
        self.folder = folder
        self.context = rclpy.Context()
        self.context.init(domain_id=domain)
        self.node = rclpy.create_node('test', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self.thread.start()

    def _spin(self):
        with contextlib.suppress(ExternalShutdownException, ShutdownException):
            self.executor.spin()

    @staticmethod
    def until(condition, timeout=DEADLINE_S):
        found = []
        assert wait_for(lambda: bool(found.append(condition()) or found[-1]), timeout, 0.01), 'not in time'
        return found[-1]

    def collect(self, kind, topic, qos=10):
        received = []
        self.node.create_subscription(kind, topic, received.append, qos)
        return received

    @contextlib.contextmanager
    def recording(self, name='bag', storage='mcap', **selection):
        """Record while the block runs; the bag is closed after it."""
        stop, made = threading.Event(), []

        def work():
            recorder = Recorder(self.folder / name, Selection(**selection), storage, poll_s=0.02, context=self.context)
            made.append(recorder)
            recorder.run(stop)
            recorder.destroy_node()

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield self.until(lambda: made)[0]
        finally:
            stop.set()
            thread.join(DEADLINE_S)

    def play(self, name='bag', before=None, stop=None, **playback):
        """Play a bag to its end and return the player, which is closed with the test."""
        player = Player(self.folder / name, Playback(**playback), context=self.context)
        if before:
            before(player)
        player.run(stop or threading.Event())
        return player

    def close(self):
        self.executor.shutdown()
        self.thread.join(DEADLINE_S)
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def bench(tmp_path):
    with domain_id() as domain:
        bench = Bench(int(domain), tmp_path)
        yield bench
        bench.close()
