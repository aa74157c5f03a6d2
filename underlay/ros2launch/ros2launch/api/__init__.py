"""Finding launch files, showing their arguments and launching them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import AnyLaunchDescriptionSource, get_launch_description_from_any_launch_file

from launch import LaunchDescription, LaunchIntrospector, LaunchService

__all__ = [
    'MultipleLaunchFilesError',
    'get_share_file_path_from_package',
    'launch_a_launch_file',
    'parse_launch_arguments',
    'print_a_launch_file',
    'print_arguments_of_launch_description',
    'print_arguments_of_launch_file',
]


class MultipleLaunchFilesError(Exception):
    """A package has several files of the same name."""

    def __init__(self, msg: str, paths: Sequence[str]) -> None:
        super().__init__(msg)
        self.paths = paths


def get_share_file_path_from_package(*, package_name: str, file_name: str) -> str:
    """Return the path of a file below a package's share folder.

    Raises:
        PackageNotFoundError: there is no such package.
        FileNotFoundError: it has no such file.
        MultipleLaunchFilesError: it has several.
    """
    share = str(get_package_share_directory(package_name))
    found = [str(Path(folder, file_name)) for folder, _, names in os.walk(share) if file_name in names]
    if not found:
        raise FileNotFoundError(
            f"file '{file_name}' was not found in the share directory of package '{package_name}' which is at '{share}'"
        )
    if len(found) > 1:
        raise MultipleLaunchFilesError(
            f"file '{file_name}' was found more than once in the share directory of package "
            f"'{package_name}': [{', '.join(found)}]",
            found,
        )
    return found[0]


def print_arguments_of_launch_description(*, launch_description: LaunchDescription) -> None:
    """Write the arguments of a launch description to stdout."""
    lines = ["Arguments (pass arguments as '<name>:=<value>'):"]
    arguments = launch_description.get_launch_arguments()
    for argument in arguments:
        mark = '*' if argument._conditionally_included else ''
        lines += ['', f"    '{argument.name}':{mark}", f'        {argument.description}']
        if argument.default_value is not None:
            lines.append(f'        (default: {" + ".join(part.describe() for part in argument.default_value)})')
    if any(argument._conditionally_included for argument in arguments):
        lines += ['', '* argument(s) which are only used if specific conditions occur']
    if not arguments:
        lines += ['', '  No arguments.']
    sys.stdout.write('\n'.join(lines) + '\n')


def print_arguments_of_launch_file(*, launch_file_path: str) -> None:
    """Write the arguments of a launch file to stdout."""
    description = get_launch_description_from_any_launch_file(launch_file_path)
    print_arguments_of_launch_description(launch_description=description)


def print_a_launch_file(*, launch_file_path: str) -> None:
    """Print the description of a launch file to the console."""
    description = get_launch_description_from_any_launch_file(launch_file_path)
    print(LaunchIntrospector().format_launch_description(description))


def parse_launch_arguments(launch_arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Return name and value of arguments written ``name:=value``; of several with the same name the last one counts.

    Raises:
        RuntimeError: one is not written so.
    """
    found: dict[str, str] = {}
    for argument in launch_arguments:
        name, separator, value = argument.partition(':=')
        if not separator or not name or not value:
            raise RuntimeError(f"malformed launch argument '{argument}', expected format '<name>:=<value>'")
        found[name] = value
    return list(found.items())


def launch_a_launch_file(
    *,
    launch_file_path: str,
    launch_file_arguments: Sequence[str],
    noninteractive: bool = False,
    debug: bool = False,
) -> int:
    """Launch a launch file with arguments written ``name:=value``; return the exit code when everything has ended.

    Raises:
        RuntimeError: an argument is not written so.
    """
    arguments = parse_launch_arguments(launch_file_arguments)
    service = LaunchService(argv=launch_file_arguments, noninteractive=noninteractive, debug=debug)
    service.include_launch_description(
        LaunchDescription(
            [
                IncludeLaunchDescription(AnyLaunchDescriptionSource(launch_file_path), launch_arguments=arguments),
            ]
        )
    )
    return service.run()
