import struct

import pytest
from builtin_interfaces.msg import Time
from cell_weighing.bridge.cdr import encode_reading, encode_scale_list
from cell_weighing.bridge.scale_registry import ScaleEntry
from cell_weighing.domain.reading import ReadingStatus, Stability, WeightMode, WeightReading, printable
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message

from cell_interfaces.msg import ScaleList, ScaleReading, ScaleState

TEXT = st.text(st.characters(codec='utf-8', exclude_characters='\0'), max_size=20)
READINGS = st.builds(
    WeightReading,
    TEXT,
    TEXT,
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**60),
    st.just(0),
    st.binary(max_size=40),
    st.sampled_from(ReadingStatus),
    TEXT,
    TEXT,
    st.sampled_from(Stability),
    st.sampled_from(WeightMode),
    TEXT,
    TEXT,
)


def time_of(nanoseconds):
    return Time(sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)


def message_of(r):
    return ScaleReading(
        reading_id=r.reading_id,
        scale_id=r.scale_id,
        sequence=r.sequence,
        received_at=time_of(r.received_ns),
        raw=printable(r.raw),
        status=int(r.status),
        weight=r.weight,
        unit=r.unit,
        stability=int(r.stability),
        mode=int(r.mode),
        tare=r.tare,
        message=r.message,
    )


@settings(max_examples=500, deadline=None)
@given(READINGS)
def test_the_bytes_are_the_message(reading):
    assert deserialize_message(encode_reading(reading), ScaleReading) == message_of(reading)


ENTRIES = st.builds(
    ScaleEntry, TEXT, TEXT, st.integers(0, 2**60), st.integers(0, 2**63), st.integers(0, 2**63), st.just(0), TEXT, TEXT
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ENTRIES, max_size=5))
def test_the_bytes_of_a_list_are_its_message(entries):
    states = [
        ScaleState(
            scale_id=e.scale_id,
            peer=e.peer,
            connected=bool(e.peer),
            last_heard=time_of(e.last_received_ns),
            readings=e.readings,
            malformed=e.malformed,
            last_weight=e.last_weight,
            last_unit=e.last_unit,
        )
        for e in entries
    ]
    assert deserialize_message(encode_scale_list(5 * 10**9 + 7, 10001, entries), ScaleList) == ScaleList(
        stamp=Time(sec=5, nanosec=7), port=10001, scales=states
    )


def test_every_field_of_the_message_is_in_the_bytes_in_its_order():
    assert list(ScaleReading.get_fields_and_field_types().items()) == [
        ('reading_id', 'string'),
        ('scale_id', 'string'),
        ('sequence', 'uint64'),
        ('received_at', 'builtin_interfaces/Time'),
        ('raw', 'string'),
        ('status', 'uint8'),
        ('weight', 'string'),
        ('unit', 'string'),
        ('stability', 'uint8'),
        ('mode', 'uint8'),
        ('tare', 'string'),
        ('message', 'string'),
    ]
    assert list(ScaleList.get_fields_and_field_types().items()) == [
        ('stamp', 'builtin_interfaces/Time'),
        ('port', 'uint16'),
        ('scales', 'sequence<cell_interfaces/ScaleState>'),
    ]
    assert list(ScaleState.get_fields_and_field_types().items()) == [
        ('scale_id', 'string'),
        ('peer', 'string'),
        ('connected', 'boolean'),
        ('last_heard', 'builtin_interfaces/Time'),
        ('readings', 'uint64'),
        ('malformed', 'uint64'),
        ('last_weight', 'string'),
        ('format', 'string'),
        ('needs_silence', 'boolean'),
        ('last_unit', 'string'),
    ]


def test_a_number_that_does_not_fit_is_refused():
    reading = WeightReading('id', '3', -1, 0, 0, b'', ReadingStatus.VALID)
    with pytest.raises(struct.error):
        encode_reading(reading)
