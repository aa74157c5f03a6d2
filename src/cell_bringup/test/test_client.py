"""What a client leaves behind."""

from __future__ import annotations

import gc

from cell_bringup.client import CellClient
from cell_common.testing import dds_thread_count
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.task import Future

from cell_interfaces.srv import GetInventory


def test_a_closed_client_leaves_no_participant_for_the_garbage_collector(domain):
    gc.disable()
    try:
        CellClient(domain_id=domain).close()
        left = dds_thread_count()
        client = CellClient(domain_id=domain)
        assert dds_thread_count() > left
        client.close()
        assert dds_thread_count() == left
    finally:
        gc.enable()


def test_a_client_may_be_closed_twice(domain):
    client = CellClient(domain_id=domain)
    client.close()
    client.close()


def test_a_reading_request_whose_answer_is_lost_is_sent_again(graph, client, monkeypatch):
    monkeypatch.setattr('cell_bringup.client.REPEAT_AFTER_S', 0.1)
    asked = []

    async def answer_the_second(request, response):
        asked.append(request)
        if len(asked) == 1:
            await Future(executor=graph.executor)
        response.message = 'second'
        return response

    graph.node.create_service(GetInventory, 'lossy', answer_the_second, callback_group=ReentrantCallbackGroup())
    assert client.call(GetInventory, 'lossy', GetInventory.Request()).message == 'second'
    assert asked[0] == asked[1]
