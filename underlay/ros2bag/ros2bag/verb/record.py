"""`ros2 bag record`."""

from __future__ import annotations

import argparse
import re
from datetime import datetime
from pathlib import Path

from rclpy.parameter import Parameter
from rosbags.rosbag2 import WriterError

from ros2bag.arguments import print_error
from ros2bag.recorder import STORAGES, Recorder
from ros2bag.selection import Selection
from ros2bag.session import run_until_signal
from ros2bag.verb import VerbExtension


class RecordVerb(VerbExtension):
    """Record ROS data to a bag."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the options."""
        add = parser.add_argument
        add('topics_positional', nargs='*', default=[], metavar='topic', help='Topics to record.')
        add('--topics', nargs='+', default=[], metavar='Topic', help='Topics to record.')
        add('-a', '--all', action='store_true', help='Record all topics but hidden ones.')
        add('--all-topics', action='store_true', help='Record all topics but hidden ones.')
        add('-e', '--regex', default='', help='Record topics whose name contains this regular expression.')
        add('--exclude-regex', default='', help='Leave out topics whose name contains this regular expression.')
        add('--exclude-topics', nargs='+', default=[], metavar='Topic', help='Topics to leave out.')
        add('--include-hidden-topics', action='store_true', help='Record hidden topics as well.')
        add('-o', '--output', help='Folder to make; by default named after the date and time.')
        add('-s', '--storage', default='mcap', choices=sorted(STORAGES), help="Storage, by default '%(default)s'.")
        add('-p', '--polling-interval', type=int, default=100, help='Time between looks for topics [ms].')
        add('--use-sim-time', action='store_true', help='Stamp messages with the time of /clock.')
        add('--node-name', default='rosbag2_recorder', help='Name of the node, by default %(default)s.')

    def main(self, *, args: argparse.Namespace) -> int | str | None:
        """Record until SIGINT or SIGTERM; the bag is closed in either case."""
        if not (args.topics or args.topics_positional or args.all or args.all_topics or args.regex):
            return print_error('Need to specify at least one option out of --all, --all-topics, --topics or --regex')
        for pattern in (args.regex, args.exclude_regex):
            try:
                re.compile(pattern)
            except re.error as problem:
                return print_error(f"'{pattern}' is no regular expression: {problem}")
        path = Path(args.output or f'rosbag2_{datetime.now():%Y_%m_%d-%H_%M_%S}')
        if path.exists():
            return print_error(f"Output folder '{path}' already exists.")
        try:
            recorder = run_until_signal(
                lambda: Recorder(
                    path,
                    _selection(args),
                    args.storage,
                    poll_s=max(args.polling_interval, 1) / 1000.0,
                    node_name=args.node_name,
                    parameter_overrides=[Parameter('use_sim_time', value=args.use_sim_time)],
                )
            )
        except (WriterError, OSError) as problem:
            return print_error(str(problem))
        recorder.get_logger().info(f"Recorded {recorder.count} messages of {len(recorder.topics)} topics in '{path}'")
        return 0


def _selection(args: argparse.Namespace) -> Selection:
    return Selection(
        topics=_absolute([*args.topics, *args.topics_positional]),
        everything=args.all or args.all_topics,
        regex=args.regex,
        exclude_regex=args.exclude_regex,
        exclude_topics=_absolute(args.exclude_topics),
        hidden=args.include_hidden_topics,
    )


def _absolute(names: list[str]) -> frozenset[str]:
    return frozenset(name if name.startswith('/') else '/' + name for name in names)
