"""Launch files."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

from launch._uncovered import refuse
from launch.launch_description import LaunchDescription
from launch.launch_description_source import LaunchDescriptionSource
from launch.some_substitutions_type import SomeSubstitutionsType

__all__ = [
    'AnyLaunchDescriptionSource',
    'InvalidLaunchFileError',
    'InvalidPythonLaunchFileError',
    'PythonLaunchDescriptionSource',
    'get_launch_description_from_any_launch_file',
    'get_launch_description_from_python_launch_file',
]

__getattr__ = refuse(__name__, 'FrontendLaunchDescriptionSource', 'XMLLaunchDescriptionSource', 'YAMLLaunchDescriptionSource')


class InvalidLaunchFileError(Exception):
    """A file is no launch file."""


class InvalidPythonLaunchFileError(InvalidLaunchFileError):
    """A Python file is no launch file."""


def get_launch_description_from_python_launch_file(python_launch_file_path: str) -> LaunchDescription:
    """Load a launch file in Python.

    Raises:
        InvalidPythonLaunchFileError: it has no ``generate_launch_description()``.
        FileNotFoundError: there is no such file.
    """
    path = str(python_launch_file_path)
    spec = importlib.util.spec_from_loader('python_launch_file', SourceFileLoader('python_launch_file', path))
    if spec is None or spec.loader is None:
        raise InvalidPythonLaunchFileError(f"launch file at '{path}' cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, 'generate_launch_description'):
        raise InvalidPythonLaunchFileError(
            f"launch file at '{path}' does not contain the required function 'generate_launch_description()'"
        )
    description = module.generate_launch_description()
    if not isinstance(description, LaunchDescription):
        raise InvalidPythonLaunchFileError(f"generate_launch_description() of '{path}' returned no LaunchDescription")
    return description


def get_launch_description_from_any_launch_file(launch_file_path: str) -> LaunchDescription:
    """Load a launch file.

    Raises:
        FileNotFoundError: there is no such file.
        InvalidLaunchFileError: it is written in XML or YAML, which is not covered here.
    """
    if not Path(launch_file_path).is_file():
        raise FileNotFoundError(f"launch file '{launch_file_path}' was not found")
    if Path(launch_file_path).suffix != '.py':
        raise InvalidLaunchFileError(f"'{launch_file_path}' is no launch file in Python; others need a full ROS 2 installation")
    return get_launch_description_from_python_launch_file(launch_file_path)


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file in Python."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(None, launch_file_path, 'interpreted python launch file')

    def _get_launch_description(self, location: str) -> LaunchDescription:
        return get_launch_description_from_python_launch_file(location)


class AnyLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(None, launch_file_path, 'launch file')

    def _get_launch_description(self, location: str) -> LaunchDescription:
        return get_launch_description_from_any_launch_file(location)
