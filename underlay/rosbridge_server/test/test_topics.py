"""Topics over a real WebSocket."""

import base64

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, JointState
from std_msgs.msg import Float32, Int32, String

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


def publisher(bench, kind, topic, qos=10, subscribers=0):
    made = bench.node.create_publisher(kind, topic, qos)
    if subscribers:
        bench.until(lambda: made.get_subscription_count() >= subscribers)
    return made


def test_a_message_reaches_a_subscriber_that_names_the_type(bench, peer):
    peer.subscribe('/words', type='std_msgs/msg/String', id='one')
    publisher(bench, String, '/words', subscribers=1).publish(String(data='grüß dich'))
    assert peer.receive() == {'op': 'publish', 'topic': '/words', 'msg': {'data': 'grüß dich'}}


def test_a_subscriber_may_leave_the_type_to_the_graph(bench, server, peer):
    words = publisher(bench, String, '/words')
    bench.until(lambda: server.get_publishers_info_by_topic('/words'))
    peer.subscribe('/words')
    bench.until(words.get_subscription_count)
    words.publish(String(data='typed'))
    assert peer.receive()['msg'] == {'data': 'typed'}


def test_a_topic_that_nobody_knows_needs_a_type(peer):
    peer.send(op='subscribe', topic='/nobody', id=7)
    status = peer.receive()
    assert (status['level'], status['id']) == ('error', 7)
    assert 'Cannot infer topic type for topic /nobody' in status['msg']


@pytest.mark.parametrize('kind', ['std_msgs/msg/Nothing', 'nowhere/msg/String', 'String', 'std_msgs/../os', ''])
def test_an_unknown_type_is_refused(peer, kind):
    peer.send(op='subscribe', topic='/words', type=kind)
    assert peer.receive()['level'] == 'error'


def test_another_type_than_that_of_the_topic_is_refused(bench, server, peer):
    publisher(bench, String, '/words')
    bench.until(lambda: server.get_publishers_info_by_topic('/words'))
    peer.send(op='subscribe', topic='/words', type='std_msgs/Int32')
    assert 'already established with type std_msgs/msg/String' in peer.receive()['msg']


def test_late_subscribers_get_the_latched_message_of_every_publisher(bench, server):
    first, second = (publisher(bench, String, '/state', LATCHED) for _ in range(2))
    first.publish(String(data='a'))
    second.publish(String(data='b'))
    bench.until(lambda: len(server.get_publishers_info_by_topic('/state')) == 2)
    for _ in range(3):
        late = bench.peer(server)
        late.send(op='subscribe', topic='/state', type='std_msgs/String')
        assert sorted(late.receive()['msg']['data'] for _ in range(2)) == ['a', 'b']


def test_a_latched_publisher_that_comes_later_is_heard_from_its_first_message(bench, peer):
    peer.subscribe('/state', type='std_msgs/String')
    publisher(bench, String, '/state', LATCHED).publish(String(data='first'))
    assert peer.receive()['msg']['data'] == 'first'


def test_a_best_effort_publisher_is_heard_whether_it_comes_first_or_later(bench, server, peer):
    peer.subscribe('/later', type='std_msgs/Int32')
    later = publisher(bench, Int32, '/later', BEST_EFFORT, subscribers=1)
    earlier = publisher(bench, Int32, '/earlier', BEST_EFFORT)
    bench.until(lambda: server.get_publishers_info_by_topic('/earlier'))
    peer.subscribe('/earlier')
    bench.until(earlier.get_subscription_count)
    for made, value in ((later, 1), (earlier, 2)):
        made.publish(Int32(data=value))
        assert peer.receive()['msg']['data'] == value


def test_bytes_come_as_base64_and_what_is_no_number_as_null(bench, peer):
    peer.subscribe('/image', type='sensor_msgs/CompressedImage')
    peer.subscribe('/value', type='std_msgs/Float32')
    publisher(bench, CompressedImage, '/image', subscribers=1).publish(CompressedImage(data=b'\xff\xd8\x00'))
    assert base64.b64decode(peer.receive()['msg']['data']) == b'\xff\xd8\x00'
    publisher(bench, Float32, '/value', subscribers=1).publish(Float32(data=float('nan')))
    assert peer.receive()['msg'] == {'data': None}


