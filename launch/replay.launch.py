"""Replay a recording: what was decided is decided again, and shown on a page of its own.

    ros2 launch cell_bringup replay.launch.py bag:=run1
    ros2 launch cell_bringup replay.launch.py bag:=run1 rate:=10 loop:=true

The replay is sealed. It has a ROS domain, a state folder and ports of its own, opens no device, delivers nothing, and reads and
writes nothing of a live cell on this machine. The page says that it shows a replay.
"""

import os

from launch.actions import DeclareLaunchArgument, EmitEvent, GroupAction, RegisterEventHandler, SetEnvironmentVariable
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

BOOLEAN = ['true', 'false']
DOMAINS = 100
"""Domains above 101 share ports with ordinary programs on Linux."""
AWAY = 50
"""Distance of the replay's domain from that of a cell in this shell."""


def other_domain() -> str:
    """Return a ROS domain that a cell started from this shell does not use."""
    return str((int(os.environ.get('ROS_DOMAIN_ID') or 0) + AWAY) % DOMAINS)


def text(name: str) -> ParameterValue:
    """Pass a launch argument as a string parameter."""
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def typed(name: str, kind: type) -> ParameterValue:
    """Pass a launch argument as a parameter of a type."""
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def generate_launch_description() -> LaunchDescription:
    """Describe the replay: the node that plays and decides, the page, and the end."""
    replay = Node(
        package='cell_history',
        executable='replay',
        name='replay',
        output='screen',
        parameters=[
            {
                'bag': text('bag'),
                'rate': typed('rate', float),
                'start': typed('start', float),
                'loop': typed('loop', bool),
                'state_dir': text('state_dir'),
                'keep': typed('keep', bool),
                'catalogue_file': text('catalogue_file'),
                'engine': text('engine'),
                'exit_at_end': typed('exit_at_end', bool),
            }
        ],
    )
    page = [
        Node(
            package='rosbridge_server',
            executable='rosbridge_websocket',
            name='rosbridge_websocket',
            output='screen',
            parameters=[{'port': typed('rosbridge_port', int), 'address': '127.0.0.1'}],
        ),
        Node(
            package='cell_web',
            executable='web_gateway',
            name='web_gateway',
            output='screen',
            # Without a database and without the API that takes bags.
            parameters=[
                {
                    'port': typed('web_port', int),
                    'rosbridge_port': typed('rosbridge_port', int),
                    'bridge_check_node': 'replay',
                }
            ],
        ),
    ]
    end = RegisterEventHandler(
        OnProcessExit(target_action=replay, on_exit=[EmitEvent(event=Shutdown(reason='the replay has ended'))])
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument('bag', description='Folder of the recording.'),
            DeclareLaunchArgument('rate', default_value='1.0', description='Speed; 1.0 = as recorded.'),
            DeclareLaunchArgument('start', default_value='0.0', description='Seconds at the beginning that are not shown.'),
            DeclareLaunchArgument('loop', default_value='false', choices=BOOLEAN, description='Begin again at the end.'),
            DeclareLaunchArgument(
                'state_dir', default_value='', description='Folder of its database and decisions; "" = a temporary one.'
            ),
            DeclareLaunchArgument('keep', default_value='false', choices=BOOLEAN, description='Keep that folder.'),
            DeclareLaunchArgument('catalogue_file', default_value='', description='Another catalogue; "" = the recorded one.'),
            DeclareLaunchArgument('engine', default_value='', description='Another OCR engine; "" = the recorded one.'),
            DeclareLaunchArgument(
                'exit_at_end', default_value='false', choices=BOOLEAN, description='Shut down when the recording has ended.'
            ),
            DeclareLaunchArgument('namespace', default_value='cell', description='Namespace of the replay.'),
            DeclareLaunchArgument(
                'domain',
                default_value=other_domain(),
                description='ROS domain; by default not that of this shell.',
            ),
            DeclareLaunchArgument('rosbridge_port', default_value='9190', description='TCP port of rosbridge, loopback only.'),
            DeclareLaunchArgument('web_port', default_value='8180', description='TCP port of the page.'),
            SetEnvironmentVariable('ROS_DOMAIN_ID', LaunchConfiguration('domain')),
            SetEnvironmentVariable('PYTHONUNBUFFERED', '1'),
            GroupAction([PushRosNamespace(LaunchConfiguration('namespace')), replay, *page]),
            end,
        ]
    )
