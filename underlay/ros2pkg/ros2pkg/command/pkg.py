"""ros2 pkg."""

from __future__ import annotations

import argparse

from ros2cli.command import CommandExtension, add_subparsers_on_demand


class PkgCommand(CommandExtension):
    """Various package related sub-commands."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add the verbs."""
        self._parser = parser
        add_subparsers_on_demand(parser, cli_name, '_verb', 'ros2pkg.verb', required=False)

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | str | None:  # noqa: ARG002
        """Run the verb, or show the help."""
        if not hasattr(args, '_verb'):
            self._parser.print_help()
            return 0
        return args._verb.main(args=args)  # type: ignore[no-any-return]
