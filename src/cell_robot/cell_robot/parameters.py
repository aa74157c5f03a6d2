"""Parameters of the robot node."""

from __future__ import annotations

from dataclasses import dataclass

from cell_common.parameters import parameter

from cell_robot.motion.kinematics import ARMS

ARM_NAMES = tuple(sorted(ARMS, key=lambda name: (len(name.rstrip('elong')), name)))
"""Names of the arm models, by payload."""


@dataclass(frozen=True)
class RobotParameters:
    """Parameters of the robot node; descriptions name the backends that use them."""

    backend: str = parameter('letters', 'Backend that drives the robot.', choices=('letters', 'rtde', 'ros_driver', 'hub'))
    database_url: str = parameter(
        '', 'Database of the audit of commands, as an SQLAlchemy URL; "" = commands are neither audited nor remembered.'
    )
    catalogue_file: str = parameter('', 'Part catalogue (YAML): gives each part its letter.')
    alarm_delay: float = parameter(
        3.0, 'Time without the robot after which an alarm is raised.', unit='s', minimum=0.0, maximum=600.0
    )
    max_recoveries: int = parameter(
        3,
        'rtde, ros_driver: protective stops that a recovery may unlock within recovery_window; '
        'further ones must be unlocked on the pendant.',
        minimum=1,
        maximum=1000,
    )
    recovery_window: float = parameter(
        600.0, 'rtde, ros_driver: time window of max_recoveries.', unit='s', minimum=1.0, maximum=86400.0
    )
    recipe_file: str = parameter(
        '', 'rtde, ros_driver: recipe (YAML) of the poses to pick, show and put down, as config/recipe.yaml.'
    )
    allow_moves: bool = parameter(False, 'rtde, ros_driver: whether MOVE_<named pose> is an event; for a simulated arm only.')
    robot_address: str = parameter('127.0.0.1', 'rtde: address of the robot controller.')
    gripper_address: str = parameter(
        '', 'rtde, ros_driver: address of a Robotiq gripper\'s URCap; "" = robot_address, on which it runs.'
    )
    driver_namespace: str = parameter(
        '/', "ros_driver: namespace of the official driver's topics and services; a relative one is below the cell's."
    )
    receive_frequency: float = parameter(
        125.0, 'rtde: state packages per second requested from the controller.', unit='Hz', minimum=1.0, maximum=500.0
    )
    stale_data: float = parameter(
        0.5,
        'rtde: age of the newest package at which no move starts; at twice that age a running move is aborted.',
        unit='s',
        minimum=0.05,
        maximum=10.0,
    )
    watchdog_frequency: float = parameter(
        5.0,
        'rtde: minimum rate of the watchdog signal from the control process; after one period without it the controller '
        'ends the control script, and the arm stops.',
        unit='Hz',
        minimum=1.0,
        maximum=50.0,
    )
    dashboard_connect_timeout: float = parameter(
        2.0, 'rtde: time for the controller to accept a connection to its dashboard.', unit='s', minimum=0.1, maximum=30.0
    )
    dashboard_timeout: float = parameter(
        8.0,
        'rtde, ros_driver: time for the dashboard to answer a command; some commands take a real controller over a second.',
        unit='s',
        minimum=0.1,
        maximum=60.0,
    )
    rtde_registers: str = parameter(
        'lower',
        'rtde: range of registers of the control script; upper where a fieldbus (EtherNet/IP, PROFINET) owns the lower one.',
        choices=('lower', 'upper'),
    )
    driver_dashboard: bool = parameter(
        True,
        'ros_driver: whether the driver has its dashboard client. Without one (PolyScope X) local control is only noticed when '
        "the driver's program ends, and stops are cleared on the pendant.",
    )
    joint_rate: float = parameter(
        25.0, 'rtde, ros_driver: joint states published per second.', unit='Hz', minimum=1.0, maximum=500.0
    )
    arm_model: str = parameter(
        '',
        'Arm model in robot_description and TF; "" = the one in recipe_file. Without either, no arm is described.',
        choices=('', *ARM_NAMES),
    )
    publish_tf: bool = parameter(
        True,
        'Whether to publish the frames of the arm on /tf and /tf_static; false where the official driver publishes them. '
        'The frames of tool and trays are always published.',
    )
    frame_prefix: str = parameter('', 'Prefix of every frame name, so that several arms can share one TF tree, e.g. cell2/.')
    listen_address: str = parameter(
        '127.0.0.1', 'letters: listening address for the UR program; 0.0.0.0 = every network of this machine.'
    )
    port: int = parameter(50010, 'letters: listening TCP port for the UR program.', minimum=1, maximum=65535)
    allowed_peers: list[str] = parameter(
        ['127.0.0.1'],
        'letters: addresses or networks (192.168.0.0/24) from which a UR program may connect; all others are rejected.',
    )
    framing: str = parameter(
        'line',
        'letters: line = numbered lines with heartbeat; bare = one letter out, one word back, which cannot name a tray.',
        choices=('line', 'bare'),
    )
    bare_reply: str = parameter(
        'ack',
        'letters, framing bare: ack = the program answers once, at the end of the motion; '
        'ack_done = ack at the start and done at the end.',
        choices=('ack', 'ack_done'),
    )
    bare_quiet_time: float = parameter(
        0.5,
        'letters, framing bare: time after an answer in which no letter is sent, so that a late copy of the answer is an error '
        'and does not answer the next letter.',
        unit='s',
        minimum=0.0,
        maximum=10.0,
    )
    event_letters: list[str] = parameter(
        [''], 'letters, hub: other letters for events, as EVENT=letter; D stays START_PROGRAM.'
    )
    ack_timeout: float = parameter(
        1.0, 'letters: timeout of the acknowledgement of a letter.', unit='s', minimum=0.01, maximum=60.0
    )
    done_timeout: float = parameter(
        30.0, 'letters: timeout from acknowledgement to done.', unit='s', minimum=0.05, maximum=3600.0
    )
    heartbeat_timeout: float = parameter(
        3.0,
        'letters: time without data after which a program with heartbeats counts as lost.',
        unit='s',
        minimum=0.1,
        maximum=60.0,
    )
    reconnect_timeout: float = parameter(
        10.0,
        'letters, hub: time that a recovery waits for the program or the hub to reconnect.',
        unit='s',
        minimum=0.1,
        maximum=120.0,
    )
    hub_url: str = parameter('http://127.0.0.1:5002', 'hub: address of the hub (Socket.IO 5, namespace /).')
    hub_ack_timeout: float = parameter(
        30.0,
        "hub: timeout from a trigger to the hub's ack, which must come at the end of the motion.",
        unit='s',
        minimum=0.05,
        maximum=3600.0,
    )
