#!/usr/bin/env python3
"""Cost of ten video pages, and the delay from a booking to a page, of node socketio_gateway.

. ./env.sh && python bench/socketio_gateway.py [--seconds 15] [--pages 10] [--rate 15]

Nodes `inventory` and `socketio_gateway` run as processes of their own, the pages in a third one. A publisher takes the place
of the camera (1280x720, about 100 kB a JPEG). Exit code 1 when the gateway takes 60 % of a core or more, when a page gets less
than 90 % of the frames, or when the median from a booking's call to `update_inventory` at a page is 20 ms or more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import psutil
import rclpy
import socketio
from cell_common.qos import sensor_stream
from cell_common.testing import free_port
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from cell_interfaces.srv import AdjustStock

MOST_CPU, LEAST_SHARE, MOST_DELAY_MS = 60.0, 0.9, 20.0
BOOKINGS = 60
PART, TRAY = 'EM1-2U1', 1
ROOT = Path(__file__).resolve().parents[1]


async def watch(session: aiohttp.ClientSession, url: str, received: list[int], index: int) -> None:
    """Be one page: speak Engine.IO 4 over a WebSocket and count frames, without the cost of a Python Socket.IO client.

    Args:
        session: Session of all pages.
        url: Address of the gateway, without a path.
        received: Frames of each page; this page counts at `index`.
        index: Number of this page.
    """
    async with session.ws_connect(f'{url}/socket.io/?EIO=4&transport=websocket', max_msg_size=0) as page:
        await page.receive()
        await page.send_str('40')
        async for message in page:
            packet = str(message.data)
            if packet == '2':
                await page.send_str('3')
            elif packet.startswith('42["video_frame"'):
                received[index] += 1


async def pages(url: str, count: int) -> None:
    """Connect pages; print their number, then on each line of standard input the frames that each has received.

    They run in a process of their own: ten clients cost more than the gateway.

    Args:
        url: Address of the gateway.
        count: Number of pages.
    """
    received = [0] * count
    async with aiohttp.ClientSession() as session:
        tasks = [asyncio.create_task(watch(session, url, received, index)) for index in range(count)]
        print(count, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(received), flush=True)
        for task in tasks:
            task.cancel()


def jpeg() -> bytes:
    """Return a picture of about 100 kB."""
    noise = np.random.default_rng(1).integers(80, 150, (720, 1280), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 0.7)
    return bytes(cv2.imencode('.jpg', cv2.cvtColor(smooth, cv2.COLOR_GRAY2BGR), [cv2.IMWRITE_JPEG_QUALITY, 60])[1])


def start(package: str, executable: str, parameters: dict[str, object]) -> subprocess.Popen[bytes]:
    """Start a node of the cell in a process group of its own, so that a kill reaches the node below `ros2 run`.

    Args:
        package: ROS package.
        executable: Its executable.
        parameters: Name -> value.
    """
    command = ['ros2', 'run', package, executable, '--ros-args', '-r', '__ns:=/cell']
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a node and its children."""
    os.killpg(process.pid, signal.SIGINT)
    process.wait(10)


