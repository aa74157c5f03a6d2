"""Command `ros2 param`; its verbs are the entry points of group `ros2param.verb`."""

from __future__ import annotations

from ros2cli.command import VerbCommand


class ParamCommand(VerbCommand):
    """Various param related sub-commands."""

    VERB_GROUP = 'ros2param.verb'
