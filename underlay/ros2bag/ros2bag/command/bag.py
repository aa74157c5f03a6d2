"""Command `ros2 bag`; its verbs are the entry points of group `ros2bag.verb`."""

from __future__ import annotations

from ros2cli.command import VerbCommand


class BagCommand(VerbCommand):
    """Various rosbag related sub-commands."""

    VERB_GROUP = 'ros2bag.verb'
