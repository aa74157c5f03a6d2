"""Recording and playing over a real graph."""

import threading
import time

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Int32, String
from tf2_msgs.msg import TFMessage

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


def read(path):
    with Reader(path) as reader:
        return [(connection.topic, stamp, bytes(data)) for connection, stamp, data in reader.messages()]


def publish(bench, kind, topic, messages, qos=10):
    publisher = bench.node.create_publisher(kind, topic, qos)
    bench.until(publisher.get_subscription_count)
    for message in messages:
        publisher.publish(message)
    return publisher


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_what_is_published_is_in_the_bag(bench, storage):
    messages = [CompressedImage(format='jpeg', data=bytes(range(size))) for size in (0, 5, 200)]
    with bench.recording(storage=storage, topics=frozenset({'/image'})) as recorder:
        publish(bench, CompressedImage, '/image', messages)
        bench.until(lambda: recorder.count == 3)
    stored = [deserialize_message(data, CompressedImage) for _, _, data in read(bench.folder / 'bag')]
    assert stored == messages
    assert abs(read(bench.folder / 'bag')[0][1] - time.time_ns()) < 60e9


def test_the_bag_carries_definition_hash_and_quality_of_service(bench):
    with bench.recording(everything=True) as recorder:
        publish(bench, TFMessage, '/tf_static', [TFMessage()], LATCHED)
        publish(bench, Int32, '/fast', [Int32(data=1)], BEST_EFFORT)
        bench.until(lambda: recorder.count >= 2)
    with Reader(bench.folder / 'bag') as reader:
        by_topic = {connection.topic: connection for connection in reader.connections}
    static, fast = by_topic['/tf_static'], by_topic['/fast']
    assert static.ext.offered_qos_profiles[0].durability == QosDurability.TRANSIENT_LOCAL
    assert fast.ext.offered_qos_profiles[0].reliability == QosReliability.BEST_EFFORT
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(static.msgdef.data, 'tf2_msgs/msg/TFMessage'))
    assert 'geometry_msgs/msg/Quaternion' in store.fielddefs
    assert static.digest == get_typestore(Stores.ROS2_JAZZY).hash_rihs01('tf2_msgs/msg/TFMessage')


def test_a_latched_message_is_recorded_although_it_came_before(bench):
    bench.node.create_publisher(String, '/state', LATCHED).publish(String(data='before'))
    with bench.recording(topics=frozenset({'/state'})) as recorder:
        bench.until(lambda: recorder.count == 1)


def test_a_best_effort_publisher_that_comes_later_is_recorded_too(bench):
    with bench.recording(topics=frozenset({'/words'})) as recorder:
        publish(bench, String, '/words', [String(data='first')])
        bench.until(lambda: recorder.count == 1)
        publisher = bench.node.create_publisher(String, '/words', BEST_EFFORT)

        def heard():
            publisher.publish(String(data='later'))
            return recorder.count >= 2

        bench.until(heard)


def test_hidden_excluded_and_unknown_topics_are_left_out(bench):
    names = ['/cell/job', '/cell/_hidden', '/cell/camera']
    publishers = [bench.node.create_publisher(String, name, 10) for name in names]
    with bench.recording(everything=True, exclude_regex='camera') as recorder:
        bench.until(publishers[0].get_subscription_count)
        assert '/cell/job' in recorder.topics
        assert not {'/cell/_hidden', '/cell/camera'} & set(recorder.topics)


def test_an_output_folder_that_is_there_is_not_touched(bench):
    (bench.folder / 'bag').mkdir()
    with pytest.raises(Exception, match='exists already'):
        Writer(bench.folder / 'bag', version=9)


@pytest.fixture
def words(bench):
    """A bag of three words, 0.2 s apart, and a number with each."""
    return make_words(bench, 0.2)


