"""Command `ros2 topic`."""

from __future__ import annotations

import argparse

from ros2cli.command import CommandExtension, add_subparsers_on_demand


class TopicCommand(CommandExtension):
    """Various topic related sub-commands."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add the verbs."""
        self._subparser = parser
        add_subparsers_on_demand(parser, cli_name, '_verb', 'ros2topic.verb', required=False)

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | str | None:  # noqa: ARG002
        """Run the verb; without one, print the help text."""
        if not hasattr(args, '_verb'):
            self._subparser.print_help()
            return 0
        result: int | str | None = args._verb.main(args=args)
        return result
