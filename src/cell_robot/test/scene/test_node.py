from pathlib import Path

import pytest
from cell_common.qos import latched
from cell_common.runner import StartError
from cell_common.testing import wait_until
from cell_robot.scene.node import MarkersNode
from visualization_msgs.msg import Marker, MarkerArray

from cell_interfaces.msg import Inventory, PartStock, TrayStock

RECIPE = str(Path(__file__).parents[4] / 'config' / 'recipe.yaml')
PART = 'EM1-2U1'


def inventory(count):
    return Inventory(parts=[PartStock(part_number=PART, trays=[TrayStock(tray=1, count=count, capacity=24, state=2)])])


def pieces_of(messages):
    """Return the pieces of tray 1 as a viewer shows them after all messages so far."""
    shown = {}
    for marker in [marker for message in list(messages) for marker in message.markers if marker.ns == 'pieces']:
        shown[marker.id] = len(marker.points) if marker.action == Marker.ADD else 0
    return shown.get(0)


def test_pieces_follow_the_stock_and_the_last_one_is_deleted(graph):
    stock = graph.node.create_publisher(Inventory, 'inventory', latched())
    seen = graph.collect(MarkerArray, 'markers', latched())
    stock.publish(inventory(7))
    graph.add(MarkersNode(**graph.options(recipe_file=RECIPE, frame_prefix='c2/')))
    wait_until(lambda: pieces_of(seen) == 7)
    assert {marker.header.frame_id for message in list(seen) for marker in message.markers} == {'c2/base'}
    stock.publish(inventory(0))
    wait_until(lambda: pieces_of(seen) == 0)


def test_without_a_recipe_the_node_does_not_start(graph):
    with pytest.raises(StartError):
        MarkersNode(**graph.options(recipe_file='/nowhere.yaml'))
