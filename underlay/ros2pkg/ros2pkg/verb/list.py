"""ros2 pkg list."""

from __future__ import annotations

import argparse
import sys

from ros2pkg.api import get_package_names

from . import VerbExtension


class ListVerb(VerbExtension):
    """Output a list of available packages."""

    def main(self, *, args: argparse.Namespace) -> None:  # noqa: ARG002
        """Write it."""
        sys.stdout.writelines(f'{name}\n' for name in sorted(get_package_names()))
