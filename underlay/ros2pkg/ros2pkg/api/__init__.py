"""Packages and their executables, as the ament index knows them."""

from __future__ import annotations

import os
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_packages_with_prefixes

__all__ = ['PackageNotFound', 'get_executable_paths', 'get_package_names', 'get_prefix_path', 'package_name_completer']


class PackageNotFound(Exception):
    """There is no such package."""

    def __init__(self, package_name: str) -> None:
        super().__init__(f"Package '{package_name}' not found")
        self.package_name = package_name


def get_package_names() -> list[str]:
    """Return the names of all packages."""
    return list(get_packages_with_prefixes())


def get_prefix_path(package_name: str) -> str | None:
    """Return the prefix into which a package is installed, None if there is no such package."""
    try:
        return str(get_package_prefix(package_name))
    except (PackageNotFoundError, ValueError):
        return None


def get_executable_paths(*, package_name: str) -> list[str]:
    """Return the paths of a package's executables.

    Raises:
        PackageNotFound: there is no such package.
    """
    prefix = get_prefix_path(package_name)
    if prefix is None:
        raise PackageNotFound(package_name)
    found: list[str] = []
    for folder, inner, names in os.walk(Path(prefix, 'lib', package_name)):
        inner[:] = sorted(name for name in inner if not name.startswith('.'))
        paths = (Path(folder, name) for name in sorted(names))
        found.extend(str(path) for path in paths if os.access(path, os.X_OK))
    return found


def package_name_completer(**_: object) -> list[str]:
    """Return the names of all packages, for completion on the command line."""
    return get_package_names()
