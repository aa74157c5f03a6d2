"""Replay a bag through the decision nodes: device nodes are off, time comes from the bag.

    ros2 launch cell_bringup replay.launch.py bag:=run1

The bag holds what the devices' nodes published: camera frames and scale readings. OCR, matcher and weigh station work on it as
they did live, in the same namespace.
"""

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    RegisterEventHandler,
    TimerAction,
)
from launch.conditions import IfCondition
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Describe the replay: the cell without devices, the player, and the end."""
    cell = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution([FindPackageShare('cell_bringup'), 'launch', 'cell.launch.py'])),
        launch_arguments={'devices': 'false', 'simulation': 'false', 'use_sim_time': 'true'}.items(),
    )
    player = ExecuteProcess(
        cmd=[
            'ros2',
            'bag',
            'play',
            LaunchConfiguration('bag'),
            '--clock',
            '100',
            '--delay',
            '5.0',  # discovery of the player takes some seconds on a loaded machine
            '--rate',
            LaunchConfiguration('rate'),
        ],
        name='bag_player',
        output='screen',
    )
    end = RegisterEventHandler(
        OnProcessExit(
            target_action=player,
            # The nodes still work on the last messages when the player has ended.
            on_exit=[TimerAction(period=3.0, actions=[EmitEvent(event=Shutdown(reason='the bag has ended'))])],
        ),
        condition=IfCondition(LaunchConfiguration('exit_at_end')),
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument('bag', description='Folder of the bag (MCAP or sqlite3).'),
            DeclareLaunchArgument('rate', default_value='1.0', description='Playback rate; 1.0 = as recorded.'),
            DeclareLaunchArgument('start_after', default_value='5.0', description='Delay before the bag starts, seconds.'),
            DeclareLaunchArgument(
                'exit_at_end', default_value='false', choices=['true', 'false'], description='Shut down when the bag has ended.'
            ),
            cell,
            TimerAction(period=LaunchConfiguration('start_after'), actions=[player]),
            end,
        ]
    )