def make_words(bench, apart):
    with Writer(bench.folder / 'made', version=9) as writer:
        store = get_typestore(Stores.ROS2_JAZZY)
        connection = writer.add_connection('/words', 'std_msgs/msg/String', typestore=store)
        other = writer.add_connection('/numbers', 'std_msgs/msg/Int32', typestore=store)
        for index, word in enumerate(('one', 'two', 'three')):
            stamp = 1_000_000_000_000 + index * round(apart * 1e9)
            writer.write(connection, stamp, serialize_message(String(data=word)))
            writer.write(other, stamp + 1, serialize_message(Int32(data=index)))
    return 'made'


def heard_by(bench, kind, topic):
    """Subscribe and return the list of (time, message), and what waits for the match with a player."""
    received = []
    bench.node.create_subscription(kind, topic, lambda message: received.append((time.monotonic(), message)), 10)
    return received, lambda player: bench.until(
        lambda: (
            player.count_subscribers(topic)
            and all(publisher.get_subscription_count() for publisher in player.publishers if publisher.topic_name == topic)
        )
    )


def test_messages_are_played_in_order_and_in_time(bench, words):
    received, matched = heard_by(bench, String, '/words')
    player = bench.play(words, before=matched)
    bench.until(lambda: len(received) == 3)
    assert [message.data for _, message in received] == ['one', 'two', 'three']
    assert received[2][0] - received[0][0] > 0.3
    assert player.count == 6


def test_the_rate_makes_it_faster(bench):
    received, matched = heard_by(bench, String, '/words')
    bench.play(make_words(bench, 60.0), before=matched, rate=600.0)
    bench.until(lambda: len(received) == 3)
    assert 0.1 < received[2][0] - received[0][0] < 60.0


def test_topics_are_chosen_renamed_and_skipped(bench, words):
    received, matched = heard_by(bench, String, '/cell/words')
    player = bench.play(
        words,
        before=matched,
        topics=frozenset({'/words'}),
        remap={'/words': '/cell/words'},
        start_offset_s=0.1,
        duration_s=0.2,
        rate=10.0,
    )
    bench.until(lambda: received)
    assert [message.data for _, message in received] == ['two']
    assert player.count == 1


def test_the_clock_follows_the_bag(bench, words):
    ticks, matched = heard_by(bench, Clock, '/clock')
    bench.play(words, before=matched, clock_hz=50.0, rate=2.0)
    stamps = [message.clock.sec * 10**9 + message.clock.nanosec for _, message in ticks]
    assert stamps == sorted(stamps)
    assert 1_000_000_000_000 <= stamps[0] < 1_000_100_000_000
    assert 1_000_300_000_000 < stamps[-1] < 1_000_500_000_000
    assert 5 <= len(stamps) <= 14


def test_a_recorded_latched_topic_is_latched_when_it_is_played(bench):
    with bench.recording(topics=frozenset({'/state'})) as recorder:
        publisher = publish(bench, String, '/state', [String(data='kept')], LATCHED)
        bench.until(lambda: recorder.count == 1)
    bench.node.destroy_publisher(publisher)
    player = bench.play()
    received = bench.collect(String, '/state', LATCHED)
    assert bench.until(lambda: received)[0].data == 'kept'
    player.destroy_node()


def test_a_loop_goes_on_until_it_is_stopped(bench, words):
    stop = threading.Event()
    received = []

    def hear(message):
        received.append(message)
        if len(received) == 7:
            stop.set()

    bench.node.create_subscription(String, '/words', hear, 10)
    player = bench.play(
        words, stop=stop, loop=True, rate=50.0, before=lambda player: bench.until(lambda: player.count_subscribers('/words'))
    )
    assert player.count >= 12


def test_a_topic_whose_type_is_not_installed_is_left_out(bench):
    with Writer(bench.folder / 'made', version=9) as writer:
        connection = writer.add_connection('/odd', 'nowhere_msgs/msg/Odd', msgdef='int32 data', rihs01='RIHS01_' + '0' * 64)
        writer.write(connection, 1, b'\x00\x01\x00\x00\x00\x00\x00\x00')
    assert bench.play('made').count == 0
