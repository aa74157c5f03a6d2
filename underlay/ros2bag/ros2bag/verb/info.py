"""`ros2 bag info`."""

from __future__ import annotations

import argparse
import sys

from rosbags.rosbag2 import ReaderError

from ros2bag.arguments import existing_path, print_error
from ros2bag.report import describe, topic_names
from ros2bag.verb import VerbExtension


class InfoVerb(VerbExtension):
    """Print information about a bag to the screen."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the options."""
        parser.add_argument('bag_path', type=existing_path, help='Bag to describe.')
        parser.add_argument('-s', '--storage', default='', help='Accepted; the storage is found out.')
        parser.add_argument('-t', '--topic-name', action='store_true', help='Only display topic names.')

    def main(self, *, args: argparse.Namespace) -> int | str | None:
        """Print the description of a bag."""
        try:
            text = '\n'.join([*topic_names(args.bag_path), '']) if args.topic_name else describe(args.bag_path)
        except (ReaderError, OSError) as problem:
            return print_error(str(problem))
        sys.stdout.write(text)
        return 0
