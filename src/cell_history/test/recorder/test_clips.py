"""A clip holds the seconds before and after its cause; causes within it extend it."""

from __future__ import annotations

import json

from cell_common.time import NS_PER_S
from cell_history.recorder.clips import Cause, Clip, ClipBuffer, ClipMessage, to_line


def message(second: float, size: int = 1) -> ClipMessage:
    return ClipMessage(round(second * NS_PER_S), '/cell/x', 'std_msgs/msg/String', bytes(size))


def cause(second: float) -> Cause:
    return Cause('reject', round(second * NS_PER_S), 'piece 7 rejected', 'job', 7)


def seconds_of(clip: Clip | None) -> list[float]:
    assert clip is not None
    return [item.time_ns / NS_PER_S for item in clip.messages]


def test_a_clip_begins_before_its_cause_and_ends_after_it():
    buffer = ClipBuffer(10.0, 5.0, 1000)
    for second in range(30):
        if second == 20:
            buffer.cut(cause(20))
        buffer.add(message(second))
    assert seconds_of(buffer.finished(26 * NS_PER_S)) == list(range(10, 26))
    assert buffer.finished(99 * NS_PER_S) is None


def test_a_clip_is_not_finished_before_its_last_moment():
    buffer = ClipBuffer(10.0, 5.0, 1000)
    buffer.cut(cause(20))
    assert buffer.finished(25 * NS_PER_S) is None


def test_a_further_cause_extends_the_clip_up_to_its_longest():
    buffer = ClipBuffer(10.0, 5.0, 1000, longest_s=30.0)
    for second in (20, 24, 28, 32, 36):
        buffer.cut(cause(second))
    clip = buffer.finished(41 * NS_PER_S)
    assert clip is not None and (clip.start_ns, clip.stop_ns) == (10 * NS_PER_S, 40 * NS_PER_S)
    assert len(clip.causes) == 5


def test_a_cause_after_a_clip_that_was_not_collected_yet_begins_the_next_one():
    buffer = ClipBuffer(10.0, 5.0, 1000)
    buffer.cut(cause(20))
    for second in range(10, 40):
        buffer.add(message(second))
        if second == 26:
            buffer.cut(cause(26))
    assert seconds_of(buffer.finished(40 * NS_PER_S)) == list(range(10, 26))
    assert seconds_of(buffer.finished(40 * NS_PER_S)) == list(range(16, 32))
    assert buffer.finished(99 * NS_PER_S) is None


def test_memory_is_limited():
    buffer = ClipBuffer(10.0, 5.0, 100)
    for second in range(20):
        buffer.add(message(second, size=30))
    buffer.cut(cause(19))
    assert seconds_of(buffer.finished(99 * NS_PER_S)) == [17, 18, 19]


def test_the_index_leads_from_job_and_piece_to_the_clip():
    line = json.loads(to_line('c1', Clip(1, 2, [cause(1)])))
    assert line['clip'] == 'c1' and (line['causes'][0]['job_id'], line['causes'][0]['piece']) == ('job', 7)
