"""Command `ros2 interface`; its verbs are the entry points of group `ros2interface.verb`."""

from __future__ import annotations

from ros2cli.command import VerbCommand


class InterfaceCommand(VerbCommand):
    """Show information about ROS interfaces."""

    VERB_GROUP = 'ros2interface.verb'
