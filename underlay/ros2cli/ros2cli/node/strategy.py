"""Node of a command that reads the graph.

Upstream asks a background daemon when one runs. This stand-in has no daemon: each command discovers the graph itself.
"""

from __future__ import annotations

import argparse

from ros2cli.node import direct

__all__ = ['NodeStrategy', 'add_arguments']


class NodeStrategy(direct.DirectNode):
    """Direct node under the name that verbs import."""

    @property
    def direct_node(self) -> direct.DirectNode:
        """The node itself."""
        return self


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `NodeStrategy` to a verb."""
    direct.add_arguments(parser)
    parser.add_argument('--no-daemon', action='store_true', help='Accepted for compatibility; this stand-in has no daemon')
