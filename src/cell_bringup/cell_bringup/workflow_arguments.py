"""The command line of `cell workflow`, apart from its code: other commands need not load an image library."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ['add_workflow']


def add_workflow(workflow: argparse.ArgumentParser) -> None:
    """Add the options of `cell workflow`; argparse rejects values outside their range with exit code 2."""
    source = workflow.add_mutually_exclusive_group(required=True)
    source.add_argument('--camera', type=_index, metavar='INDEX', help='take one frame from this camera, e.g. 1')
    source.add_argument('--image', type=Path, help='read an image, or every image of a folder')
    benchmark = workflow.add_mutually_exclusive_group(required=True)
    benchmark.add_argument('--benchmark', metavar='TEXT', help='text of the known-good part')
    benchmark.add_argument(
        '--benchmark-image', type=Path, metavar='IMAGE', help='image of the known-good part; it is read first'
    )
    workflow.add_argument(
        '--threshold', type=_share, default=0.6, help='lowest similarity that counts as a match, 0..1 (default: 0.6)'
    )
    workflow.add_argument(
        '--output', type=Path, default=Path('workflow'), help='folder of the images with overlay (default: ./workflow)'
    )
    workflow.add_argument('--json', action='store_true', help='print the result as JSON')
    trigger = workflow.add_argument_group('trigger', 'After a match of every image the letter is sent, then START_PROGRAM.')
    trigger.add_argument('--letter', type=_letter, help="the part's letter; without it nothing is sent")
    trigger.add_argument('--part-number', default='', help='part number that goes with the letter')
    hub = trigger.add_mutually_exclusive_group()
    hub.add_argument('--pretend', action='store_true', help='send to a pretended hub: nothing moves')
    hub.add_argument('--hub', type=_url, metavar='URL', help='send to this hub, e.g. http://127.0.0.1:5002: THE ROBOT MOVES')
    trigger.add_argument(
        '--ack-timeout', type=_seconds, default=30.0, help='longest wait for each acknowledgement in seconds (default: 30)'
    )


def _index(text: str) -> int:
    """Return a camera index.

    Raises:
        ArgumentTypeError: It is no whole number from 0.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is no camera index; use 0, 1, ...')
    return int(text)


def _share(text: str) -> float:
    """Return a share above 0 and at most 1.

    Raises:
        ArgumentTypeError: It is none.
    """
    value = _number(text)
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f'{text!r} is not above 0 and at most 1')
    return value


def _seconds(text: str) -> float:
    """Return seconds above 0 and at most an hour.

    Raises:
        ArgumentTypeError: They are not.
    """
    value = _number(text)
    if not 0.0 < value <= 3600.0:
        raise argparse.ArgumentTypeError(f'{text!r} is not above 0 and at most 3600 seconds')
    return value


def _number(text: str) -> float:
    """Return a number.

    Raises:
        argparse.ArgumentTypeError: The text is none, or is NaN.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f'{text!r} is no number')
    return value


def _letter(text: str) -> str:
    """Return a letter of the robot's program.

    Raises:
        ArgumentTypeError: It is not one ASCII letter.
    """
    if len(text) != 1 or not text.isascii() or not text.isalpha():
        raise argparse.ArgumentTypeError(f'{text!r} is not one letter A to Z')
    return text


def _url(text: str) -> str:
    """Return the address of a hub.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        parts = urlsplit(text)
        good = parts.scheme in {'http', 'https', 'ws', 'wss'} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that are wrong
        good = False
    if not good:
        example = f'http://{text}' if text and '/' not in text and '[' not in text else 'http://127.0.0.1:5002'
        raise argparse.ArgumentTypeError(f'{text!r} is no address of a hub; write e.g. {example}')
    return text
