"""ros2 interface."""

import pytest


def test_a_message_is_shown_with_its_nested_messages(ros2):
    _, out = ros2('interface', 'show', 'geometry_msgs/msg/PoseStamped')
    assert out == (
        '# A Pose with reference coordinate frame and timestamp\n\n'
        'std_msgs/Header header\n\tbuiltin_interfaces/Time stamp\n\t\tint32 sec\n\t\tuint32 nanosec\n\tstring frame_id\n'
        'Pose pose\n\tPoint position\n\t\tfloat64 x\n\t\tfloat64 y\n\t\tfloat64 z\n'
        '\tQuaternion orientation\n\t\tfloat64 x 0\n\t\tfloat64 y 0\n\t\tfloat64 z 0\n\t\tfloat64 w 1\n'
    )


def test_a_service_is_shown_with_its_separator(ros2):
    _, out = ros2('interface', 'show', 'std_srvs/srv/SetBool', '--no-comments')
    assert out == 'bool data #\n---\nbool success   #\nstring message #\n', 'upstream leaves the hash, too'


def test_comments_of_nested_messages_are_shown_on_request(ros2):
    assert '\t# This expresses a transform' not in ros2('interface', 'show', 'tf2_msgs/msg/TFMessage')[1]
    assert '\t# This expresses a transform' in ros2('interface', 'show', '--all-comments', 'tf2_msgs/msg/TFMessage')[1]


@pytest.mark.parametrize(
    ('name', 'error'),
    [
        ('String', "Invalid name 'String'. Expected three parts separated by '/'"),
        ('nowhere/msg/String', "Unknown package 'nowhere'"),
        ('std_msgs/msg/Nothing', "Could not find the interface '"),
        ('std_msgs//String', "Invalid name 'std_msgs//String'. Must not contain empty parts"),
    ],
)
def test_an_interface_that_is_not_installed_is_refused(ros2, name, error):
    code, out = ros2('interface', 'show', name)
    assert str(code).startswith(error)
    assert not out
