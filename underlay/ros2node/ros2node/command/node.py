"""Command `ros2 node`."""

from __future__ import annotations

import argparse

from ros2cli.command import CommandExtension, add_subparsers_on_demand


class NodeCommand(CommandExtension):
    """Various node related sub-commands."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add the verbs."""
        self._subparser = parser
        add_subparsers_on_demand(parser, cli_name, '_verb', 'ros2node.verb', required=False)

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | str | None:  # noqa: ARG002
        """Run the verb; without one, print the help text."""
        if not hasattr(args, '_verb'):
            self._subparser.print_help()
            return 0
        result: int | str | None = args._verb.main(args=args)
        return result
