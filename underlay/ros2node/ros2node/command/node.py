"""Command `ros2 node`; its verbs are the entry points of group `ros2node.verb`."""

from __future__ import annotations

from ros2cli.command import VerbCommand


class NodeCommand(VerbCommand):
    """Various node related sub-commands."""

    VERB_GROUP = 'ros2node.verb'
