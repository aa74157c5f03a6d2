"""Command `ros2 pkg`; its verbs are the entry points of group `ros2pkg.verb`."""

from __future__ import annotations

from ros2cli.command import VerbCommand


class PkgCommand(VerbCommand):
    """Various package related sub-commands."""

    VERB_GROUP = 'ros2pkg.verb'
