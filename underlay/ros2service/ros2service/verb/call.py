"""Verb `ros2 service call`."""

from __future__ import annotations

import argparse
import time

import rclpy
import yaml
from ros2cli.node import NODE_NAME_PREFIX
from ros2cli.node.direct import DirectNode
from rosidl_runtime_py import set_message_fields

from ros2service.api import load_service_class

from . import VerbExtension


class CallVerb(VerbExtension):
    """Call a service."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        add = parser.add_argument
        add('service_name', help="Name of the ROS service to call to (e.g. '/add_two_ints')")
        add('service_type', help="Type of the ROS service (e.g. 'std_srvs/srv/Empty')")
        add(
            'values',
            nargs='?',
            default='{}',
            help="Values to fill the service request with in YAML format (e.g. '{a: 1, b: 2}'), "
            'otherwise the service request will be published with default values',
        )
        add('-r', '--rate', metavar='N', type=float, help='Repeat the call at a specific rate in Hz')

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Call the service once, or at a rate until interrupted; return an error if the values do not fit.

        Raises:
            RuntimeError: The rate or the type is invalid, or the call failed.
        """
        if args.rate is not None and args.rate <= 0:
            raise RuntimeError('rate must be greater than zero')
        service = load_service_class(args.service_type)
        request = service.Request()  # type: ignore[attr-defined]  # checked when it was loaded
        try:
            set_message_fields(request, yaml.safe_load(args.values))
        except Exception as error:  # any value that does not fit its field
            return f'Failed to populate field: {error}'
        name = f'{NODE_NAME_PREFIX}_requester_{args.service_type.split("/")[0]}_{args.service_type.split("/")[-1]}'
        with DirectNode(argparse.Namespace(spin_time=0.0), node_name=name) as node:
            client = node.create_client(service, args.service_name)
            if not client.service_is_ready():
                print('waiting for service to become available...')
                client.wait_for_service()
            while True:
                started = time.monotonic()
                print(f'requester: making request: {request!r}\n')
                future = client.call_async(request)
                rclpy.spin_until_future_complete(node.node, future)
                if future.result() is None:
                    raise RuntimeError(f'Exception while calling service: {future.exception()!r}')
                print(f'response:\n{future.result()!r}\n')
                if args.rate is None or not node.context.ok():
                    return None
                time.sleep(max(0.0, started + 1.0 / args.rate - time.monotonic()))
