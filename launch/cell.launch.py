"""The whole cell: all nodes, with simulated devices by default.

ros2 launch cell_bringup cell.launch.py                       the cell against the simulated world
ros2 launch cell_bringup cell.launch.py simulation:=false     the same nodes with the real devices of config/cell.yaml

All names are relative and below one namespace, so several cells share a network. A node reads the parameter file of the
deployment first; launch arguments override it. Conditions are substitutions,
evaluated at launch.
"""

import secrets
from collections.abc import Mapping

from cell_bringup.launch_monitoring import MONITORING_ARGUMENTS, viewers
from cell_bringup.launch_simulation import SIMULATION_ARGUMENTS
from launch.actions import DeclareLaunchArgument, GroupAction, SetEnvironmentVariable
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import (
    AndSubstitution,
    EnvironmentVariable,
    EqualsSubstitution,
    IfElseSubstitution,
    LaunchConfiguration,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
    PathJoinSubstitution,
)
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from launch import Condition, LaunchDescription, Substitution

CONFIG = PathJoinSubstitution([FindPackageShare('cell_bringup'), 'config'])
BOOLEAN = ['true', 'false']
ARGUMENTS = [
    DeclareLaunchArgument(
        'namespace', default_value='cell', description='Namespace of the cell; use different ones for cells on one network.'
    ),
    DeclareLaunchArgument(
        'params_file',
        default_value=PathJoinSubstitution([CONFIG, 'cell.yaml']),
        description='Parameter file of the deployment.',
    ),
    DeclareLaunchArgument(
        'catalogue_file', default_value=PathJoinSubstitution([CONFIG, 'parts.yaml']), description='The part catalogue.'
    ),
    DeclareLaunchArgument(
        'state_dir',
        default_value=PathJoinSubstitution([EnvironmentVariable('HOME'), '.local', 'state', 'cell']),
        description='Folder of the database and other persistent data.',
    ),
    DeclareLaunchArgument(
        'database_url',
        default_value=['sqlite:///', LaunchConfiguration('state_dir'), '/cell.db'],
        description='SQLAlchemy URL of the database.',
    ),
    DeclareLaunchArgument(
        'settings_file',
        default_value='',
        description='The old scale server\'s settings.json, for both weighing nodes; "" = settings_file of the parameter file, '
        'or settings.json in state_dir.',
    ),
    DeclareLaunchArgument(
        'devices',
        default_value='true',
        choices=BOOLEAN,
        description='Start the device nodes (camera, robot, scale_bridge); false for a replay.',
    ),
    DeclareLaunchArgument(
        'simulation',
        default_value='true',
        choices=BOOLEAN,
        description='Use simulated devices; false = real devices.',
    ),
    *SIMULATION_ARGUMENTS,
    DeclareLaunchArgument(
        'robot_backend',
        default_value='letters',
        choices=['letters', 'rtde', 'ros_driver', 'hub'],
        description='Robot backend; the simulated robot uses the same one.',
    ),
    DeclareLaunchArgument(
        'hub_url',
        default_value='http://127.0.0.1:5002',
        description='Address of the hub that passes letters to the robot, for robot_backend hub.',
    ),
    DeclareLaunchArgument(
        'recipe_file',
        default_value=PathJoinSubstitution([CONFIG, 'recipe.yaml']),
        description='Recipe file: poses of the arm, for robot_backend rtde and ros_driver.',
    ),
    DeclareLaunchArgument(
        'sim_recipe_file',
        default_value=LaunchConfiguration('recipe_file'),
        description='Recipe of the simulated world: where its trays really are. Another one than recipe_file to try teaching.',
    ),
    DeclareLaunchArgument(
        'sim_robot_address',
        default_value='127.0.0.1',
        description='Loopback address of the simulated UR controller, for robot_backend rtde and ros_driver.',
    ),
    DeclareLaunchArgument(
        'robot_port',
        default_value='50010',
        description='TCP port on which the robot node (robot_backend hub: the hub) listens for the UR program.',
    ),
    DeclareLaunchArgument(
        'scale_port', default_value='10001', description='TCP port on which scale_bridge listens for indicators.'
    ),
    DeclareLaunchArgument('rosbridge_port', default_value='9090', description='TCP port of rosbridge, loopback only.'),
    DeclareLaunchArgument('web_port', default_value='8080', description='TCP port of the operator page.'),
    DeclareLaunchArgument(
        'legacy',
        default_value='false',
        choices=BOOLEAN,
        description='Serve pages and backends of the replaced OCR system over Socket.IO (node socketio_gateway).',
    ),
    DeclareLaunchArgument(
        'legacy_page_port', default_value='5001', description='TCP port for pages of the replaced OCR system.'
    ),
    DeclareLaunchArgument(
        'legacy_hub_port', default_value='5002', description='TCP port for backends of the replaced OCR system.'
    ),
    DeclareLaunchArgument('sim_camera_port', default_value='8090', description='TCP port of the simulated camera.'),
    DeclareLaunchArgument('use_sim_time', default_value='false', choices=BOOLEAN, description='Use the time from /clock.'),
    DeclareLaunchArgument('respawn', default_value='true', choices=BOOLEAN, description='Restart a node after it exits.'),
    DeclareLaunchArgument(
        'log_level', default_value='info', choices=['debug', 'info', 'warn', 'error'], description='Log level of all nodes.'
    ),
]


