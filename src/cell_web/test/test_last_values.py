from __future__ import annotations

import cell_scene as scene
import pytest
from cell_common.qos import latched
from cell_common.testing import NodeGraph, wait_until
from cell_web.last_values import TOPICS, LastValues, to_json
from cell_web.roles import VIEWER
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String

from cell_interfaces.msg import RobotState

NOW = 1_700_000_000.0


@pytest.mark.parametrize('topic', TOPICS)
def test_a_message_is_written_as_rosbridge_writes_it(topic: str) -> None:
    message = scene.whole_cell(NOW)[topic]
    assert to_json(message) == scene.written(message)


def test_bytes_are_base64_and_numbers_that_json_cannot_hold_are_null() -> None:
    assert to_json(CompressedImage(format='jpeg', data=b'\x00\xff'))['data'] == 'AP8='
    assert to_json(RobotState(data_age=float('nan'), speed_scaling=float('inf')))['data_age'] is None


def test_the_values_of_a_node_stay_after_its_end_with_the_age_of_its_heartbeat(graph: NodeGraph) -> None:
    kept = LastValues(graph.node)
    assert kept.snapshot(VIEWER.topics) == {'values': {}, 'heartbeat_age_s': {}}
    publisher = graph.node.create_publisher(TOPICS['inventory'], 'inventory', latched())
    heartbeat = graph.node.create_publisher(String, 'heartbeat', 10)
    publisher.publish(scene.inventory(NOW))
    wait_until(lambda: heartbeat.publish(String(data='inventory')) or kept.snapshot(VIEWER.topics)['heartbeat_age_s'])
    wait_until(lambda: kept.snapshot(VIEWER.topics)['values'])
    graph.node.destroy_publisher(publisher)
    found = kept.snapshot(VIEWER.topics)
    assert found['values'] == {'inventory': scene.written(scene.inventory(NOW))}
    assert wait_until(lambda: kept.snapshot(VIEWER.topics)['heartbeat_age_s']['inventory'] > 0.2)


def test_a_role_sees_only_its_topics(graph: NodeGraph) -> None:
    kept = LastValues(graph.node)
    publisher = graph.node.create_publisher(TOPICS['inventory'], 'inventory', latched())
    publisher.publish(scene.inventory(NOW))
    wait_until(lambda: kept.snapshot(frozenset({'inventory'}))['values'])
    assert kept.snapshot(frozenset({'job'}))['values'] == {}
