import struct

import pytest
from builtin_interfaces.msg import Time
from cell_weighing.cdr import serialised
from cell_weighing.reading import Mode, Reading, Stability, Status, shown
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message

from cell_interfaces.msg import ScaleReading

TEXT = st.text(st.characters(codec='utf-8', exclude_characters='\0'), max_size=20)
READINGS = st.builds(
    Reading, TEXT, TEXT, st.integers(0, 2**63 - 1), st.integers(0, 2**60), st.just(0), st.binary(max_size=40),
    st.sampled_from(Status), TEXT, TEXT, st.sampled_from(Stability), st.sampled_from(Mode), TEXT, TEXT)


def message_of(r):
    seconds, nanoseconds = divmod(r.received_ns, 10**9)
    return ScaleReading(
        reading_id=r.reading_id, scale_id=r.scale_id, sequence=r.sequence, received_at=Time(sec=seconds, nanosec=nanoseconds),
        raw=shown(r.raw), status=int(r.status), weight=r.weight, unit=r.unit, stability=int(r.stability), mode=int(r.mode),
        tare=r.tare, message=r.message)


@settings(max_examples=500, deadline=None)
@given(READINGS)
def test_the_bytes_are_the_message(reading):
    assert deserialize_message(serialised(reading), ScaleReading) == message_of(reading)


def test_every_field_of_the_message_is_in_the_bytes_in_its_order():
    assert list(ScaleReading.get_fields_and_field_types().items()) == [
        ('reading_id', 'string'), ('scale_id', 'string'), ('sequence', 'uint64'), ('received_at', 'builtin_interfaces/Time'),
        ('raw', 'string'), ('status', 'uint8'), ('weight', 'string'), ('unit', 'string'), ('stability', 'uint8'),
        ('mode', 'uint8'), ('tare', 'string'), ('message', 'string')]


def test_a_number_that_does_not_fit_is_refused():
    reading = Reading('id', '3', -1, 0, 0, b'', Status.VALID)
    with pytest.raises(struct.error):
        serialised(reading)
