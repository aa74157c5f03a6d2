"""JSON values to messages and back."""

import json
import math

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from hypothesis import given
from hypothesis import strategies as st
from rcl_interfaces.msg import ParameterEvent, ParameterValue
from rosbridge_server.message_conversion import FieldError, from_json, to_json
from sensor_msgs.msg import CameraInfo, CompressedImage, JointState
from std_msgs.msg import ByteMultiArray, Float32, Float64, Header, Int8, Int64, String, UInt64
from unique_identifier_msgs.msg import UUID

NOW = Time(sec=12, nanosec=34)


def now():
    return NOW


def read(kind, values):
    return from_json(kind, values, now)


def round_trip(message):
    return read(type(message), json.loads(json.dumps(to_json(message), allow_nan=False)))


@pytest.mark.parametrize(
    'message',
    [
        CameraInfo(height=2, width=3, distortion_model='plumb_bob', d=[0.1, -0.2], k=[float(number) for number in range(9)]),
        CompressedImage(format='jpeg', data=bytes(range(256))),
        DiagnosticArray(status=[DiagnosticStatus(level=b'\x02', name='camera', values=[KeyValue(key='a', value='ü')])]),
        JointState(name=['a', 'b'], position=[1.5, -2.0]),
        UUID(uuid=range(16)),
        ParameterValue(
            type=3, byte_array_value=[b'\x01', b'\xff'], bool_array_value=[True, False], integer_array_value=[-1, 2]
        ),
        ByteMultiArray(data=[b'\x00', b'\x7f']),
        ParameterEvent(node='/x'),
        PoseStamped(),
    ],
)
def test_a_message_survives_the_way_there_and_back(message):
    assert round_trip(message) == message


@given(st.floats(width=64))
def test_a_number_survives_and_what_json_cannot_carry_is_null(number):
    values = to_json(Float64(data=number))
    assert values == {'data': number if math.isfinite(number) else None}
    returned = read(Float64, values).data
    assert returned == number or (not math.isfinite(number) and math.isnan(returned))


@given(st.text(alphabet=st.characters(exclude_categories=['Cs'])))
def test_any_text_survives(text):
    assert round_trip(String(data=text)).data == text


def test_lists_of_numbers_carry_null_for_what_is_no_number():
    values = to_json(JointState(position=[1.0, math.inf, math.nan]))
    assert values['position'] == [1.0, None, None]
    assert math.isnan(read(JointState, values).position[2])
    assert to_json(JointState(position=[1e308, 1e308]))['position'] == [1e308, 1e308]


@pytest.mark.parametrize(
    ('kind', 'values', 'text'),
    [
        (Int8, {'data': 128}, "field 'data': expected an integer from -128 to 127, got 128"),
        (Int8, {'data': 1.0}, 'an integer'),
        (Int8, {'data': True}, 'an integer'),
        (UInt64, {'data': -1}, 'an integer from 0'),
        (Int64, {'data': 2**63}, 'an integer'),
        (Float32, {'data': 1e39}, 'a number up to'),
        (Float32, {'data': '1'}, 'a number'),
        (String, {'data': 5}, "field 'data': expected a string, got 5"),
        (String, {'data': '\ud800'}, 'surrogates'),
        (String, {'date': ''}, "std_msgs/msg/String has no field 'date'"),
        (String, [], None),
        (String, ['a', 'b'], '2 values'),
        (String, 'text', 'an object of std_msgs/msg/String'),
        (JointState, {'position': 5}, 'a list'),
        (JointState, {'position': [1, True]}, "field 'position[1]': expected a number"),
        (JointState, {'name': ['a', 1]}, "field 'name[1]': expected a string"),
        (JointState, {'header': {'stamp': {'sec': 'x'}}}, "field 'header.stamp.sec'"),
        (JointState, {'header': {'stamp': {'s': 1}}}, "no field 's' (in 'header.stamp')"),
        (JointState, {'header': None}, 'an object'),
        (CompressedImage, {'data': 'no base64!'}, 'base64'),
        (CompressedImage, {'data': [1, 256]}, "field 'data[1]'"),
        (CameraInfo, {'k': [1.0]}, 'expected exactly 9 values, got 1'),
        (DiagnosticArray, {'status': [{'values': [{'key': 1}]}]}, "field 'status[0].values[0].key'"),
        (DiagnosticStatus, {'level': 300}, 'an integer from 0 to 255'),
        (PoseStamped, {'pose': {'position': {'x': []}}}, "field 'pose.position.x'"),
    ],
)
def test_what_does_not_fit_names_the_field(kind, values, text):
    if text is None:
        assert read(kind, values) == kind()
        return
    with pytest.raises(FieldError) as caught:
        read(kind, values)
    assert text in str(caught.value)


def test_bytes_may_be_a_list_and_numbers_may_be_whole():
    assert bytes(read(CompressedImage, {'data': [1, 2]}).data) == b'\x01\x02'
    assert list(read(JointState, {'position': [1, 2]}).position) == [1.0, 2.0]
    assert read(Float32, {'data': 2}).data == 2.0


def test_a_stamp_that_was_not_given_is_now_and_one_that_was_is_kept():
    assert read(JointState, {}).header.stamp == NOW
    assert read(JointState, {'header': {'frame_id': 'a'}}).header == Header(frame_id='a', stamp=NOW)
    assert read(JointState, {'header': {'stamp': 'now'}}).header.stamp == NOW
    for names in (('sec', 'nanosec'), ('secs', 'nsecs')):
        assert read(Header, {'stamp': dict(zip(names, (1, 2), strict=True))}).stamp == Time(sec=1, nanosec=2)