def text(name: str) -> ParameterValue:
    """Pass a launch argument as a string parameter.

    Without a type, launch_ros would read the text as YAML: `database_url:=1` would become a number.
    """
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def number(name: str, kind: type = int) -> ParameterValue:
    """Pass a launch argument as a number or truth value.

    Args:
        name: Name of the argument.
        kind: int, float or bool; a text that is none ends the launch with an error.
    """
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def node(package: str, executable: str, *parameters: Mapping[str, object], condition: Condition | None = None) -> Node:
    """Describe one node: parameters of the file first, then those of launch arguments.

    Args:
        package: ROS package.
        executable: Its executable, which is also the node's name.
        parameters: Later ones override earlier ones, and all override the file.
        condition: The node starts only if it holds; None = always.
    """
    return Node(
        package=package,
        executable=executable,
        name=executable,
        output='screen',
        condition=condition,
        respawn=LaunchConfiguration('respawn'),
        # A device that is unplugged must not be polled by a node that restarts in a loop.
        respawn_delay=1.0,
        parameters=[LaunchConfiguration('params_file'), {'use_sim_time': number('use_sim_time', bool)}, *parameters],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
    )


def in_state_dir(name: str) -> ParameterValue:
    """Pass the path of a file or folder inside the state folder as a string parameter.

    Args:
        name: Path below `state_dir`; the node makes it.
    """
    return ParameterValue([LaunchConfiguration('state_dir'), f'/{name}'], value_type=str)


def launched_with(name: str, value: str) -> EqualsSubstitution:
    """Compare a launch argument with a value, at launch.

    Args:
        name: Name of the argument.
        value: Text that it may have.
    """
    return EqualsSubstitution(LaunchConfiguration(name), value)


def framed(
    package: str, executable: str, *parameters: Mapping[str, object], when: Substitution, **frames: object
) -> list[Node]:
    """Describe a node with frames, in two variants: launch argument frame_prefix must not replace that of the file by nothing.

    Args:
        package: ROS package.
        executable: Its executable, which is also the node's name.
        parameters: As for `node`.
        when: The node starts only if it is "true".
        frames: Parameters that hold while frame_prefix is given.
    """
    is_given = NotEqualsSubstitution(LaunchConfiguration('frame_prefix'), '')
    without, given = (IfCondition(AndSubstitution(when, choice)) for choice in (NotSubstitution(is_given), is_given))
    return [
        node(package, executable, *parameters, condition=without),
        node(package, executable, *parameters, frames, condition=given),
    ]


CATALOGUE = {'catalogue_file': text('catalogue_file')}
DATABASE = {'database_url': text('database_url')}
STATE = {'state_dir': text('state_dir')}
SETTINGS = {'settings_file': text('settings_file')}
IS_NAMED = NotEqualsSubstitution(LaunchConfiguration('settings_file'), '')
NAMED, UNNAMED = IfCondition(IS_NAMED), UnlessCondition(IS_NAMED)


