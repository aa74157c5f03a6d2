"""Command `ros2 topic`; its verbs are the entry points of group `ros2topic.verb`."""

from __future__ import annotations

from ros2cli.command import VerbCommand


class TopicCommand(VerbCommand):
    """Various topic related sub-commands."""

    VERB_GROUP = 'ros2topic.verb'