def spin(executor: SingleThreadedExecutor, seconds: float, is_done: Callable[[], bool] = lambda: False) -> None:
    """Run callbacks for some seconds, or until a condition holds.

    Args:
        executor: Executor of the bench's node.
        seconds: Longest time.
        is_done: Checked between callbacks.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and not is_done():
        executor.spin_once(timeout_sec=0.02)


def measure_video(executor: SingleThreadedExecutor, node: Node, gateway: int, port: int, options: argparse.Namespace) -> bool:
    """Publish frames to pages; print cost and share of frames, and return whether both are good.

    Args:
        executor: Executor of `node`.
        node: Publishes in the camera's place.
        gateway: Process id of the gateway.
        port: Its page port.
        options: Of the command line.
    """
    publisher = node.create_publisher(CompressedImage, 'camera/image_raw/compressed', sensor_stream())
    image = CompressedImage(format='jpeg', data=jpeg())
    command = [sys.executable, __file__, '--be-pages', f'http://127.0.0.1:{port}', '--pages', str(options.pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        process.stdout.readline()
        sent = 0

        def publish() -> None:
            nonlocal sent
            sent += 1
            publisher.publish(image)

        timer = node.create_timer(1 / options.rate, publish)
        spin(executor, 3.0)

        def frames() -> list[int]:
            assert process.stdin and process.stdout
            process.stdin.write('?\n')
            process.stdin.flush()
            return [int(number) for number in json.loads(process.stdout.readline())]

        # After three seconds: connections and encoders have started.
        before, sent_before = frames(), sent
        watched = psutil.Process(gateway)
        cpu_before, began = sum(watched.cpu_times()[:2]), time.monotonic()
        spin(executor, options.seconds)
        cpu = 100 * (sum(watched.cpu_times()[:2]) - cpu_before) / (time.monotonic() - began)
        shares = [(now - then) / (sent - sent_before) for now, then in zip(frames(), before, strict=True)]
        node.destroy_timer(timer)
        process.stdin.close()
    print(
        f'{options.pages} pages at {options.rate:g} fps, {len(image.data) // 1000} kB a frame: {cpu:.1f} % of a core '
        f'(limit {MOST_CPU:g}), frames received {min(shares):.0%} to {max(shares):.0%}; load {os.getloadavg()[0]:.1f}'
    )
    return cpu < MOST_CPU and min(shares) >= LEAST_SHARE


def measure_bookings(executor: SingleThreadedExecutor, node: Node, port: int) -> bool:
    """Book and time the update at a page; print the delays and return whether they are good.

    The delay runs from the request of the booking to the event at the page, and its median must stay
    below MOST_DELAY_MS.

    Args:
        executor: Spins the node while the page waits.
        node: Node with the client of the ledger.
        port: Port of the pages.
    """
    arrived: list[float] = []
    page = socketio.Client(handle_sigint=False)
    page.on('update_inventory', lambda _payload: arrived.append(time.monotonic()))
    page.connect(f'http://127.0.0.1:{port}', transports=['websocket'], retry=True)
    client = node.create_client(AdjustStock, 'inventory/adjust')
    client.wait_for_service(20)
    spin(executor, 20, lambda: bool(arrived))
    delays = []
    for number in range(BOOKINGS):
        count, began = len(arrived), time.monotonic()
        client.call_async(AdjustStock.Request(part_number=PART, tray=TRAY, count=number % 2, reason='bench'))
        spin(executor, 5, lambda count=count: len(arrived) > count)  # type: ignore[misc]
        delays.append(1000 * (arrived[-1] - began))
        spin(executor, 0.05)
    page.disconnect()
    median, p95 = statistics.median(delays), statistics.quantiles(delays, n=20)[-1]
    print(f'booking to page: median {median:.1f} ms (limit {MOST_DELAY_MS:g}), p95 {p95:.1f} ms, longest {max(delays):.1f} ms')
    return median < MOST_DELAY_MS


def main() -> int:
    """Run the bench; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=15.0)
    parser.add_argument('--pages', type=int, default=10)
    parser.add_argument('--rate', type=float, default=15.0)
    parser.add_argument('--be-pages', default='', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be_pages:
        asyncio.run(pages(options.be_pages, options.pages))
        return 0
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        catalogue = {'catalogue_file': ROOT / 'config' / 'parts.yaml'}
        processes = [
            start('cell_inventory', 'inventory', {**catalogue, 'database_url': f'sqlite:///{folder}/cell.db'}),
            start('cell_web', 'socketio_gateway', {**catalogue, 'page_port': port, 'hub_enabled': False}),
        ]
        rclpy.init()
        node = rclpy.create_node('socketio_bench', namespace='cell')
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        try:
            spin(executor, 5.0)
            is_good = measure_bookings(executor, node, port)
            gateway = [processes[1].pid, *(child.pid for child in psutil.Process(processes[1].pid).children(recursive=True))][
                -1
            ]
            is_good = measure_video(executor, node, gateway, port, options) and is_good
        finally:
            node.destroy_node()
            rclpy.try_shutdown()
            for process in processes:
                stop(process)
    print('ok' if is_good else 'NOT ok')
    return 0 if is_good else 1


if __name__ == '__main__':
    sys.exit(main())
