"""Commands of ros2 and how they get their arguments."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Collection, Sequence
from typing import Any

from ros2cli.entry_points import get_entry_points, get_first_line_doc
from ros2cli.plugin_system import PLUGIN_SYSTEM_VERSION, instantiate_extensions, satisfies_version

__all__ = ['CommandExtension', 'VerbCommand', 'add_subparsers_on_demand', 'get_command_extensions']


class CommandExtension:
    """Base of the commands; a package offers one by an entry point of the group ``ros2cli.command``."""

    NAME: str | None = None
    EXTENSION_POINT_VERSION = '0.1'

    def __init__(self) -> None:
        satisfies_version(PLUGIN_SYSTEM_VERSION, '^0.1')

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add the command's arguments."""

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | str | None:
        """Do it; return the exit code or what went wrong."""
        raise NotImplementedError(f'{type(self).__name__}.main()')


class VerbCommand(CommandExtension):
    """Command that has nothing but verbs, e.g. `ros2 node`; upstream writes this class out for each command."""

    VERB_GROUP: str
    """Group of the entry points of its verbs, e.g. `ros2node.verb`."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:
        """Add the verbs and their arguments."""
        self._subparser = parser
        add_subparsers_on_demand(parser, cli_name, '_verb', self.VERB_GROUP, required=False)

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int | str | None:  # noqa: ARG002
        """Run the verb and return its exit code or error text; without a verb print the help text and return 0."""
        if not hasattr(args, '_verb'):
            self._subparser.print_help()
            return 0
        result: int | str | None = args._verb.main(args=args)
        return result


def get_command_extensions(group_name: str, *, exclude_names: Collection[str] | None = None) -> dict[str, Any]:
    """Return the extensions of a group by name."""
    extensions = instantiate_extensions(group_name, exclude_names=exclude_names)
    for name, extension in extensions.items():
        extension.NAME = name
    return extensions


def add_subparsers_on_demand(
    parser: argparse.ArgumentParser,
    cli_name: str,
    dest: str,
    group_name: str,
    hide_extensions: Collection[str] | None = None,
    required: bool = True,
    argv: Sequence[str] | None = None,
) -> Any:
    """Add a sub-command for each extension of a group; load only the one that the command line names, if it names one.

    Args:
        parser: what gets the sub-commands.
        cli_name: the command so far, for the usage text.
        dest: name of the attribute of the parsed arguments that will hold the extension.
        group_name: the group of entry points.
        hide_extensions: names to leave out of the list of commands.
        required: a sub-command must be given.
        argv: the command line; ``sys.argv`` by default.

    Returns:
        What ``parser.add_subparsers`` returns.
    """
    names = sorted(get_entry_points(group_name))
    words: list[str] = getattr(parser, '_words_left', list(sys.argv[1:] if argv is None else argv))
    chosen = next((word for word in words if word in names), None)
    wanted = names if chosen is None else [chosen]
    extensions = get_command_extensions(group_name, exclude_names=set(names) - set(wanted))
    shown = {name: extensions[name] for name in wanted if name in extensions and name not in (hide_extensions or ())}
    width = max(map(len, shown), default=0)
    description = '' if chosen else ''.join(f'{name:{width}}  {get_first_line_doc(shown[name])}\n' for name in shown)
    subparsers = parser.add_subparsers(
        title='Commands',
        description=description or None,
        dest=f' {dest.lstrip("_")}',
        required=required,
        metavar=f'Call `{cli_name} <command> -h` for more detailed usage.',
    )
    for name in names:
        extension = extensions.get(name)
        text = get_first_line_doc(extension) if extension is not None else ''
        sub_parser = subparsers.add_parser(name, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        if extension is not None:
            sub_parser.set_defaults(**{dest: extension})
        if extension is not None and name == chosen:
            sub_parser._words_left = words[words.index(name) + 1 :]  # type: ignore[attr-defined]  # for sub-commands of its own
            with_argv = 'argv' in inspect.signature(extension.add_arguments).parameters
            extension.add_arguments(sub_parser, f'{cli_name} {name}', **({'argv': argv} if with_argv else {}))
    return subparsers
