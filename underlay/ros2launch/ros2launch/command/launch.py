"""ros2 launch."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ros2cli.command import CommandExtension


class LaunchCommand(CommandExtension):
    """Run a launch file."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        parser.add_argument(
            '-n',
            '--noninteractive',
            default=not sys.stdin.isatty(),
            action='store_true',
            help='Run the launch system non-interactively, with no terminal associated',
        )
        parser.add_argument(
            '-d', '--debug', action='store_true', help='Put the launch system in debug mode, provides more verbose output.'
        )
        parser.add_argument(
            '-p',
            '--print',
            '--print-description',
            action='store_true',
            help='Print the launch description to the console without launching it.',
        )
        parser.add_argument(
            '-s',
            '--show-args',
            '--show-arguments',
            action='store_true',
            help='Show arguments that may be given to the launch file.',
        )
        parser.add_argument(
            '-a',
            '--show-all-subprocesses-output',
            action='store_true',
            help="Show all launched subprocesses' output by overriding their output configuration "
            'using the OVERRIDE_LAUNCH_PROCESS_OUTPUT envvar.',
        )
        parser.add_argument(
            '--launch-prefix',
            help='Prefix command, which should go before all executables. Command must be '
            "wrapped in quotes if it contains spaces (e.g. --launch-prefix 'xterm -e gdb -ex run --args').",
        )
        parser.add_argument(
            '--launch-prefix-filter',
            help='Regex pattern for filtering which executables the --launch-prefix '
            'is applied to by matching the executable name.',
        )
        parser.add_argument(
            'package_name', help='Name of the ROS package which contains the launch file, or path of a launch file'
        )
        parser.add_argument('launch_file_name', nargs='?', help='Name of the launch file')
        parser.add_argument(
            'launch_arguments',
            nargs='*',
            help="Arguments to the launch file; '<name>:=<value>' (for duplicates, last one wins)",
        )

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | str | None:  # noqa: ARG002
        """Launch it; return the exit code or what is wrong."""
        from ament_index_python.packages import PackageNotFoundError

        from ros2launch.api import MultipleLaunchFilesError

        if args.launch_prefix_filter is not None and args.launch_prefix is None:
            return '--launch-prefix must be specified if --launch-prefix-filter is provided'
        try:
            path, arguments = self._launch_file(args)
            return self._run(args, path, arguments)
        except PackageNotFoundError as problem:
            return f"Package '{args.package_name}' not found: {problem}"
        except (FileNotFoundError, MultipleLaunchFilesError) as problem:
            return str(problem)

    @staticmethod
    def _launch_file(args: argparse.Namespace) -> tuple[str, list[str]]:
        """Return the path of the launch file and its arguments; given a path, the second word is an argument already."""
        from ros2launch.api import get_share_file_path_from_package

        first = [] if args.launch_file_name is None else [args.launch_file_name]
        if Path(args.package_name).is_file():
            return args.package_name, [*first, *args.launch_arguments]
        if not first:
            raise RuntimeError('No launch file supplied')
        path = get_share_file_path_from_package(package_name=args.package_name, file_name=args.launch_file_name)
        return path, args.launch_arguments

    @staticmethod
    def _run(args: argparse.Namespace, path: str, arguments: list[str]) -> int | None:
        from ros2launch.api import launch_a_launch_file, print_a_launch_file, print_arguments_of_launch_file

        if args.show_args:
            print_arguments_of_launch_file(launch_file_path=path)
            return None
        if args.print:
            print_a_launch_file(launch_file_path=path)
            return None
        if args.show_all_subprocesses_output:
            os.environ['OVERRIDE_LAUNCH_PROCESS_OUTPUT'] = 'both'
        for name, value in (('launch-prefix', args.launch_prefix), ('launch-prefix-filter', args.launch_prefix_filter)):
            if value:
                arguments = [*arguments, f'{name}:={value}']
        return launch_a_launch_file(
            launch_file_path=path, launch_file_arguments=arguments, noninteractive=args.noninteractive, debug=args.debug
        )
