"""Command `ros2 service`; its verbs are the entry points of group `ros2service.verb`."""

from __future__ import annotations

from ros2cli.command import VerbCommand


class ServiceCommand(VerbCommand):
    """Various service related sub-commands."""

    VERB_GROUP = 'ros2service.verb'
