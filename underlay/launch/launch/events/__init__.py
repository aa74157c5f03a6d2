"""Events of a launched system."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from launch.event import Event

from . import process

if TYPE_CHECKING:
    from launch.action import Action
    from launch.actions import TimerAction
    from launch.launch_description import LaunchDescription

__all__ = ['IncludeLaunchDescription', 'Shutdown', 'TimerEvent', 'matches_action', 'process']


def matches_action(target_action: Action) -> Callable[[Action], bool]:
    """Return a matcher for this very action."""
    return lambda action: action is target_action


class Shutdown(Event):
    """The launched system is to be shut down."""

    name = 'launch.events.Shutdown'

    def __init__(self, *, reason: str = 'reason not given', due_to_sigint: bool = False) -> None:
        self.reason = reason
        self.due_to_sigint = due_to_sigint


class IncludeLaunchDescription(Event):
    """A launch description is to be visited."""

    name = 'launch.events.IncludeLaunchDescription'

    def __init__(self, launch_description: LaunchDescription) -> None:
        self.launch_description = launch_description


class TimerEvent(Event):
    """The time of a timer action is up."""

    name = 'launch.events.TimerEvent'

    def __init__(self, *, timer_action: TimerAction) -> None:
        self.timer_action = timer_action
