"""Messages as plain values, and interface classes by name."""

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rosidl_runtime_py import get_interface_path, message_to_csv, message_to_ordereddict, message_to_yaml, set_message_fields
from rosidl_runtime_py.utilities import get_message, get_service
from sensor_msgs.msg import CameraInfo, CompressedImage, JointState
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool


def test_interfaces_are_found_by_name():
    assert get_message('std_msgs/msg/String') is String
    assert get_service('std_srvs/srv/SetBool') is SetBool


@pytest.mark.parametrize(
    ('name', 'problem'),
    [
        ('String', ValueError),
        ('std_msgs/String', ValueError),
        ('a//b', ValueError),
        ('../x/y', ValueError),
        ('nowhere/msg/String', ImportError),
        ('std_msgs/msg/Nothing', AttributeError),
        ('std_srvs/srv/SetBool', ValueError),
    ],
)
def test_what_is_no_message_is_refused(name, problem):
    with pytest.raises(problem):
        get_message(name)


def test_a_message_becomes_plain_values_and_yaml():
    message = JointState(name=['a'], position=[1.5])
    message.header.frame_id = 'base'
    values = message_to_ordereddict(message)
    assert values['header']['frame_id'] == 'base'
    assert values['position'] == [1.5]
    assert yaml.safe_load(message_to_yaml(message)) == {
        'header': {'stamp': {'sec': 0, 'nanosec': 0}, 'frame_id': 'base'},
        'name': ['a'],
        'position': [1.5],
        'velocity': [],
        'effort': [],
    }
    assert message_to_csv(message) == '0,0,base,a,1.5'


def test_long_values_are_cut_or_left_out():
    message = CompressedImage(format='jpeg' * 10, data=bytes(100))
    assert message_to_ordereddict(message, truncate_length=3)['data'] == [0, 0, 0, '...']
    assert message_to_ordereddict(message, truncate_length=3)['format'] == 'jpe...'
    assert message_to_ordereddict(message, no_arr=True)['data'] == '<sequence type: uint8, length: 100>'
    assert message_to_ordereddict(message, no_str=True)['format'] == '<string length: <40>>'


def test_fields_are_set_from_nested_values():
    message = DiagnosticArray()
    set_message_fields(message, {'status': [{'level': 2, 'name': 'camera', 'values': [{'key': 'fps', 'value': '30'}]}]})
    assert message.status[0].level == DiagnosticStatus.ERROR
    assert message.status[0].values[0].key == 'fps'
    camera = CameraInfo()
    set_message_fields(camera, {'k': [1] * 9, 'd': [0.5], 'roi': {'height': 3}})
    assert (list(camera.k), list(camera.d), camera.roi.height) == ([1.0] * 9, [0.5], 3)
    flag = Bool()
    set_message_fields(flag, {'data': 'false'})
    assert flag.data is False


def test_stamps_for_now_and_auto_are_returned():
    message = PoseStamped()
    assert set_message_fields(message, {'header': 'auto'}, expand_header_auto=True) == [message.header.stamp]
    assert set_message_fields(message, {'header': {'stamp': 'now'}}, expand_time_now=True) == [message.header.stamp]


@pytest.mark.parametrize(
    ('values', 'problem'),
    [
        ({'nope': 1}, AttributeError),
        ('x', TypeError),
        ({'header': 'auto'}, TypeError),
        ({'pose': {'position': {'x': 'far'}}}, ValueError),
    ],
)
def test_what_does_not_fit_is_refused(values, problem):
    with pytest.raises(problem):
        set_message_fields(PoseStamped(), values)


def test_flow_style_puts_lists_of_values_on_one_line():
    message = JointState(name=['a', 'b'], position=[1.0])
    assert message_to_yaml(message, flow_style=True).endswith('name: [a, b]\nposition: [1.0]\nvelocity: []\neffort: []\n')
    assert 'name:\n- a\n- b\n' in message_to_yaml(message)


def test_arrays_are_abbreviated_by_type_and_length():
    values = message_to_ordereddict(CameraInfo(), no_arr=True)
    assert (values['d'], values['k']) == ('<sequence type: double, length: 0>', '<array type: double[9]>')


def test_definition_files_are_found():
    assert get_interface_path('std_msgs/msg/String').endswith('/share/std_msgs/msg/String.msg')
    assert get_interface_path('std_msgs/msg/String.idl').endswith('/share/std_msgs/msg/String.idl')


@pytest.mark.parametrize(
    ('name', 'error'),
    [('String', ValueError), ('std_msgs//String', ValueError), ('std_msgs/msg/Nothing', LookupError), ('x/msg/Y', LookupError)],
)
def test_an_unknown_definition_is_refused(name, error):
    with pytest.raises(error):
        get_interface_path(name)
