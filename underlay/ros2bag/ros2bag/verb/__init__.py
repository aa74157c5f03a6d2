"""The verbs of `ros2 bag`."""

from __future__ import annotations

import argparse

from ros2cli.plugin_system import PLUGIN_SYSTEM_VERSION, satisfies_version


class VerbExtension:
    """Extension point of the verbs of `ros2 bag`.

    NAME is set to the entry point's name; `main` must be defined, `add_arguments` can be.
    """

    NAME: str | None = None
    EXTENSION_POINT_VERSION = '0.1'

    def __init__(self) -> None:
        """Check the version of the plugin system."""
        satisfies_version(PLUGIN_SYSTEM_VERSION, '^0.1')

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add the verb's arguments."""

    def main(self, *, args: argparse.Namespace) -> int | str | None:
        """Execute the verb; return the exit code, or an error text."""
        raise NotImplementedError
