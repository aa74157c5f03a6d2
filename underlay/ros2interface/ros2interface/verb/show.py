"""Verb `ros2 interface show`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from rosidl_adapter.parser import parse_message_string
from rosidl_runtime_py import get_interface_path

from . import VerbExtension

SEPARATOR = '---'


@dataclass(frozen=True)
class InterfaceLine:
    """One line of an interface file.

    Attributes:
        text: The line as it stands in the file, without trailing space.
        bare: The line without its comment; None for blank lines and for lines of comment only.
        nested: Type of the field if it is a message, such as `std_msgs/msg/Header`.
    """

    text: str
    bare: str | None
    nested: str | None = None


def parse_line(package: str, name: str, text: str) -> InterfaceLine:
    """Parse one line of a .msg, .srv or .action file."""
    if text == SEPARATOR:
        return InterfaceLine(text, text)
    parsed = parse_message_string(pkg_name=package, msg_name=name, message_string=text)
    if not text or parsed.annotations['comment']:
        return InterfaceLine(text, None)
    comment = next(
        (item.annotations['comment'][0] for item in [*parsed.fields, *parsed.constants] if item.annotations['comment']), None
    )
    # Like upstream, cut one character before the comment's text, which leaves the '#' where a space follows it.
    bare = text if comment is None else text[: text.find(comment) - 1].strip()
    if not parsed.fields or '/' not in str(parsed.fields[0].type):
        return InterfaceLine(text, bare)
    return InterfaceLine(text, bare, str(parsed.fields[0].type).split('[', maxsplit=1)[0].replace('/', '/msg/'))


def show(identifier: str, comments: bool, nested_comments: bool, depth: int = 0) -> list[str]:
    """Return the lines of an interface, each nested message indented by one more tab.

    Args:
        identifier: Such as `std_msgs/msg/String`.
        comments: Keep comments and blank lines.
        nested_comments: Keep them in nested messages, too.
        depth: Number of tabs.

    Raises:
        ValueError: The identifier is malformed.
        LookupError: The package or the interface is not installed.
    """
    if identifier.count('/') != 2:
        raise ValueError(f"Invalid name '{identifier}'. Expected three parts separated by '/'")
    package, _, name = identifier.split('/')
    path = Path(get_interface_path(identifier))
    lines: list[str] = []
    for text in path.read_text(encoding='utf-8').splitlines():
        line = parse_line(package, name, text.rstrip())
        shown = line.text if comments else line.bare
        if shown is not None:
            lines.append('\t' * depth + shown if shown else '')
        if line.nested:
            lines += show(line.nested, nested_comments, nested_comments, depth + 1)
    return lines


class ShowVerb(VerbExtension):
    """Output the interface definition."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str) -> None:  # noqa: ARG002
        """Add the arguments."""
        comments = parser.add_mutually_exclusive_group()
        comments.add_argument(
            '--all-comments', action='store_true', help='Show all comments, including for nested interface definitions'
        )
        comments.add_argument('--no-comments', action='store_true', help='Show no comments or whitespace')
        parser.add_argument(
            'type',
            help="Show an interface definition (e.g. 'example_interfaces/msg/String'). "
            "Passing '-' reads the argument from stdin.",
        )

    def main(self, *, args: argparse.Namespace) -> str | None:
        """Print the definition; return an error if the interface is not installed."""
        identifier = sys.stdin.readline().strip() if args.type == '-' else args.type
        try:
            for line in show(identifier, not args.no_comments, args.all_comments):
                print(line)
        except (ValueError, LookupError) as error:
            return str(error)
        return None
