"""Simulated counterpart of the official ROS 2 driver: trajectories, dashboard, inputs and outputs."""

__all__ = ['node']
