"""ros2 pkg prefix."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ros2pkg.api import get_prefix_path

from . import VerbExtension


class PrefixVerb(VerbExtension):
    """Output the prefix path of a package."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        parser.add_argument('package_name', help='The package name')
        parser.add_argument('--share', action='store_true', help='Show share directory for the package')

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Write it; return what is wrong if there is no such package."""
        prefix = get_prefix_path(args.package_name)
        if prefix is None:
            return 'Package not found'
        path = Path(prefix, 'share', args.package_name) if args.share else Path(prefix)
        sys.stdout.write(f'{path}\n')
        return None
