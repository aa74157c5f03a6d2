"""Nodes that live as long as one command."""

NODE_NAME_PREFIX = '_ros2cli'
"""The leading underscore hides the node from `ros2 node list`."""
