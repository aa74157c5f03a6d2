import queue
import threading

import pytest
from cell_common.inbox import ExecutorQueue
from cell_common.testing import wait_until


def test_items_of_another_thread_are_handled_in_order(graph):
    seen = []
    items = ExecutorQueue(graph.node, seen.append)
    producer = threading.Thread(target=lambda: [items.put(number) for number in range(100)])
    producer.start()
    producer.join()
    wait_until(lambda: len(seen) == 100)
    assert seen == list(range(100))


def test_items_are_handled_in_the_executors_thread(graph):
    threads = []
    items = ExecutorQueue(graph.node, lambda _: threads.append(threading.current_thread()))
    items.put(1)
    wait_until(lambda: threads)
    assert threads[0] is not threading.current_thread()


def test_a_full_queue_rejects_an_item(graph):
    blocked, entered = threading.Event(), threading.Event()

    def handle(_item):
        entered.set()
        blocked.wait(10.0)

    items = ExecutorQueue(graph.node, handle, capacity=2)
    items.put(0)
    assert entered.wait(30.0)
    items.put(1)
    items.put(2)
    assert len(items) == 2
    with pytest.raises(queue.Full):
        items.put(3)
    with pytest.raises(queue.Full):
        items.put(3, timeout=0.01)
    blocked.set()
