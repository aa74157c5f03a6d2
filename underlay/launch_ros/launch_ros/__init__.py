"""Launch of ROS nodes (stand-in with the API of launch_ros 0.26).

An action `Node` is a process with ROS arguments. Namespaces, remappings and parameters of a group are launch configurations,
so they end with the group.
"""

from launch._uncovered import refuse

from . import actions, descriptions, substitutions

__all__ = ['actions', 'descriptions', 'substitutions']

__getattr__ = refuse(__name__, 'event_handlers', 'events', 'ros_adapters')