def generate_launch_description() -> LaunchDescription:
    """Describe the cell; `ros2 launch` calls this function by its name.

    Device nodes are in a group of their own, because a replay leaves them out. The simulated world is one node in two
    variants, since a parameter cannot depend on a condition.
    """
    cell = [
        PushRosNamespace(LaunchConfiguration('namespace')),
        *central_nodes(),
        *web_nodes(),
        *monitoring_nodes(),
        devices(),
        *simulated_world(),
    ]
    environment = [
        # Otherwise a node that is killed loses the last lines of its log.
        SetEnvironmentVariable('PYTHONUNBUFFERED', '1'),
        # rosbridge serves only who knows it: the gateway, which checks every message. Another one at each start.
        SetEnvironmentVariable('ROSBRIDGE_SECRET', secrets.token_urlsafe(32)),
    ]
    return LaunchDescription([*ARGUMENTS, *MONITORING_ARGUMENTS, *environment, GroupAction(cell), *viewers()])


def central_nodes() -> list[Node]:
    """Describe the nodes that read, judge, keep the counts and run jobs.

    They use the same database, each its own tables, and need no device: a replay starts them, too.
    """
    recording = {
        'folder': in_state_dir('recordings'),
        'what': text('record_what'),
        'background_file': in_state_dir('empty_view.png'),
    }
    files = {'kept_frames_folder': in_state_dir('kept_frames'), 'background_file': in_state_dir('empty_view.png')}
    return [
        node('cell_inventory', 'inventory', CATALOGUE, DATABASE),
        node('cell_vision', 'ocr', files),
        node('cell_vision', 'part_matcher', CATALOGUE, DATABASE),
        node('cell_coordinator', 'alarms', DATABASE),
        node('cell_coordinator', 'coordinator', DATABASE),
        # An argument that is not given must not replace the settings_file of the parameter file.
        node('cell_history', 'recorder', CATALOGUE, recording, condition=IfCondition(LaunchConfiguration('record'))),
        node('cell_weighing', 'weigh_station', DATABASE, STATE, condition=UNNAMED),
        node('cell_weighing', 'weigh_station', DATABASE, STATE, SETTINGS, condition=NAMED),
    ]


def web_nodes() -> list[Node]:
    """Describe the nodes that listen for pages and for programs of the plant.

    rosbridge_websocket listens on the loopback interface only: web_gateway checks the pages' messages and passes them on to it.
    The gateway reads the database for reports and writes nothing.
    """
    gateway = {
        'port': number('web_port'),
        'rosbridge_port': number('rosbridge_port'),
        'api_tokens_file': in_state_dir('api_tokens.json'),
        'kept_frames_folder': in_state_dir('kept_frames'),
        'clips_folder': in_state_dir('recordings/clips'),
        'users_file': in_state_dir('users.json'),
    }
    legacy = {'page_port': number('legacy_page_port'), 'hub_port': number('legacy_hub_port')}
    return [
        node('rosbridge_server', 'rosbridge_websocket', {'port': number('rosbridge_port'), 'address': '127.0.0.1'}),
        node('cell_web', 'web_gateway', DATABASE, gateway),
        node('cell_web', 'socketio_gateway', CATALOGUE, legacy, condition=IfCondition(LaunchConfiguration('legacy'))),
    ]


def monitoring_nodes() -> list[Node]:
    """Describe the nodes that tell tools of ROS how the cell is."""
    rviz, foxglove, alone = (LaunchConfiguration(name) for name in ('rviz', 'foxglove', 'markers'))
    shown = OrSubstitution(alone, OrSubstitution(rviz, foxglove))
    recipe = {'recipe_file': text('recipe_file')}
    return [
        node('cell_coordinator', 'diagnostics_aggregator', {'analyzers_file': text('analyzers_file')}),
        *framed('cell_robot', 'markers', recipe, when=shown, frame_prefix=text('frame_prefix')),
    ]


