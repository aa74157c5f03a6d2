"""What waits for a client."""

from rosbridge_server.outbox import MUCH_MESSAGES, STALE_S, UNLIMITED_QUEUE, Lane, Outbox


def taken(outbox, now_s=0.0):
    return list(iter(lambda: outbox.take(now_s), None))


def test_a_full_lane_forgets_its_oldest():
    outbox, lane = Outbox(1000), Lane(queue_length=2)
    for payload in (b'1', b'22', b'333'):
        outbox.put(lane, payload, 0.0)
    assert (outbox.size, outbox.dropped) == (5, 1)
    assert taken(outbox) == [b'22', b'333']
    assert outbox.size == 0


def test_a_lane_without_a_length_is_bounded_too():
    outbox, lane = Outbox(10**9), Lane()
    for _ in range(UNLIMITED_QUEUE + 5):
        outbox.put(lane, b'x', 0.0)
    assert (outbox.size, outbox.dropped) == (UNLIMITED_QUEUE, 5)


def test_a_lane_that_is_behind_forgets_what_has_become_old():
    outbox, lane = Outbox(10**9), Lane()
    for _ in range(MUCH_MESSAGES + 10):
        outbox.put(lane, b'old', 0.0)
    outbox.put(lane, b'new', STALE_S)
    assert outbox.take(2 * STALE_S)
    assert lane.dropped == 11  # the rest is few, and stays
    assert len(taken(outbox)) == MUCH_MESSAGES - 1 and outbox.size == lane.size == 0


def test_big_messages_that_have_become_old_go_down_to_the_newest():
    outbox, lane = Outbox(10**9), Lane()
    for number in b'123':
        outbox.put(lane, bytes([number]) * 600_000, 0.0)
    assert [payload[:1] for payload in iter(lambda: outbox.take(1.0), None)] == [b'3']
    assert lane.dropped == 2


def test_few_messages_stay_however_old_and_a_length_is_kept():
    outbox, few, asked = Outbox(10**9), Lane(), Lane(queue_length=200)
    for _ in range(MUCH_MESSAGES):
        outbox.put(few, b'x', 0.0)
    for _ in range(200):
        outbox.put(asked, b'x', 0.0)
    assert len(list(iter(lambda: outbox.take(60.0), None))) == MUCH_MESSAGES + 200
    assert few.dropped == asked.dropped == 0


def test_lanes_take_turns_and_answers_are_never_forgotten():
    outbox, camera, job = Outbox(1000), Lane(), Lane()
    for number in b'123':
        outbox.put(camera, bytes([number]), 0.0)
    outbox.put(job, b'job', 0.0)
    outbox.answer(b'answer', 0.0)
    assert taken(outbox) == [b'1', b'job', b'answer', b'2', b'3']


def test_the_limit_counts_bytes_of_all_lanes():
    outbox = Outbox(10)
    outbox.put(Lane(), b'x' * 6, 0.0)
    assert not outbox.full
    outbox.answer(b'x' * 5, 0.0)
    assert outbox.full
    taken(outbox)
    assert not outbox.full


def test_a_throttled_lane_waits_for_its_time_and_then_sends_the_newest():
    outbox, lane = Outbox(1000), Lane(queue_length=1, interval_s=1.0)
    outbox.put(lane, b'1', 10.0)
    assert outbox.take(10.0) == b'1'
    outbox.put(lane, b'2', 10.1)
    outbox.put(lane, b'3', 10.2)
    assert outbox.take(10.5) is None
    assert outbox.next_due() == 11.0
    assert outbox.take(11.0) == b'3'
    assert outbox.next_due() is None


def test_a_throttled_lane_without_a_queue_wants_nothing_before_its_time():
    outbox, lane = Outbox(1000), Lane(interval_s=1.0)
    assert lane.wants(10.0)
    outbox.put(lane, b'1', 10.0)
    assert not lane.wants(10.0)
    outbox.take(10.0)
    assert not lane.wants(10.9)
    assert lane.wants(11.0)


def test_a_lane_that_is_forgotten_sends_nothing():
    outbox, lane = Outbox(1000), Lane()
    outbox.put(lane, b'123', 0.0)
    outbox.forget(lane)
    assert (outbox.size, outbox.take(0.0)) == (0, None)
