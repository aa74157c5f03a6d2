"""`ros2 bag play`."""

from __future__ import annotations

import argparse

from rosbags.rosbag2 import ReaderError

from ros2bag.arguments import existing_path, not_negative_float, positive_float, print_error, remapping
from ros2bag.player import Playback, Player
from ros2bag.session import run_until_signal
from ros2bag.verb import VerbExtension


class PlayVerb(VerbExtension):
    """Play back ROS data from a bag."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the options."""
        add = parser.add_argument
        add('bag_path', type=existing_path, help='Bag to play.')
        add('-s', '--storage', default='', help='Accepted; the storage is found out.')
        add('-r', '--rate', type=positive_float, default=1.0, help='Rate at which to play, > 0.')
        add('--topics', nargs='+', default=[], metavar='topic', help='Topics to play, by default all.')
        add('--exclude-topics', nargs='+', default=[], metavar='topic', help='Topics not to play.')
        add('-l', '--loop', action='store_true', help='Begin again at the end.')
        add('-m', '--remap', nargs='+', type=remapping, default=[], metavar='old:=new', help='Topics to rename.')
        add(
            '--clock',
            type=positive_float,
            nargs='?',
            const=40.0,
            default=0.0,
            metavar='HZ',
            help='Publish /clock at this frequency, %(const)s Hz by default.',
        )
        add('-d', '--delay', type=not_negative_float, default=0.0, help='Time to wait before playing [s].')
        add('--playback-duration', type=float, default=-1.0, help='Time of the bag to play, negative for all [s].')
        add('--start-offset', type=not_negative_float, default=0.0, help='Time of the bag to skip [s].')
        add('--disable-keyboard-controls', action='store_true', help='Accepted; there are none.')

    def main(self, *, args: argparse.Namespace) -> int | str | None:
        """Play until the end or an interruption."""
        playback = Playback(
            rate=args.rate,
            topics=frozenset(args.topics),
            exclude_topics=frozenset(args.exclude_topics),
            remap=dict(args.remap),
            clock_hz=args.clock,
            start_offset_s=args.start_offset,
            delay_s=args.delay,
            duration_s=args.playback_duration,
            loop=args.loop,
        )
        try:
            run_until_signal(lambda: Player(args.bag_path, playback))
        except (ReaderError, OSError) as problem:
            return print_error(str(problem))
        return 0
