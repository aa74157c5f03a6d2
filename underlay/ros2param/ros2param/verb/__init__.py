"""Verbs of `ros2 param`."""

from ros2cli.verb import VerbExtension

__all__ = ['VerbExtension']
