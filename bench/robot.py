#!/usr/bin/env python3
"""Round trip of a trigger: ROS action to the robot's socket and back, against a bare socket ping-pong in the same run.

    . ./env.sh && python bench/robot.py [--count 100] [--pause 0.5] [--receive 60]

The robot node, the UR program and the client are separate processes. The program acknowledges and finishes immediately, so
the measurement is the time that the node adds. "acknowledged" is the time until the feedback, "result" until the result.
The kinds of round trip alternate, so all of them run under the same load.
Triggers have a pause between them, as with a robot. An action server lists every goal of the last seconds in every status
message, so thousands in a row would measure that list. Then the data of a controller is received, see robot_receive.py.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rclpy
import robot_receive
from cell_common.runner import SWITCH_S
from cell_common.testing import free_port
from cell_robot.node import RESULT_TIMEOUT_S
from cell_robot.testing import FakeProgram
from rclpy.action.client import ActionClient
from rclpy.action.server import ActionServer, ServerGoalHandle
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

from cell_interfaces.action import TriggerRobot

GOAL_MS, GOAL_P99_MS = 3.0, 10.0
FREQUENCY_HZ = 125.0
# The first goals pay for discovery and for imports.
WARM_UP = 5
START_S = 60.0
CATALOGUE = Path(__file__).parents[1] / 'config' / 'parts.yaml'


def run_program(port: int) -> None:
    """Run the UR program until killed; it connects again whenever the node has closed the connection."""
    while True:
        with contextlib.suppress(ConnectionRefusedError), FakeProgram(port, heartbeat=1.0) as program:
            program.gone.wait()


def echo(listener: socket.socket) -> None:
    """Answer each line with two lines on a bare socket, like the program."""
    stream, _ = listener.accept()
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := stream.recv(4096):
        identity = data.split()[1]
        stream.sendall(b'ACK %s\n' % identity)
        stream.sendall(b'DONE %s\n' % identity)


def run_bare_action() -> None:
    """Run an action server that only acknowledges and succeeds: the cost of rclpy itself."""
    rclpy.init()
    node = Node('bare', namespace='bare')

    def execute(goal: ServerGoalHandle) -> TriggerRobot.Result:
        goal.publish_feedback(TriggerRobot.Feedback(state=TriggerRobot.Feedback.ACKNOWLEDGED))
        goal.succeed()
        return TriggerRobot.Result(outcome=TriggerRobot.Result.SUCCEEDED)

    ActionServer(node, TriggerRobot, 'robot/trigger', execute, result_timeout=RESULT_TIMEOUT_S)
    with contextlib.suppress(ExternalShutdownException):
        rclpy.spin(node)


class Socket:
    """Round trips over a bare socket: what the operating system takes, whatever the node does."""

    def __init__(self) -> None:
        """Connect to an echo in a process of its own, over loopback, without Nagle's delay: the floor for any robot node."""
        listener = socket.create_server(('127.0.0.1', 0))
        self.peer = multiprocessing.Process(target=echo, args=(listener,), daemon=True)
        self.peer.start()
        self._stream = socket.create_connection(listener.getsockname())
        self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def trip(self, number: int) -> tuple[float, float]:
        """Send one line; return the seconds until the first and the last answer.

        Args:
            number: Makes the line unique.
        """
        began = time.perf_counter()
        self._stream.sendall(b'H trip-%d\n' % number)
        data = self._stream.recv(4096)
        first = time.perf_counter() - began
        while data.count(b'\n') < 2:
            data += self._stream.recv(4096)
        return first, time.perf_counter() - began


class Action:
    """Round trips through a ROS action."""

    def __init__(self, namespace: str) -> None:
        """Create an action client, and wait up to 10 s for the node.

        Args:
            namespace: Namespace of the robot node.
        """
        self._node = Node('bench', namespace=namespace)
        self._client = ActionClient(self._node, TriggerRobot, 'robot/trigger')
        self._executor = SingleThreadedExecutor()  # as in every node of the cell
        self._executor.add_node(self._node)
        self._client.wait_for_server(10.0)

    def wait(self, future: Future) -> Any:
        """Spin until a future is done.

        spin_until_future_complete would add a callback to the future at each turn, hundreds of tasks per trip in the end. The
        client would be measured instead of the node.
        """
        deadline = time.monotonic() + 10.0
        while not future.done() and time.monotonic() < deadline:
            self._executor.spin_once(1.0)
        return future.result()

    def trip(self, number: int) -> tuple[float, float]:
        """Send one trigger; return the seconds until its acknowledgement and its result.

        Args:
            number: Makes the trigger id unique within this process.

        Raises:
            SystemExit: The trigger did not succeed.
        """
        times = []

        def on_feedback(message: TriggerRobot.Impl.FeedbackMessage) -> None:
            if message.feedback.state == TriggerRobot.Feedback.ACKNOWLEDGED:
                times.append(time.perf_counter() - began)

        goal = TriggerRobot.Goal(trigger_id=f'trip-{os.getpid()}-{number}', event='HOME')
        began = time.perf_counter()
        handle = self.wait(self._client.send_goal_async(goal, feedback_callback=on_feedback))
        result = self.wait(handle.get_result_async()).result
        whole = time.perf_counter() - began
        if result.outcome != TriggerRobot.Result.SUCCEEDED:
            raise SystemExit(f'trigger {number} failed: {result.message}')
        # Feedback and result may arrive in one turn of the executor, the result first.
        return times[0] if times else whole, whole


