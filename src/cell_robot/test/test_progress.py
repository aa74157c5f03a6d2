"""Progress of a trigger: which phases the client gets, and in which order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue

from cell_robot.backends.trigger import TriggerPhase
from cell_robot.progress import ProgressReporter

SENT, ACKNOWLEDGED = TriggerPhase.SENT, TriggerPhase.ACKNOWLEDGED


class Node:
    """Collects what a reporter publishes and records; its thread runs when the test calls `spin`."""

    def __init__(self, publish: Callable[[TriggerPhase], None] | None = None) -> None:
        self.published: list[TriggerPhase] = []
        self.recorded: list[TriggerPhase] = []
        self.errors: list[tuple[TriggerPhase, str]] = []
        self.queue: Queue[Callable[[], None]] = Queue()
        self.reporter = ProgressReporter(
            publish or self.published.append,
            self.recorded.append,
            self.queue.put,
            lambda phase, error: self.errors.append((phase, str(error))),
        )

    def spin(self) -> None:
        while not self.queue.empty():
            self.queue.get()()


def test_sent_is_published_until_the_acknowledgement_arrives():
    node = Node()
    node.reporter.report(SENT)
    node.spin()
    node.reporter.report(ACKNOWLEDGED)
    node.spin()
    assert node.published == node.recorded == [SENT, ACKNOWLEDGED]


def test_sent_is_not_published_after_the_acknowledgement_but_is_recorded():
    node = Node()
    node.reporter.report(SENT)
    node.reporter.report(ACKNOWLEDGED)
    node.spin()
    assert node.published == [ACKNOWLEDGED]
    assert node.recorded == [SENT, ACKNOWLEDGED]


def test_a_waiting_thread_continues_once_the_acknowledgement_was_published():
    node = Node()
    backend = threading.Thread(target=node.reporter.report, args=(ACKNOWLEDGED,))
    backend.start()
    assert node.reporter.wait_acknowledged(5.0)
    assert node.published == [ACKNOWLEDGED]
    backend.join()


def test_waiting_times_out_when_only_sent_was_published():
    node = Node()
    node.reporter.report(SENT)
    node.spin()
    assert not node.reporter.wait_acknowledged(0.01)


def test_a_failed_publish_is_reported_and_blocks_no_thread():
    def broken(_phase):
        raise RuntimeError('the client is gone')

    node = Node(broken)
    node.reporter.report(ACKNOWLEDGED)
    assert node.errors == [(ACKNOWLEDGED, 'the client is gone')]
    assert node.reporter.wait_acknowledged(0.0)
    node.spin()
    assert node.recorded == [ACKNOWLEDGED], 'the trigger continues'


def test_two_threads_publish_one_after_the_other():
    inside, published, go_on = threading.Event(), [], threading.Event()

    def slow(phase):
        published.append(phase)
        inside.set()
        assert go_on.wait(30.0)

    node = Node(slow)
    node.reporter.report(SENT)
    spinning = threading.Thread(target=node.spin)
    spinning.start()
    assert inside.wait(30.0)
    backend = threading.Thread(target=node.reporter.report, args=(ACKNOWLEDGED,))
    backend.start()
    assert published == [SENT]
    go_on.set()
    spinning.join()
    backend.join()
    assert published == [SENT, ACKNOWLEDGED]
