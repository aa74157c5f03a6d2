#!/usr/bin/env python3
"""Write a bag without the state of its start: test/data/replay (MCAP). It cannot be replayed, and tests that it says so.

    . ./env.sh && python test/data/make_replay_bag.py

Contents, seconds from the start:
    0       the empty gripper: a lead-in, which a node that has just discovered the player may miss
    2..6    one piece each second: the ordered part, a similar one, the ordered one again, an unreadable one, another part
    7..10   lines of scale 1: in tolerance, too light, malformed, in tolerance
The frames are rendered labels with noise, as the simulated camera sends them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
from ament_index_python.packages import get_package_share_directory
from cell_sim.camera.rendered_scene import RenderedScene
from cell_sim.world.parts import PhysicalPart
from cell_sim.world.world import EMPTY, CameraView, ViewPhase
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

HERE = Path(__file__).resolve().parent
BAG = HERE / 'replay'
START_S = 1_700_000_000
ORDERED = 'G8NB-17SR'
PIECES = [
    PhysicalPart(ORDERED, False, 'bag/1'),
    PhysicalPart('G8NB-17SU', False, 'bag/2'),
    PhysicalPart(ORDERED, False, 'bag/3'),
    PhysicalPart(ORDERED, True, 'bag/4'),
    PhysicalPart('HF115F-024', False, 'bag/5'),
]
LINES = ['1,2.000 kg', '1,1.700 kg', '1,--.--- kg', '1,2.200 kg']
JPEG_QUALITY = 80
SECOND = 1_000_000_000
QOS = {True: QosReliability.RELIABLE, False: QosReliability.BEST_EFFORT}


def frames() -> list[tuple[float, bytes]]:
    """Return (seconds, JPEG) of each frame."""
    scene = RenderedScene({}, seed=3)
    pictures = [(0.0, scene.frame(EMPTY))]
    pictures += [(2.0 + n, scene.frame(CameraView(piece, ViewPhase.STILL))) for n, piece in enumerate(PIECES)]
    return [(at, _smaller(jpeg)) for at, jpeg in pictures]


def _smaller(jpeg: bytes) -> bytes:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def main() -> int:
    """Write the bag, replacing an old one."""
    shutil.rmtree(BAG, ignore_errors=True)
    types = get_typestore(Stores.ROS2_JAZZY)
    share = Path(get_package_share_directory('cell_interfaces'))
    types.register(get_types_from_msg((share / 'msg' / 'ScaleReading.msg').read_text(), 'cell_interfaces/msg/ScaleReading'))
    image_type, reading_type = types.types['sensor_msgs/msg/CompressedImage'], types.types['cell_interfaces/msg/ScaleReading']
    time_type, header_type = types.types['builtin_interfaces/msg/Time'], types.types['std_msgs/msg/Header']

    def stamp(at: float):
        total = START_S * SECOND + round(at * SECOND)
        return total, time_type(sec=total // SECOND, nanosec=total % SECOND)

    with Writer(BAG, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        camera = writer.add_connection(
            '/cell/camera/image_raw/compressed', image_type.__msgtype__, typestore=types, offered_qos_profiles=[_qos(False)]
        )
        scale = writer.add_connection(
            '/cell/weighing/weight', reading_type.__msgtype__, typestore=types, offered_qos_profiles=[_qos(True)]
        )
        for at, jpeg in frames():
            when, seconds = stamp(at)
            image = image_type(header_type(seconds, 'camera_optical_frame'), 'jpeg', np.frombuffer(jpeg, np.uint8))
            writer.write(camera, when, types.serialize_cdr(image, image_type.__msgtype__))
        for number, line in enumerate(LINES, 1):
            when, seconds = stamp(6.0 + number)
            weight = line.split(',')[1].split()[0]
            valid = weight[0].isdigit()
            reading = reading_type(
                reading_id=f'01890000-0000-7000-8000-{number:012d}',
                scale_id='1',
                sequence=number,
                received_at=seconds,
                raw=line,
                status=0 if valid else 1,
                weight=weight if valid else '',
                unit='kg' if valid else '',
                stability=0,
                mode=0,
                tare='',
                message='' if valid else 'no number',
            )
            writer.write(scale, when, types.serialize_cdr(reading, reading_type.__msgtype__))
    return 0


def _qos(reliable: bool) -> Qos:
    never = QosTime(0, 0)
    return Qos(
        QosHistory.KEEP_LAST, 10, QOS[reliable], QosDurability.VOLATILE, never, never, QosLiveliness.AUTOMATIC, never, False
    )


if __name__ == '__main__':
    sys.exit(main())
