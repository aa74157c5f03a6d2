"""The ros2 command."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Sequence

from .command import CommandExtension, add_subparsers_on_demand


def main(
    *,
    script_name: str = 'ros2',
    argv: Sequence[str] | None = None,
    description: str | None = None,
    extension: CommandExtension | None = None,
) -> int | str | None:
    """Run the command.

    Args:
        script_name: its name.
        argv: its arguments; ``sys.argv`` by default.
        description: what the help says of it.
        extension: the one command to run; by default the arguments name one.

    Returns:
        The exit code, or what went wrong.
    """
    parser = argparse.ArgumentParser(
        prog=script_name,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=description or f'{script_name} is an extensible command-line tool for ROS 2.',
    )
    if extension is not None:
        extension.add_arguments(parser, script_name)
    else:
        add_subparsers_on_demand(parser, script_name, '_command', 'ros2cli.command', required=False, argv=argv)
    args = parser.parse_args(args=argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        with contextlib.suppress(io.UnsupportedOperation):
            sys.stdout.reconfigure(line_buffering=True)
    command: CommandExtension | None = extension or getattr(args, '_command', None)
    if command is None:
        parser.print_help()
        return 0
    try:
        return command.main(parser=parser, args=args)
    except KeyboardInterrupt:
        return signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: the flush at exit must not fail
        return 128 + signal.SIGPIPE
    except RuntimeError as problem:
        return str(problem)
