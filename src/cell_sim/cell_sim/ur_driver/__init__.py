"""Simulated counterpart of the official ROS 2 driver: trajectories, dashboard, inputs and outputs.

It talks to the simulated controller over its sockets only, so the same controller serves the
backends `letters`, `rtde` and `ros_driver`.
"""

__all__ = ['node']
