"""Verbs: the sub-commands of a command."""

from __future__ import annotations

import argparse
from typing import Any

from ros2cli.plugin_system import PLUGIN_SYSTEM_VERSION, instantiate_extensions, satisfies_version

__all__ = ['VerbExtension', 'get_verb_extensions']


class VerbExtension:
    """Base of the verbs; a package offers one by an entry point of the command's group of verbs."""

    NAME: str | None = None
    EXTENSION_POINT_VERSION = '0.1'

    def __init__(self) -> None:
        satisfies_version(PLUGIN_SYSTEM_VERSION, '^0.1')

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add the verb's arguments."""

    def main(self, *, args: argparse.Namespace) -> int | str | None:
        """Do it; return the exit code or what went wrong."""
        raise NotImplementedError(f'{type(self).__name__}.main()')


def get_verb_extensions(name: str) -> dict[str, Any]:
    """Return the verbs of a group by name."""
    extensions = instantiate_extensions(name)
    for extension_name, extension in extensions.items():
        extension.NAME = extension_name
    return extensions
