"""The verbs as processes and their arguments."""

import os
import signal
import subprocess
import sys

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.serialization import serialize_message
from ros2bag.definitions import DefinitionError, definition
from ros2bag.player import Pace, Playback
from ros2bag.report import describe
from ros2bag.selection import Selection
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from std_msgs.msg import String

pytestmark = pytest.mark.slow


def ros2_bag(*arguments, domain=None, **options):
    environment = dict(os.environ, **({} if domain is None else {'ROS_DOMAIN_ID': str(domain)}))
    command = [sys.executable, '-c', 'import sys; from ros2cli.cli import main; sys.exit(main())', 'bag', *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options)


def test_a_bag_is_recorded_until_the_interrupt_and_described(bench):
    path = bench.folder / 'out'
    publisher = bench.node.create_publisher(String, '/words', QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    publisher.publish(String(data='one'))
    process = ros2_bag('record', '/words', '-o', str(path), '-s', 'sqlite3', domain=bench.context.get_domain_id())
    bench.until(publisher.get_subscription_count)
    publisher.publish(String(data='two'))
    publisher.wait_for_all_acked()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    text, _ = ros2_bag('info', str(path)).communicate(timeout=60)
    assert 'Storage id:        sqlite3' in text
    assert 'Topic: /words | Type: std_msgs/msg/String | Count: 2 | Serialization Format: cdr' in text
    names, _ = ros2_bag('info', '-t', str(path)).communicate(timeout=60)
    assert names == '/words\n'


@pytest.mark.parametrize(
    ('arguments', 'problem'),
    [
        (('record',), 'at least one option'),
        (('record', '-a', '-o', '.'), 'already exists'),
        (('record', '-e', '['), 'regular'),
        (('play', 'nowhere'), 'does not exist'),
        (('info', '.'), 'ERROR'),
        (('play', '.', '-r', '0'), 'valid range'),
        (('play', '.', '-m', 'a=b'), 'old_topic:=new_topic'),
    ],
)
def test_wrong_arguments_are_reported(tmp_path, arguments, problem):
    process = ros2_bag(*arguments, cwd=tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert problem in errors


def test_a_bag_is_described_in_the_layout_of_rosbag2(tmp_path):
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection('/words', 'std_msgs/msg/String', typestore=get_typestore(Stores.ROS2_JAZZY))
        for stamp in (1_000_000_000_000, 1_002_500_000_000):
            writer.write(connection, stamp, serialize_message(String(data='x')))
    text = describe(tmp_path / 'bag')
    assert 'Files:             bag.mcap\n' in text
    assert 'Duration:          2.500000000s\n' in text
    assert '(1000.000000000)' in text
    assert 'Messages:          2\n' in text


def test_an_empty_bag_is_described(tmp_path):
    with Writer(tmp_path / 'bag', version=9):
        pass
    assert 'Messages:          0\n' in describe(tmp_path / 'bag')


def test_a_definition_carries_the_types_it_uses():
    text, digest = definition('sensor_msgs/msg/CompressedImage')
    assert digest.startswith('RIHS01_')
    assert 'MSG: std_msgs/Header\n' in text
    assert 'MSG: builtin_interfaces/Time\n' in text


@pytest.mark.parametrize('name', ['nowhere_msgs/msg/X', 'std_msgs/msg/Nothing'])
def test_a_definition_that_is_not_installed_is_reported(name):
    with pytest.raises(DefinitionError, match='no definition'):
        definition(name)


def test_the_pace_follows_the_rate_and_leaves_out_missed_ticks():
    pace = Pace(5 * 10**9, 100.0, Playback(rate=2.0, clock_hz=10.0))
    assert pace.due_s(9 * 10**9) == 102.0
    assert pace.bag_ns(101.0) == 7 * 10**9
    assert [pace.tick(now_s) for now_s in (100.0, 100.05, 100.11, 100.95, 100.99)] == [True, False, True, True, False]
    assert round(pace.next_tick_s, 6) == 101.0


def test_a_selection_goes_by_names_regex_and_exclusion():
    chosen = Selection(topics=frozenset({'/a/_x'}), regex='^/cell', exclude_topics=frozenset({'/cell/no'}))
    assert [topic for topic in ('/a/_x', '/a/b', '/cell/yes', '/cell/no', '/cell/_h') if chosen.wants(topic)] == [
        '/a/_x',
        '/cell/yes',
    ]
