#!/usr/bin/env python3
"""Measure what recording everything costs: a camera of 10 Hz, 1280x720, and the messages of a busy cell.

    . ./env.sh && python bench/recording.py --seconds 600

The node recorder runs in a process of its own; this process publishes and counts. Printed are the CPU time of the recorder as a
share of one core, its memory, and the messages that are missing in the bags.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
import rclpy
from cell_common.qos import events, latched, sensor_stream
from cell_history.bags.reader import BagReader
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CompressedImage, JointState
from tf2_msgs.msg import TFMessage

from cell_interfaces.msg import Inventory, RobotState, ScaleReading

WIDTH, HEIGHT, QUALITY = 1280, 720, 85
CAMERA_HZ, ROBOT_HZ, SCALE_HZ = 10, 10, 20
"""Two scales print a line each 0.1 s."""
STEP_HZ = 20
DOMAIN = '87'
CAMERA = 'camera/image_raw/compressed'
PICTURES = 20


def picture(seed: int) -> bytes:
    """Return a JPEG of a noisy scene, as large as that of a camera."""
    rng = np.random.default_rng(seed)
    scene = cv2.resize(rng.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8), (WIDTH, HEIGHT))
    noisy = np.clip(scene + rng.normal(0, 4, scene.shape), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode('.jpg', noisy, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


class Load(Node):
    """Publishes what a busy cell publishes, and counts it."""

    def __init__(self) -> None:
        """Create the publishers."""
        super().__init__('load', namespace='cell')
        self.counts: dict[str, int] = {}
        # Several: equal pictures in one chunk would compress to one.
        self._images = [CompressedImage(format='jpeg', data=picture(seed)) for seed in range(PICTURES)]
        self._publishers_by_name: dict[str, Publisher] = {
            CAMERA: self.create_publisher(CompressedImage, CAMERA, sensor_stream()),
            'robot/state': self.create_publisher(RobotState, 'robot/state', latched()),
            'joint_states': self.create_publisher(JointState, 'joint_states', events()),
            'weighing/weight': self.create_publisher(ScaleReading, 'weighing/weight', events(1000)),
            'inventory': self.create_publisher(Inventory, 'inventory', latched()),
        }
        self._tf = self.create_publisher(TFMessage, '/tf', 100)

    @property
    def image_bytes(self) -> int:
        """Size of a picture."""
        return len(self._images[0].data)

    def step(self, number: int) -> None:
        """Publish the messages of one step of 1/STEP_HZ seconds.

        Camera, robot state and joint states come at CAMERA_HZ, weights at SCALE_HZ, the stock once a second, as in a cell.

        Args:
            number: Steps since the start; it selects the frame and which topics are due.
        """
        stamp = self.get_clock().now().to_msg()
        if number % (STEP_HZ // CAMERA_HZ) == 0:
            image = self._images[number // (STEP_HZ // CAMERA_HZ) % len(self._images)]
            image.header.stamp = stamp
            self._publish(CAMERA, image)
            self._publish('robot/state', RobotState(stamp=stamp))
            self._publish('joint_states', JointState(name=['a'] * 6, position=[0.0] * 6))
            self._tf.publish(TFMessage())
        for scale in range(SCALE_HZ // STEP_HZ):
            self._publish('weighing/weight', ScaleReading(scale_id=str(scale), sequence=number, weight='2.000', unit='kg'))
        if number % STEP_HZ == 0:
            self._publish('inventory', Inventory(stamp=stamp, sequence=number))

    def ready(self) -> bool:
        """Return whether the recorder has subscribed to everything."""
        return all(publisher.get_subscription_count() for publisher in self._publishers_by_name.values())

    def _publish(self, name: str, message: object) -> None:
        self._publishers_by_name[name].publish(message)
        self.counts[name] = self.counts.get(name, 0) + 1


def recorded(folder: Path) -> dict[str, int]:
    """Return the number of messages in all bags of a folder by topic."""
    counts: dict[str, int] = {}
    for path in sorted(folder.iterdir()):
        if (path / 'metadata.yaml').is_file():
            with BagReader(path) as bag:
                for message in bag.messages():
                    name = message.topic.removeprefix('/cell/')
                    counts[name] = counts.get(name, 0) + 1
    return counts


def main() -> int:
    """Run the load, then print the cost; the exit code is 1 when a message is missing or the cost is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=60.0)
    parser.add_argument('--what', default='everything', choices=['decisions', 'vision', 'everything'])
    parser.add_argument('--most', type=float, default=15.0, help='largest share of a core, percent')
    options = parser.parse_args()
    os.environ['ROS_DOMAIN_ID'] = DOMAIN
    with tempfile.TemporaryDirectory(prefix='cell-recording-') as place:
        folder = Path(place)
        settings = {'folder': folder, 'what': options.what, 'least_free': 0}
        arguments = [part for name, value in settings.items() for part in ('-p', f'{name}:={value}')]
        command = [sys.executable, '-m', 'cell_history.recorder.node', '--ros-args', '-r', '__ns:=/cell', *arguments]
        process = subprocess.Popen(command)
        rclpy.init()
        load = Load()
        while not load.ready():
            time.sleep(0.1)
        cost, seconds, memory = run(load, psutil.Process(process.pid), options.seconds)
        process.send_signal(signal.SIGINT)
        process.wait(30)
        found = recorded(folder)
        size = sum(file.stat().st_size for file in folder.rglob('*') if file.is_file())
        load.destroy_node()
        rclpy.shutdown()
    wanted = load.counts if options.what == 'everything' else {name: n for name, n in load.counts.items() if name in found}
    missing = {name: count - found.get(name, 0) for name, count in wanted.items() if found.get(name, 0) < count}
    share = 100 * cost / seconds
    print(f'{seconds:.0f} s, pictures of {load.image_bytes / 1000:.0f} kB, {sum(found.values()) / seconds:.0f} messages/s')
    print(f'recorder: {share:.1f} % of a core, {memory / 1e6:.0f} MB of memory, {size / seconds / 1e6:.2f} MB/s on the disk')
    print(f'missing: {missing or "none"}')
    return 1 if missing or share > options.most else 0


def run(load: Load, recorder: psutil.Process, seconds: float) -> tuple[float, float, int]:
    """Publish for some time; return CPU seconds of the recorder, seconds, and its memory in bytes."""
    before, begin = sum(recorder.cpu_times()[:2]), time.monotonic()
    number = 0
    while (elapsed := time.monotonic() - begin) < seconds:
        load.step(number)
        number += 1
        time.sleep(max(0.0, begin + number / STEP_HZ - time.monotonic()))
    time.sleep(1.0)  # the last messages
    return sum(recorder.cpu_times()[:2]) - before, elapsed, int(recorder.memory_info().rss)


if __name__ == '__main__':
    sys.exit(main())