def test_unsubscribing_ends_the_nodes_subscription_with_the_last_id(bench, peer):
    words = publisher(bench, String, '/words')
    for identity in ('a', 'b'):
        peer.subscribe('/words', type='std_msgs/String', id=identity)
    bench.until(lambda: words.get_subscription_count() == 1)
    peer.send(op='unsubscribe', topic='/words', id='a')
    words.publish(String(data='still'))
    assert peer.receive()['msg']['data'] == 'still'
    peer.send(op='unsubscribe', topic='/words', id='b')
    bench.until(lambda: words.get_subscription_count() == 0)
    peer.send(op='set_level', level='warning')
    peer.send(op='unsubscribe', topic='/words')
    assert peer.receive()['level'] == 'warning'


def test_two_clients_share_one_subscription_and_a_client_that_goes_ends_its_own(bench, server):
    words = publisher(bench, String, '/words')
    peers = [bench.peer(server) for _ in range(2)]
    for peer in peers:
        peer.subscribe('/words', type='std_msgs/String')
    bench.until(lambda: words.get_subscription_count() == 1)
    words.publish(String(data='both'))
    assert [peer.receive()['msg']['data'] for peer in peers] == ['both', 'both']
    for peer in peers:
        peer.run(peer.socket.close())
    bench.until(lambda: words.get_subscription_count() == 0)


def test_a_throttled_client_gets_the_newest_message_when_its_time_comes(bench, peer):
    peer.subscribe('/count', type='std_msgs/Int32', throttle_rate=300, queue_length=1)
    count = publisher(bench, Int32, '/count', subscribers=1)
    for number in range(20):
        count.publish(Int32(data=number))
        if number == 0:
            assert peer.receive()['msg']['data'] == 0
    assert peer.receive()['msg']['data'] == 19
    assert peer.nothing()


def test_a_throttled_client_without_a_queue_loses_what_comes_too_early(bench, peer):
    peer.subscribe('/count', type='std_msgs/Int32', throttle_rate=100_000)
    count = publisher(bench, Int32, '/count', subscribers=1)
    for number in range(5):
        count.publish(Int32(data=number))
    assert peer.receive()['msg']['data'] == 0
    assert peer.nothing()


def test_a_client_publishes_what_it_advertised(bench, peer):
    received = []
    bench.node.create_subscription(JointState, '/joints', received.append, 10)
    peer.send(op='advertise', topic='/joints', type='sensor_msgs/JointState')
    peer.send(op='publish', topic='/joints', msg={'name': ['elbow'], 'position': [1, 2.5]})
    message = bench.until(lambda: received)[0]
    assert (list(message.name), list(message.position)) == (['elbow'], [1.0, 2.5])
    assert message.header.stamp.sec > 0


def test_a_latched_publication_of_a_client_waits_for_late_nodes(bench, peer):
    peer.send(op='advertise', topic='/words', type='std_msgs/String', latch=True)
    peer.send(op='publish', topic='/words', msg={'data': 'kept'})
    received = []
    bench.node.create_subscription(String, '/words', received.append, LATCHED)
    assert bench.until(lambda: received)[0].data == 'kept'


def test_a_publication_that_does_not_fit_names_the_field(peer):
    peer.send(op='advertise', topic='/joints', type='sensor_msgs/JointState')
    peer.send(op='publish', topic='/joints', msg={'position': [1.0, 'two']}, id='p')
    status = peer.receive()
    assert status['id'] == 'p'
    assert status['msg'] == "publish: field 'position[1]': expected a number, got 'two'"
    peer.send(op='publish', topic='/joints', msg={'positions': []})
    assert "has no field 'positions'" in peer.receive()['msg']


def test_publishing_on_a_topic_that_nobody_knows_is_refused(peer):
    peer.send(op='publish', topic='/nobody', msg={})
    assert 'Cannot infer topic type' in peer.receive()['msg']


def test_an_unused_publisher_goes_after_the_timeout(bench):
    server = bench.serve(unregister_timeout=0.05)
    peer = bench.peer(server)
    peer.send(op='advertise', topic='/words', type='std_msgs/String')
    bench.until(lambda: bench.node.get_publishers_info_by_topic('/words'))
    peer.send(op='unadvertise', topic='/words')
    bench.until(lambda: not bench.node.get_publishers_info_by_topic('/words'))
    peer.send(op='set_level', level='warning')
    peer.send(op='unadvertise', topic='/words')
    assert peer.receive()['level'] == 'warning'


def test_the_number_of_clients_is_latched(bench, server):
    counts = []
    bench.node.create_subscription(Int32, '/client_count', lambda message: counts.append(message.data), LATCHED)
    peer = bench.peer(server)
    bench.until(lambda: counts and counts[-1] == 1)
    peer.run(peer.socket.close())
    bench.until(lambda: counts[-1] == 0)
