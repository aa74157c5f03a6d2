"""The command `ros2 bag`."""

from __future__ import annotations

import argparse

from ros2cli.command import CommandExtension, add_subparsers_on_demand


class BagCommand(CommandExtension):
    """Various rosbag related sub-commands."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Let the verbs add their arguments."""
        self._subparser = parser
        add_subparsers_on_demand(parser, cli_name, '_verb', 'ros2bag.verb', required=False)

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | str | None:  # noqa: ARG002
        """Call the verb."""
        if not hasattr(args, '_verb'):
            self._subparser.print_help()
            return 0
        result: int | str | None = args._verb.main(args=args)
        return result
