"""ros2 run."""

from __future__ import annotations

import argparse
import shlex

from ros2cli.command import CommandExtension
from ros2pkg.api import PackageNotFound

from ros2run.api import MultipleExecutables, get_executable_path, run_executable


class RunCommand(CommandExtension):
    """Run a package specific executable."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        parser.add_argument(
            '--prefix',
            help='Prefix command, which should go before the executable. '
            "Command must be wrapped in quotes if it contains spaces (e.g. --prefix 'gdb -ex run --args').",
        )
        parser.add_argument('package_name', help='Name of the ROS package')
        parser.add_argument('executable_name', help='Name of the executable')
        parser.add_argument('argv', nargs=argparse.REMAINDER, help='Pass arbitrary arguments to the executable')

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> str:  # noqa: ARG002
        """Run it; return what is wrong if that cannot be done."""
        try:
            path = get_executable_path(package_name=args.package_name, executable_name=args.executable_name)
        except (PackageNotFound, MultipleExecutables) as problem:
            return str(problem)
        if path is None:
            return 'No executable found'
        try:
            run_executable(path=path, argv=args.argv, prefix=shlex.split(args.prefix or ''))
        except OSError as problem:
            return f'cannot run {path}: {problem}'
