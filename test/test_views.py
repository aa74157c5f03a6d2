"""What the views of RViz, rqt and Foxglove name exists in a running cell, in another namespace and with a frame prefix."""

import ast
import json
from pathlib import Path

import pytest
import yaml
from cell_bringup.views import retarget
from cell_common.qos import events, latched
from cell_common.testing import wait_until
from rclpy.qos import QoSProfile
from tf2_msgs.msg import TFMessage

CONFIG = Path(__file__).resolve().parents[1] / 'config'
NAMESPACE, PREFIX = 'cell2', 'cell2/'
RVIZ_TYPES = {
    'RobotModel': 'std_msgs/msg/String',
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
    'Pose': 'geometry_msgs/msg/PoseStamped',
    'Image': 'sensor_msgs/msg/Image',
}
FOXGLOVE_TYPES = {
    '/cell2/markers': 'visualization_msgs/msg/MarkerArray',
    '/cell2/robot/tool_pose': 'geometry_msgs/msg/PoseStamped',
    '/cell2/robot_description': 'std_msgs/msg/String',
    '/cell2/diagnostics_agg': 'diagnostic_msgs/msg/DiagnosticArray',
    '/rosout': 'rcl_interfaces/msg/Log',
}
PICTURE = 'sensor_msgs/msg/CompressedImage'


def content(name):
    text = retarget((CONFIG / name).read_text(), NAMESPACE, PREFIX)
    return json.loads(text) if text.startswith('{') else yaml.safe_load(text)


def rviz_topics():
    """Return topic -> type of the displays; a picture below `/compressed` is compressed."""
    found = {}
    for display in content('cell.rviz')['Visualization Manager']['Displays']:
        if topic := display.get('Description Topic') or display.get('Topic'):
            kind = RVIZ_TYPES[display['Class'].split('/')[1]]
            found[topic['Value']] = PICTURE if topic['Value'].endswith('/compressed') else kind
    return found


def rqt_topics():
    """Return topic -> type; the launch file maps the monitor's absolute name to that of the cell."""
    manager = content('cell.perspective')['groups']['pluginmanager']
    assert 'rqt_robot_monitor/RobotMonitor' in manager['keys']['running-plugins']['repr']
    view = manager['groups']['plugin__rqt_image_view__ImageView__1']['groups']['plugin']
    return {
        ast.literal_eval(view['keys']['topic']['repr']): PICTURE,
        '/cell2/diagnostics_agg': 'diagnostic_msgs/msg/DiagnosticArray',
    }


def foxglove_paths():
    """Return (topic, field; "" = none) of every panel."""
    found = []
    for panel in content('cell.lichtblick.json')['configById'].values():
        found += [(topic, '') for topic in panel.get('topics', {})]
        found += [(layer['topic'], '') for layer in panel.get('layers', {}).values() if 'topic' in layer]
        found += [(panel[key], '') for key in ('topicToRender', 'topicPath') if key in panel]
        found += [(panel['imageMode']['imageTopic'], '')] if 'imageMode' in panel else []
        found += [tuple(path['value'].split('.', 1)) for path in panel.get('paths', [])]
    return found


def frames_of_views():
    scene = content('cell.lichtblick.json')['configById']['3D!cell']
    frames = {scene['followTf'], scene['layers']['grid']['frameId']}
    return frames | {content('cell.rviz')['Visualization Manager']['Global Options']['Fixed Frame']}


def test_each_panel_of_the_layout_is_placed_once():
    layout = content('cell.lichtblick.json')

    def leaves(part):
        return [part] if isinstance(part, str) else leaves(part['first']) + leaves(part['second'])

    assert sorted(leaves(layout['layout'])) == sorted(layout['configById'])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_topics_types_fields_and_frames_exist_in_the_running_cell(launch_cell):
    cell = launch_cell(wait=False, namespace=NAMESPACE, frame_prefix=PREFIX, robot_backend='rtde', markers='true')
    node = cell.client.node
    offered = {}

    def is_offered(topic):
        offered.update(dict(node.get_topic_names_and_types()))
        return node.count_publishers(topic) > 0

    wanted = {**rviz_topics(), **rqt_topics()}
    for topic, kind in wanted.items():
        wait_until(lambda topic=topic: is_offered(topic), 120, f'{topic} is published')
        assert offered[topic] == [kind], topic
    for topic, field in foxglove_paths():
        wait_until(lambda topic=topic: is_offered(topic), 120, f'{topic} is published')
        package, _, name = offered[topic][0].split('/')
        kind = getattr(__import__(f'{package}.msg', fromlist=[name]), name)
        if field:
            assert field in kind.get_fields_and_field_types(), (topic, field)
        elif topic in FOXGLOVE_TYPES:
            assert offered[topic] == [FOXGLOVE_TYPES[topic]]
    frames = tf_frames(node)
    wait_until(lambda: frames_of_views() <= frames and 'cell2/tool0' in frames, 60, 'frames with the prefix')
    # Without exception: one frame without it joins the trees of two cells.
    assert all(frame.startswith(PREFIX) for frame in list(frames)), frames


def tf_frames(node) -> set[str]:
    """Return the frames of /tf and /tf_static; the set grows in the spinning thread."""
    frames: set[str] = set()

    def add(message: TFMessage) -> None:
        for transform in message.transforms:
            frames.update((transform.header.frame_id, transform.child_frame_id))

    profiles: list[tuple[str, QoSProfile]] = [('/tf', events()), ('/tf_static', latched())]
    for topic, profile in profiles:
        node.create_subscription(TFMessage, topic, add, profile)
    return frames
