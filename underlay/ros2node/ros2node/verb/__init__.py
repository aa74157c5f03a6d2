"""Verbs of `ros2 node`."""

from ros2cli.verb import VerbExtension

__all__ = ['VerbExtension']
