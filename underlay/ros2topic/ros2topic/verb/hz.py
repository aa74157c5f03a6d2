"""Verb `ros2 topic hz`."""

from __future__ import annotations

import argparse
import contextlib
import statistics
from collections import deque

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.qos import qos_profile_sensor_data
from ros2cli.node.direct import DirectNode, add_arguments

from ros2topic.api import get_msg_class, positive_int

from . import VerbExtension

DEFAULT_WINDOW_SIZE = 10000
PRINT_PERIOD_S = 1.0


class RateMeter:
    """Intervals between messages, at most `window_size` of them."""

    def __init__(self, window_size: int) -> None:
        self._intervals_ns: deque[int] = deque(maxlen=window_size)
        self._last_ns: int | None = None
        self._fresh = False

    def add(self, stamp_ns: int) -> None:
        """Count a message; a clock that jumps back starts the measurement again."""
        if self._last_ns is not None and stamp_ns < self._last_ns:
            self._intervals_ns.clear()
        elif self._last_ns is not None:
            self._intervals_ns.append(stamp_ns - self._last_ns)
            self._fresh = True
        self._last_ns = stamp_ns

    def report(self) -> str | None:
        """Return rate and jitter as text; None if no interval was added since the last report."""
        if not self._fresh:
            return None
        self._fresh = False
        intervals = [interval * 1e-9 for interval in self._intervals_ns]
        mean = statistics.fmean(intervals)
        return (
            f'average rate: {1.0 / mean if mean > 0 else 0.0:.3f}\n'
            f'\tmin: {min(intervals):.3f}s max: {max(intervals):.3f}s '
            f'std dev: {statistics.pstdev(intervals):.5f}s window: {len(intervals)}'
        )


class HzVerb(VerbExtension):
    """Print the average publishing rate to screen."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add = parser.add_argument
        add('topic_name', help="Name of the ROS topic to listen to (e.g. '/chatter')")
        add(
            '--window',
            '-w',
            dest='window_size',
            type=positive_int,
            default=DEFAULT_WINDOW_SIZE,
            metavar='WINDOW',
            help='window size, in # of messages, for calculating rate (default: %(default)d)',
        )
        add('--wall-time', action='store_true', help='calculates rate using wall time, also with simulation time')
        add_arguments(parser)

    def main(self, *, args: argparse.Namespace) -> None:
        """Print the rate once a second until interrupted."""
        with DirectNode(args) as node:
            kind = get_msg_class(node, args.topic_name, blocking=True, include_hidden_topics=True)
            meter = RateMeter(args.window_size)
            clock = Clock(clock_type=ClockType.SYSTEM_TIME) if args.wall_time else node.get_clock()
            node.create_subscription(
                kind, args.topic_name, lambda _: meter.add(clock.now().nanoseconds), qos_profile_sensor_data
            )
            node.create_timer(PRINT_PERIOD_S, lambda: _print_report(meter), clock=Clock(clock_type=ClockType.STEADY_TIME))
            with contextlib.suppress(ExternalShutdownException):
                rclpy.spin(node.node)


def _print_report(meter: RateMeter) -> None:
    report = meter.report()
    if report is not None:
        print(report)
