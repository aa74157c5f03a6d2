"""Types of arguments, and the text of errors."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path


def print_error(text: str) -> str:
    """Return an error as ros2bag words it."""
    return f'[ERROR] [ros2bag]: {text}'


def positive_float(value: str) -> float:
    """Return a number above 0.

    Raises:
        ArgumentTypeError: It is not a number above 0.
    """
    if (number := _float(value)) <= 0.0:
        raise ArgumentTypeError(f'{value} is not in the valid range (> 0.0)')
    return number


def not_negative_float(value: str) -> float:
    """Return a number of 0 or more.

    Raises:
        ArgumentTypeError: It is not a number of 0 or more.
    """
    if (number := _float(value)) < 0.0:
        raise ArgumentTypeError(f'Value {value} is less than zero.')
    return number


def existing_path(value: str) -> Path:
    """Return the path of an existing bag.

    Raises:
        ArgumentTypeError: The path does not exist.
    """
    path = Path(value)
    if not path.exists():
        raise ArgumentTypeError(f"Bag path '{value}' does not exist!")
    return path


def remapping(value: str) -> tuple[str, str]:
    """Return the two names of `old:=new`.

    Raises:
        ArgumentTypeError: It is not of this form.
    """
    old, mark, new = value.partition(':=')
    if not (old and mark and new):
        raise ArgumentTypeError(f"'{value}' is not of the form old_topic:=new_topic")
    return _absolute(old), _absolute(new)


def _absolute(name: str) -> str:
    return name if name.startswith('/') else '/' + name


def _float(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ArgumentTypeError(f'{value} is not the valid type (float)') from None
