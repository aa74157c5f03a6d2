"""Substitutions that look packages up in the ament index."""

from __future__ import annotations

import shutil
from pathlib import Path

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch._uncovered import refuse
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from launch import LaunchContext, SomeSubstitutionsType, Substitution

__all__ = ['ExecutableInPackage', 'FindPackage', 'FindPackagePrefix', 'FindPackageShare']

__getattr__ = refuse(__name__, 'Parameter')


def _described(parts: list[Substitution]) -> str:
    return ' + '.join(part.describe() for part in parts)


class FindPackage(Substitution):
    """Base of the substitutions for a folder of a package."""

    def __init__(self, package: SomeSubstitutionsType) -> None:
        super().__init__()
        self._package = normalize_to_list_of_substitutions(package)

    @property
    def package(self) -> list[Substitution]:
        """The name of the package as substitutions."""
        return self._package

    def find(self, package_name: str) -> str:
        """Return the folder of a package; subclasses say which."""
        raise NotImplementedError(f'{type(self).__name__}.find()')

    def describe(self) -> str:
        """Return a description for ``ros2 launch --print-description``."""
        return f'{type(self).__name__}(pkg={_described(self._package)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the folder.

        Raises:
            PackageNotFoundError: there is no such package.
        """
        return self.find(perform_substitutions(context, self._package))


class FindPackagePrefix(FindPackage):
    """The prefix into which a package is installed."""

    def find(self, package_name: str) -> str:
        """Return the prefix, e.g. ``/opt/ros/jazzy``."""
        return str(get_package_prefix(package_name))


class FindPackageShare(FindPackage):
    """The share folder of a package."""

    def find(self, package_name: str) -> str:
        """Return the share folder, e.g. ``/opt/ros/jazzy/share/rviz2``."""
        return str(get_package_share_directory(package_name))


class ExecutableInPackage(FindPackagePrefix):
    """The path of an executable of a package."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        super().__init__(package)
        self._executable = normalize_to_list_of_substitutions(executable)

    @property
    def executable(self) -> list[Substitution]:
        """The name of the executable as substitutions."""
        return self._executable

    def describe(self) -> str:
        """Return a description for ``ros2 launch --print-description``."""
        return f'ExecInPkg(pkg={_described(self._package)}, exec={_described(self._executable)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the executable's path.

        Raises:
            PackageNotFoundError: there is no such package.
            SubstitutionFailure: the package has no such executable.
        """
        package = perform_substitutions(context, self._package)
        executable = perform_substitutions(context, self._executable)
        prefix = super().perform(context)
        folder = Path(prefix, 'lib', package)
        if not folder.is_dir():
            raise SubstitutionFailure(
                f"package '{package}' found at '{prefix}', but libexec directory '{folder}' does not exist"
            )
        found = shutil.which(executable, path=str(folder))
        if found is None:
            raise SubstitutionFailure(f"executable '{executable}' not found on the libexec directory '{folder}'")
        return found
