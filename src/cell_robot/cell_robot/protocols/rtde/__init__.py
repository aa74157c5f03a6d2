"""RTDE, the controller's Real-Time Data Exchange (TCP port 30004), protocol version 2, client side.

Source of the layouts: Universal Robots, "Real-Time Data Exchange (RTDE) Guide". All numbers are big-endian.

Pure: no ROS, sockets, files or clock.
"""

from cell_robot.protocols.rtde.codec import (
    PROTOCOL_VERSION,
    MessageLevel,
    PacketType,
    RtdeRecipe,
    RtdeValue,
    TextMessage,
    controller_version_request,
    inputs_request,
    outputs_request,
    parse_accepted,
    parse_controller_version,
    parse_rtde_recipe,
    parse_text,
    parse_types,
    pause_request,
    start_request,
    version_request,
)
from cell_robot.protocols.rtde.framing import PacketSplitter, RtdeError, RtdePacket, RtdeRefusedError, encode_packet
from cell_robot.protocols.rtde.session import ReceiveSession
from cell_robot.protocols.rtde.snapshot import OPTIONAL_NAMES, OUTPUT_NAMES, PacketLossCounter, RobotSnapshot, parse_snapshot

__all__ = [
    'OPTIONAL_NAMES',
    'OUTPUT_NAMES',
    'PROTOCOL_VERSION',
    'MessageLevel',
    'PacketLossCounter',
    'PacketSplitter',
    'PacketType',
    'ReceiveSession',
    'RobotSnapshot',
    'RtdeError',
    'RtdePacket',
    'RtdeRecipe',
    'RtdeRefusedError',
    'RtdeValue',
    'TextMessage',
    'controller_version_request',
    'encode_packet',
    'inputs_request',
    'outputs_request',
    'parse_accepted',
    'parse_controller_version',
    'parse_rtde_recipe',
    'parse_snapshot',
    'parse_text',
    'parse_types',
    'pause_request',
    'start_request',
    'version_request',
]