Trip = Callable[[int], tuple[float, float]]


def measure(kinds: Sequence[Trip], count: int, pause: float) -> list[tuple[list[float], list[float]]]:
    """Alternate `count` trips of each kind; return the sorted first and last answers of each, milliseconds.

    Args:
        kinds: Functions that make one trip.
        count: Trips of each kind, after WARM_UP trips that do not count.
        pause: Seconds between two trips of a kind.
    """
    trips: list[list[tuple[float, float]]] = [[] for _ in kinds]
    for number in range(count + WARM_UP):
        # In turns, so that other load on the machine hits all kinds alike.
        for made, trip in zip(trips, kinds, strict=True):
            made.append(trip(number))
            time.sleep(pause / len(kinds))
    return [
        (sorted(first * 1e3 for first, _ in made[WARM_UP:]), sorted(last * 1e3 for _, last in made[WARM_UP:])) for made in trips
    ]


def show(name: str, times: list[float]) -> None:
    """Print one line of the table: median, 99th percentile, maximum, milliseconds.

    Args:
        name: What was measured.
        times: Milliseconds, sorted.
    """
    print(f'{name:34}{statistics.median(times):9.3f}{times[round(0.99 * (len(times) - 1))]:9.3f}{times[-1]:9.3f}')


def start_node(port: int) -> subprocess.Popen[bytes]:
    """Start the robot node as the launch file does."""
    run = 'from cell_robot.node import main; main()'
    return subprocess.Popen(
        [
            sys.executable,
            '-c',
            run,
            '--ros-args',
            '-r',
            '__ns:=/cell',
            '-p',
            f'port:={port}',
            '-p',
            f'catalogue_file:={CATALOGUE}',
            '--log-level',
            'warn',
        ]
    )


def main() -> int:
    """Measure and print; the exit code says whether the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=100, help='trips of each kind')
    parser.add_argument('--pause', type=float, default=0.5, help='seconds between two trips of a kind')
    parser.add_argument('--receive', type=float, default=60.0, help='seconds to receive data; 0 = not')
    chosen = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)  # as the runner of the nodes does
    bare = Socket()
    port = free_port()
    node = start_node(port)
    program = multiprocessing.Process(target=run_program, args=(port,), daemon=True)
    program.start()
    # Not forked: rclpy does not survive a fork.
    bare_action = multiprocessing.get_context('spawn').Process(target=run_bare_action, daemon=True)
    bare_action.start()
    rclpy.init()
    try:
        action, floor = Action('cell'), Action('bare')
        deadline = time.monotonic() + START_S
        while True:  # until the program has connected
            try:
                action.trip(-1 - time.monotonic_ns())
                break
            except SystemExit:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        (socket_first, socket_last), (floor_first, floor_last), (ros_first, ros_last) = measure(
            (bare.trip, floor.trip, action.trip), chosen.count, chosen.pause
        )
    finally:
        for process in (bare.peer, program, bare_action, node):
            process.terminate()
        rclpy.try_shutdown()
    print(f'{"milliseconds":34}{"p50":>9}{"p99":>9}{"max":>9}')
    for name, times in (
        ('socket: first answer', socket_first),
        ('socket: last answer', socket_last),
        ('bare action: acknowledged', floor_first),
        ('bare action: result', floor_last),
        ('action: acknowledged', ros_first),
        ('action: result', ros_last),
    ):
        show(name, times)
    added = statistics.median(ros_first) - statistics.median(socket_first)
    print(f'added to the acknowledgement, median: {added:.2f} ms (goal: under {GOAL_MS:g} ms)')
    bare_added = statistics.median(floor_first) - statistics.median(socket_first)
    print(f'of that, a bare rclpy action: {bare_added:.2f} ms')
    slowest = ros_first[round(0.99 * (len(ros_first) - 1))]
    print(f'99 of 100 acknowledgements within {slowest:.1f} ms (goal: under {GOAL_P99_MS:g} ms)')
    good = added < GOAL_MS and slowest < GOAL_P99_MS
    if chosen.receive > 0:
        good &= robot_receive.show(robot_receive.measure(FREQUENCY_HZ, chosen.receive), FREQUENCY_HZ)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
