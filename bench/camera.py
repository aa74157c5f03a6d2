#!/usr/bin/env python3
"""Age of the newest camera frame, and processor time of the camera process, at 30 fps and 1280x720.

. ./env.sh && python bench/camera.py [--seconds 15] [--source mjpeg|video|both]

`mjpeg`: an IP camera in a process of its own; its JPEGs pass through. `video`: a film of raw pictures that the node must
compress. The age is that of a frame's stamp (the clock at its arrival in the camera process) when a subscriber has it, and, for
`mjpeg`, of the picture itself: the camera writes the time into each. Exit code 1 when the 95th percentile is 1.2 frame
periods or more, or the process takes 25 % of a core or more.
"""

from __future__ import annotations

import argparse
import http.server
import os
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

RATE = 30.0
SIZE = (1280, 720)
# Goals of docs/measurements.md: age of a frame in periods, CPU of one core in percent.
MOST_PERIODS, MOST_CPU = 1.2, 25.0
MARK = b'\xff\xfe\x00\x12TIME'
"""A comment segment (ITU-T T.81, B.2.4.5) of 16 bytes: "TIME", then nanoseconds since the epoch and four bytes of padding."""


def picture(at: int) -> NDArray[np.uint8]:
    """Draw a frame: a label that moves over uneven ground.

    Args:
        at: Number of the frame; seeds the noise, so the JPEGs of a run are always the same.

    Returns:
        BGR, shape (720, 1280, 3). Noise keeps the JPEGs at a realistic size.
    """
    ramp = np.linspace(90, 200, SIZE[0], dtype=np.float32)[None, :].repeat(SIZE[1], 0)
    noise = np.random.default_rng(at).normal(0, 2, (SIZE[1], SIZE[0])).astype(np.float32)
    image: NDArray[np.uint8] = np.repeat(np.clip(ramp + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    cv2.putText(image, 'EM1-2U4', (300 + 3 * at, 360), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (25, 25, 25), 5, cv2.LINE_AA)
    return image


class Camera(http.server.BaseHTTPRequestHandler):
    """Serves multipart JPEGs at a steady rate, each with the time at which it was sent."""

    jpegs: tuple[bytes, ...] = ()

    def do_GET(self) -> None:
        """Send frames until the client disconnects; due times are absolute, so a late frame does not delay all later ones."""
        self.send_response(200)
        self.send_header('Content-Type', 'multipart/x-mixed-replace; boundary=frame')
        self.end_headers()
        due = time.monotonic()
        for at in range(10**9):
            jpeg = self.jpegs[at % len(self.jpegs)]
            stamped = jpeg[:2] + MARK + struct.pack('>QI', time.time_ns(), 0) + jpeg[2:]
            try:
                head = b'--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' % len(stamped)
                self.wfile.write(head + stamped + b'\r\n')
            except OSError:
                return
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def serve() -> None:
    """Run the simulated camera: print the port, then serve frames."""
    Camera.jpegs = tuple(bytes(cv2.imencode('.jpg', picture(at), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]) for at in range(30))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Camera) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


def film(path: Path) -> None:
    """Write a video of uncompressed images (I420), which the node must compress itself."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'I420'), RATE, SIZE)
    for at in range(60):
        writer.write(picture(at))
    writer.release()


def measure(source: str, seconds: float) -> bool:
    """Run the camera node on a source, print its figures and return whether the goals are met.

    The age of a frame is its arrival at a subscriber minus the time that the source wrote into the JPEG (segment MARK); both
    are of
    one clock, because source and subscriber run on this machine.

    Args:
        source: Parameter `source` of the node.
        seconds: Time of the measurement, after the first frame.
    """
    import rclpy
    from cell_common.qos import sensor_stream
    from rclpy.executors import SingleThreadedExecutor
    from sensor_msgs.msg import CompressedImage

    command = [
        sys.executable,
        '-m',
        'cell_vision.camera.node',
        '--ros-args',
        '-r',
        '__ns:=/cell',
        '-p',
        f'source:={source}',
        '-p',
        f'frame_rate:={RATE}',
    ]
    node_process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rclpy.init()
    node = rclpy.create_node('camera_bench', namespace='cell')
    ages: list[float] = []
    full_ages: list[float] = []

    def take(data: bytes) -> None:
        now = time.time_ns()
        # CDR, little endian: 4 bytes of encapsulation header, then header.stamp.
        second, nanosecond = struct.unpack_from('<iI', data, 4)
        ages.append((now - second * 10**9 - nanosecond) / 1e6)
        mark = data.find(MARK)
        if mark >= 0:
            full_ages.append((now - struct.unpack_from('>Q', data, mark + len(MARK))[0]) / 1e6)

    # Raw bytes: unpacking a message of this size in Python would add its own milliseconds to the age.
    node.create_subscription(CompressedImage, 'camera/image_raw/compressed', take, sensor_stream(), raw=True)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        spin(executor, 60.0, lambda: len(ages) > RATE)
        ages.clear()
        full_ages.clear()
        process = psutil.Process(node_process.pid)
        # After the first frames: start-up and imports are not what is measured.
        before, began = sum(process.cpu_times()[:2]), time.monotonic()
        spin(executor, seconds)
        elapsed = time.monotonic() - began
        cpu = (sum(process.cpu_times()[:2]) - before) / elapsed * 100
        memory = process.memory_info().rss / 1e6
    finally:
        node_process.send_signal(signal.SIGINT)
        node_process.wait(10)
        node.destroy_node()
        rclpy.try_shutdown()
    name = 'mjpeg' if source.startswith('http') else 'video'
    print(f'{name}: {len(ages) / elapsed:.1f} fps, CPU {cpu:.1f} % of a core, {memory:.0f} MB; load {os.getloadavg()[0]:.1f}')
    good = report('since the frame arrived in the node', ages)
    if full_ages:
        good = report('since the camera sent it', full_ages) and good
    return good and cpu < MOST_CPU


def report(what: str, ages: list[float]) -> bool:
    """Print a distribution of ages in milliseconds; return whether the goal is met.

    Args:
        what: From which moment the ages are counted.
        ages: Milliseconds, at least two.
    """
    p95 = statistics.quantiles(ages, n=20)[-1]
    periods = p95 / 1000 * RATE
    print(
        f'   age {what}: median {statistics.median(ages):.2f} ms, p95 {p95:.2f} ms = {periods:.2f} periods, '
        f'longest {max(ages):.1f} ms'
    )
    return periods < MOST_PERIODS


def spin(executor: object, seconds: float, enough: object = None) -> None:
    """Run callbacks for some seconds, or until there are enough samples.

    Args:
        executor: Executor of the subscriber.
        seconds: Longest time.
        enough: Called between callbacks; None = the whole time.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and not (callable(enough) and enough()):
        executor.spin_once(timeout_sec=0.1)  # type: ignore[attr-defined]


def main() -> int:
    """Run the bench; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=15.0)
    parser.add_argument('--source', choices=('mjpeg', 'video', 'both'), default='both')
    parser.add_argument('--serve', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return 0
    good = True
    if options.source != 'video':
        camera = subprocess.Popen([sys.executable, __file__, '--serve'], stdout=subprocess.PIPE, text=True)
        try:
            assert camera.stdout
            good = measure(f'http://127.0.0.1:{int(camera.stdout.readline())}/camera.mjpg', options.seconds)
        finally:
            camera.kill()
            camera.wait()
    if options.source != 'mjpeg':
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'film.avi'
            film(path)
            good = measure(str(path), options.seconds) and good
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
