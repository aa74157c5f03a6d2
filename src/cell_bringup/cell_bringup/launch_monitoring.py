"""Part of cell.launch.py: arguments of recording and monitoring, and the programs that show the cell."""

from __future__ import annotations

from launch.actions import DeclareLaunchArgument, LogInfo
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from cell_bringup.views import ViewFile
from launch import Substitution

__all__ = ['MONITORING_ARGUMENTS', 'viewers']

CONFIG = PathJoinSubstitution([FindPackageShare('cell_bringup'), 'config'])
BOOLEAN = ['true', 'false']
MONITORING_ARGUMENTS = [
    DeclareLaunchArgument(
        'record', default_value='false', choices=BOOLEAN, description='Record the cell into the folder recordings of state_dir.'
    ),
    DeclareLaunchArgument(
        'record_what',
        default_value='decisions',
        choices=['decisions', 'vision', 'everything'],
        description='What is recorded; vision = with the pictures, so that they can be read again.',
    ),
    DeclareLaunchArgument(
        'frame_prefix',
        default_value='',
        description='Prefix of all frames with a "/" at its end, e.g. cell2/, so that cells share a TF tree; "" = that of the '
        'parameter file.',
    ),
    DeclareLaunchArgument(
        'analyzers_file',
        default_value=PathJoinSubstitution([CONFIG, 'diagnostics.yaml']),
        description='Groups of the diagnostics tree.',
    ),
    DeclareLaunchArgument('rviz', default_value='false', choices=BOOLEAN, description='Open RViz on this cell.'),
    DeclareLaunchArgument('rqt', default_value='false', choices=BOOLEAN, description='Open rqt on this cell.'),
    DeclareLaunchArgument(
        'foxglove',
        default_value='false',
        choices=BOOLEAN,
        description='Start foxglove_bridge on loopback, and write a layout for Foxglove and Lichtblick to views in state_dir.',
    ),
    DeclareLaunchArgument('foxglove_port', default_value='8765', description='TCP port of foxglove_bridge.'),
    DeclareLaunchArgument(
        'markers',
        default_value='false',
        choices=BOOLEAN,
        description='Publish trays, pieces and path as markers; rviz and foxglove include it.',
    ),
]


def view(name: str) -> ViewFile:
    """Return the path of a view in config/, rewritten for the namespace and the frame prefix of this cell."""
    folder = PathJoinSubstitution([LaunchConfiguration('state_dir'), 'views'])
    return ViewFile(
        PathJoinSubstitution([CONFIG, name]), folder, LaunchConfiguration('namespace'), LaunchConfiguration('frame_prefix')
    )


def viewers() -> list[Node | LogInfo]:
    """Describe the programs that show the cell; outside of its namespace, as from a terminal."""
    tree: list[str | Substitution] = ['/', LaunchConfiguration('namespace'), '/diagnostics_agg']
    foxglove = IfCondition(LaunchConfiguration('foxglove'))
    return [
        Node(
            package='rviz2',
            executable='rviz2',
            output='screen',
            arguments=['-d', view('cell.rviz')],
            condition=IfCondition(LaunchConfiguration('rviz')),
        ),
        Node(
            package='rqt_gui',
            executable='rqt_gui',
            output='screen',
            arguments=['--perspective-file', view('cell.perspective')],
            remappings=[('/diagnostics_agg', tree)],
            condition=IfCondition(LaunchConfiguration('rqt')),
        ),
        Node(
            package='foxglove_bridge',
            executable='foxglove_bridge',
            output='screen',
            parameters=[{'port': ParameterValue(LaunchConfiguration('foxglove_port'), value_type=int), 'address': '127.0.0.1'}],
            condition=foxglove,
        ),
        LogInfo(msg=['layout for Foxglove and Lichtblick: ', view('cell.lichtblick.json')], condition=foxglove),
    ]
