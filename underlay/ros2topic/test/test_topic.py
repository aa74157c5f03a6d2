"""ros2 topic."""

import argparse
import signal

import pytest
from geometry_msgs.msg import PoseStamped
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from ros2topic.api import positive_float, positive_int, qos_profile_from_short_keys
from ros2topic.verb.hz import RateMeter
from std_msgs.msg import String


@pytest.fixture
def words(graph):
    """A topic on which a message is published ten times a second."""
    publisher = graph.node.create_publisher(String, 'words', 10)
    graph.node.create_timer(0.1, lambda: publisher.publish(String(data='hello')))
    return publisher


def test_topics_are_listed_with_their_types(words, ros2):
    out = ros2.until('/cell/words', 'topic', 'list')
    assert out.splitlines() == sorted(out.splitlines())
    assert '/cell/words [std_msgs/msg/String]\n' in ros2.until('/cell/words', 'topic', 'list', '-t')
    assert ' * /cell/words [std_msgs/msg/String] 1 publisher\n' in ros2.until('/cell/words', 'topic', 'list', '-v')


def test_hidden_topics_are_listed_on_request_only(graph, ros2):
    graph.node.create_publisher(String, '_secret', 1)
    ros2.until('/cell/_secret', 'topic', 'list', '--include-hidden-topics')
    assert '_secret' not in ros2.until('/rosout', 'topic', 'list')


def test_the_topics_are_counted(graph, ros2):
    assert int(ros2('topic', 'list', '-c')[1]) >= 2  # /rosout and /parameter_events of the command's own node


def test_info_counts_publishers_and_subscribers(words, ros2):
    out = ros2.until('Publisher count: 1', 'topic', 'info', '/cell/words')
    assert out == 'Type: std_msgs/msg/String\nPublisher count: 1\nSubscription count: 0\n'
    assert 'Node name: talker\nNode namespace: /cell\n' in ros2.until('Publisher count', 'topic', 'info', '-v', '/cell/words')


def test_info_refuses_an_unknown_topic(graph, ros2):
    assert ros2('topic', 'info', '/nothing')[0] == "Unknown topic '/nothing'"


def test_echo_prints_a_message_as_yaml(words, ros2):
    assert ros2.until('data', 'topic', 'echo', '--once', '/cell/words', 'std_msgs/msg/String') == 'data: hello\n---\n'


def test_echo_reads_the_last_message_of_a_latched_topic(graph, ros2):
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    message = PoseStamped()
    message.pose.position.x = 1.5
    graph.node.create_publisher(PoseStamped, 'pose', qos).publish(message)
    ros2.until('/cell/pose', 'topic', 'list')
    assert (
        ros2.until('1.5', 'topic', 'echo', '--once', '--field', 'pose.position', '/cell/pose')
        == 'x: 1.5\ny: 0.0\nz: 0.0\n---\n'
    )
    assert ros2.until('1.5', 'topic', 'echo', '--once', '--csv', '/cell/pose') == '0,0,,1.5,0.0,0.0,0.0,0.0,0.0,1.0\n'


def test_echo_ends_at_its_timeout(graph, ros2):
    assert ros2('topic', 'echo', '--timeout', '0.2', '/silent', 'std_msgs/msg/String') == (None, '')


@pytest.mark.parametrize(
    ('argv', 'error'),
    [
        (['/nothing'], 'Could not determine the type for the passed topic'),
        (['/cell/words', 'std_msgs/msg/Nothing'], 'The passed message type is invalid'),
        (['/cell/words', '--field', '.'], "Invalid field value '.'"),
        (['//'], "topic name '//' is invalid"),
    ],
)
def test_echo_refuses_a_wrong_topic_type_or_field(graph, ros2, argv, error):
    assert error in str(ros2('topic', 'echo', *argv)[0])


def test_echo_refuses_a_field_that_the_message_lacks(words, ros2):
    code, _ = ros2('topic', 'echo', '--field', 'size', '/cell/words', 'std_msgs/msg/String')
    assert code == "Invalid field 'size': 'String' object has no attribute 'size'"


def test_hz_prints_the_rate_until_interrupted(words, ros2_process):
    with ros2_process('topic', 'hz', '/cell/words') as process:
        lines = iter(process.stdout.readline, '')
        rate = next(line for line in lines if line.startswith('average rate: '))
        assert next(lines).startswith('\tmin: ')
        assert 1.0 < float(rate.removeprefix('average rate: ')) < 20.0
    assert process.returncode in (0, signal.SIGINT)


def test_the_rate_has_upstreams_form():
    meter = RateMeter(2)
    assert meter.report() is None
    for stamp_ms in (0, 400, 500, 600):
        meter.add(stamp_ms * 1_000_000)
    assert meter.report() == 'average rate: 10.000\n\tmin: 0.100s max: 0.100s std dev: 0.00000s window: 2'
    assert meter.report() is None, 'no message since the last report'


def test_a_clock_that_jumps_back_starts_the_rate_again():
    meter = RateMeter(100)
    for stamp_ms in (9000, 9100, 0, 500):
        meter.add(stamp_ms * 1_000_000)
    assert meter.report().startswith('average rate: 2.000\n')


@pytest.mark.parametrize(
    ('parse', 'text'), [(positive_int, '0'), (positive_int, 'x'), (positive_float, '-1'), (positive_float, 'x')]
)
def test_numbers_that_are_not_positive_are_refused(parse, text):
    with pytest.raises(argparse.ArgumentTypeError):
        parse(text)


def test_options_replace_policies_of_a_preset():
    profile = qos_profile_from_short_keys('sensor_data', reliability='reliable', depth=7)
    assert (profile.reliability, profile.depth) == (ReliabilityPolicy.RELIABLE, 7)
    assert qos_profile_from_short_keys('sensor_data').reliability == ReliabilityPolicy.BEST_EFFORT
