"""Node of a command, with a pause for discovery."""

from __future__ import annotations

import argparse
import os
import time
from types import TracebackType
from typing import Any

import rclpy
import rclpy.action
from rclpy.parameter import Parameter
from typing_extensions import Self

from ros2cli.node import NODE_NAME_PREFIX

DEFAULT_TIMEOUT = 1.0
"""Seconds that a command waits for discovery; upstream waits 0.5 s and has a daemon that already knows the graph."""


class DirectNode:
    """Node that joins the graph, waits for discovery and is destroyed on exit.

    Attributes that this class does not have are those of `node`.
    """

    def __init__(self, args: argparse.Namespace, *, node_name: str | None = None) -> None:
        rclpy.init(args=getattr(args, 'argv', []))
        self.node = rclpy.create_node(
            node_name or f'{NODE_NAME_PREFIX}_{os.getpid()}',
            start_parameter_services=False,
            parameter_overrides=[Parameter('use_sim_time', value=getattr(args, 'use_sim_time', False))],
            automatically_declare_parameters_from_overrides=True,
        )
        deadline = time.monotonic() + getattr(args, 'spin_time', DEFAULT_TIMEOUT)
        while (remaining := deadline - time.monotonic()) > 0:
            rclpy.spin_once(self.node, timeout_sec=remaining)

    def get_action_server_names_and_types_by_node(self, name: str, namespace: str) -> list[tuple[str, list[str]]]:
        """Return the actions that a node serves, with their types."""
        found: list[tuple[str, list[str]]] = rclpy.action.get_action_server_names_and_types_by_node(self.node, name, namespace)
        return found

    def get_action_client_names_and_types_by_node(self, name: str, namespace: str) -> list[tuple[str, list[str]]]:
        """Return the actions that a node calls, with their types."""
        found: list[tuple[str, list[str]]] = rclpy.action.get_action_client_names_and_types_by_node(self.node, name, namespace)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.node.destroy_node()
        rclpy.try_shutdown()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `DirectNode` to a verb."""
    parser.add_argument(
        '--spin-time',
        type=float,
        default=DEFAULT_TIMEOUT,
        help='Spin time in seconds to wait for discovery (only applies when not using an already running daemon)',
    )
    parser.add_argument('-s', '--use-sim-time', action='store_true', help='Enable ROS simulation time')