def devices() -> GroupAction:
    """Describe the nodes that speak to devices, real or simulated ones.

    The same nodes run in both cases: only addresses, and limits of time that a shared CPU needs, differ.
    """
    simulated_camera = {
        'source': ParameterValue(['http://127.0.0.1:', LaunchConfiguration('sim_camera_port'), '/camera.mjpg'], value_type=str)
    }
    robot = {
        'port': number('robot_port'),
        'backend': text('robot_backend'),
        'recipe_file': text('recipe_file'),
        'hub_url': text('hub_url'),
    }
    # The official driver's launch file starts a robot_state_publisher, which knows the calibration of the arm.
    real_robot = {
        'publish_tf': ParameterValue(NotEqualsSubstitution(LaunchConfiguration('robot_backend'), 'ros_driver'), value_type=bool)
    }
    # The simulated controller shares the CPU with the cell, so its timing is less precise than that of a real one.
    simulated_robot = {
        'robot_address': text('sim_robot_address'),
        'driver_namespace': 'driver',
        'allow_moves': True,
        'watchdog_frequency': 2.0,
        'stale_data': 1.0,
    }
    simulated = LaunchConfiguration('simulation')
    real, prefix = NotSubstitution(simulated), text('frame_prefix')
    camera_frame = ParameterValue([LaunchConfiguration('frame_prefix'), 'camera_optical_frame'], value_type=str)
    return GroupAction(
        condition=IfCondition(LaunchConfiguration('devices')),
        actions=[
            *framed('cell_vision', 'camera', when=real, frame_id=camera_frame),
            *framed('cell_vision', 'camera', simulated_camera, when=simulated, frame_id=camera_frame),
            *framed('cell_robot', 'robot', CATALOGUE, DATABASE, robot, real_robot, when=real, frame_prefix=prefix),
            *framed('cell_robot', 'robot', CATALOGUE, DATABASE, robot, simulated_robot, when=simulated, frame_prefix=prefix),
            *scale_bridges(),
        ],
    )


def scale_bridges() -> list[Node]:
    """Describe scale_bridge with and without the old scale server's file, for real scales and for simulated ones.

    Nothing of a simulation can be reached from the network.
    """
    port = {'port': number('scale_port')}
    loopback = {'listen_address': '127.0.0.1'}
    simulation = LaunchConfiguration('simulation')
    variants: list[tuple[Substitution, Substitution, tuple[Mapping[str, object], ...]]] = [
        (NotSubstitution(simulation), NotSubstitution(IS_NAMED), ()),
        (NotSubstitution(simulation), IS_NAMED, (SETTINGS,)),
        (simulation, NotSubstitution(IS_NAMED), (loopback,)),
        (simulation, IS_NAMED, (SETTINGS, loopback)),
    ]
    return [
        node(
            'cell_weighing', 'scale_bridge', DATABASE, STATE, port, *more, condition=IfCondition(AndSubstitution(devices, file))
        )
        for devices, file, more in variants
    ]


def simulated_world() -> list[Node | GroupAction]:
    """Describe the simulated devices: one world of camera, robot and scales, and the driver of the arm for ros_driver.

    For backends letters and hub the robot is a UR program that connects to `robot_port`, for the other two a UR controller that
    works at the poses of `sim_recipe_file`. Port 0 or address "" leaves the other one out.
    """
    hub = launched_with('robot_backend', 'hub')
    letters = OrSubstitution(launched_with('robot_backend', 'letters'), hub)
    world = {
        'scene': text('scene'),
        'folder': text('folder'),
        'seed': number('seed'),
        'wrong_share': number('wrong_share', float),
        'unreadable_share': number('unreadable_share', float),
        'time_scale': number('time_scale', float),
        'truth_file': text('truth_file'),
        'robot_port': ParameterValue(IfElseSubstitution(letters, LaunchConfiguration('robot_port'), '0'), value_type=int),
        'ur_address': ParameterValue(IfElseSubstitution(letters, '', LaunchConfiguration('sim_robot_address')), value_type=str),
        'recipe_file': text('sim_recipe_file'),
        'scale_port': number('scale_port'),
        'camera_port': number('sim_camera_port'),
    }
    simulation = LaunchConfiguration('simulation')
    with_ids = IfCondition(AndSubstitution(simulation, NotSubstitution(hub)))
    bare = IfCondition(AndSubstitution(simulation, hub))
    driver = {'robot_ip': text('sim_robot_address'), 'time_scale': number('time_scale', float)}
    return [
        node('cell_sim', 'world', CATALOGUE, world, condition=with_ids),
        node('cell_sim', 'world', CATALOGUE, world, {'framing': 'bare'}, condition=bare),  # a hub passes letters without ids
        GroupAction(
            condition=IfCondition(AndSubstitution(simulation, launched_with('robot_backend', 'ros_driver'))),
            actions=[PushRosNamespace('driver'), node('cell_sim', 'ur_driver', driver)],
        ),
    ]
