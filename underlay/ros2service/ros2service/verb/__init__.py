"""Verbs of `ros2 service`."""

from ros2cli.verb import VerbExtension

__all__ = ['VerbExtension']
