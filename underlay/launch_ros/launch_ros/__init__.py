"""Launch of ROS nodes."""

from launch._uncovered import refuse

from . import actions, descriptions, substitutions

__all__ = ['actions', 'descriptions', 'substitutions']

__getattr__ = refuse(__name__, 'event_handlers', 'events', 'ros_adapters')
