"""ros2 pkg executables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ros2pkg.api import PackageNotFound, get_executable_paths, get_package_names

from . import VerbExtension


class ExecutablesVerb(VerbExtension):
    """Output a list of package specific executables."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        parser.add_argument('package_name', nargs='?', help='The package name')
        parser.add_argument('--full-path', action='store_true', help='Show full path of each executable')

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Write it; return what is wrong if there is no such package."""
        names = sorted(get_package_names()) if args.package_name is None else [args.package_name]
        for name in names:
            try:
                paths = get_executable_paths(package_name=name)
            except PackageNotFound as problem:
                return str(problem)
            for path in sorted(paths):
                sys.stdout.write(f'{path}\n' if args.full_path else f'{name} {Path(path).name}\n')
        return None
